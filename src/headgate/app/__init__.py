"""The composition root: the only room that knows which store, which runtimes and which clock.

`facade` is an installation as Python sees it, `gateway` and `controller` compose the two kinds of process, `up`
names the processes one machine ought to run.
"""
