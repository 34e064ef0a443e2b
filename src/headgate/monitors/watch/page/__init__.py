"""How an endpoint stands and what it did, day by day, as one page: `whole` first.

Nothing is measured here: a `Monitored` comes in, parts of a page go out.
"""
