"""Tables on the native predict route: Arrow IPC bodies in, and out for callers who accept them.

`door.py` is loaded by every gateway and knows no Arrow. The files beside it are loaded with the first request that
needs them, away from the event loop, because pyarrow costs a gateway tens of megabytes; `tables.py` is the seam.
"""
