"""Where rows come from, one file a kind. Each is an adapter: it alone touches files, databases and networks.

`open` makes a source of the words in ``pipeline.yaml``; `ports` says what all of them do.
"""
