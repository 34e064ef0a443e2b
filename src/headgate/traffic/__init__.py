"""Which version answers whom.

The Traffic value, the endpoint file a person writes, and the pure function from a key to a version.
"""
