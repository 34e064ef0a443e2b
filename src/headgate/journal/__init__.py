"""What was answered, and what turned out to be true.

Gateways append frames to segments and acknowledge after the disk did; the sealer moves segments into the lake
exactly once; readers join predictions, labels and decisions over both.
"""
