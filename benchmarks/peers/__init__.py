"""`make bench-peers`: other model servers beside Headgate, each from an environment of its own.

`environment.py` installs a peer, `servers.py` says how it is started and asked, `report.py` judges the figures.
"""
