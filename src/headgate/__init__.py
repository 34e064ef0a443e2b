"""Headgate: serve a model, remember what it said, learn what was true."""
