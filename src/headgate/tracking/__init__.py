"""A tracking server (MLflow): models are taken from it, and it is told of runs, gates and promotions.

Over its REST interface with the standard library; nothing of MLflow is installed. Nobody waits for the server: what it
is to be told is kept in an outbox until it has taken it, and where an alias points is looked for by a loop of its own.
"""
