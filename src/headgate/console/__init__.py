"""The control API: requests to rooms, over HTTP, for operators and their programs."""
