"""Alarms where an endpoint is no longer what it was, false as rarely as somebody said in a sentence.

Read `alarms.py` first: what a monitor says at a look. `terms` is what a person decides, the budget of false alarms
included. `risk` watches `losses`; `drift` watches inputs and outputs, which are `scores` that are compared with those
of `references`: of tables from `strangeness`, of texts and images from `embeddings`, within `seasons` where they come
and go with the hour. A monitor is fixed before it begins, its state is a value, and a look is a pure function of both
and of what is new. Nothing is decided here and nobody is told.
"""
