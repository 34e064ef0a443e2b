"""The open inference protocol, version 2, over REST (github.com/kserve/open-inference-protocol).

A model is an endpoint. Its inputs are the contract's fields, one tensor each; one matrix with all fields in the
contract's order, under any other name, is taken too. NaN stands for null where a field may be null. Read `infer.py`
first; `tensors.py` turns tensors into rows, `binary.py` knows the binary tensor extension, `about.py` what a
model says of itself.
"""
