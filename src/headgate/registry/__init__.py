"""Which versions exist, where they came from, and what was proved about them.

A model of any supported library becomes a content-addressed package, by conversion to ONNX wherever that is
exact; versions, aliases, evaluations and lineage are kept behind a port.
"""
