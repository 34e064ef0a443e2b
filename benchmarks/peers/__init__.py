"""`make bench-peers`: other model servers beside Headgate, each from an environment of its own.

`servers.py` says how each is started, `processes.py` starts and ends it, `report.py` judges the figures.
"""
