"""A whole file answered by one version: streamed, resumable, complete or absent."""
