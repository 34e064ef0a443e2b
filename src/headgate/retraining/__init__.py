"""How a model learns again: what fires, what holds it up, and what becomes of a run, stage by stage.

Read `run.py` first, then `decide.py`. What a stage does is asked through `ports.py`; `datasets` cuts what is learned
from, `recipes` and `search` learn, `proof` proves.
"""
