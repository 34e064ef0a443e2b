"""The files of the story, as an operator would write them: the endpoint, and the plan of each act."""

from typing import Final

ENDPOINT: Final = "surfaces"
MODEL: Final = "surface"
FIRST: Final = f"{MODEL}:1"
"""Has seen both shifts."""
BAD: Final = f"{MODEL}:2"
"""Has seen the day alone."""
GATE: Final = "accuracy better than dummy by 0.1"
"""What a version has to pass on photographs it was not taught with, whoever's they are."""

ENDPOINT_FILE: Final = f"""\
endpoint: {ENDPOINT}
model: {FIRST}
live: human
why: every phone is looked at by a person; may the model take some of that over?
label_maturity: 6h
review: {{double_percent: 10, audit_percent: 5, lease: 10m}}
"""

AGAINST_PEOPLE: Final = f"""\
endpoint: {ENDPOINT}
candidate: {FIRST}
why: it looks as well as a person, and does not get tired
steps:
- shadow: 100%
- pause: 24h
- analysis
- set_weight: 5%
- pause: 6h
- set_weight: 25%
- pause: 6h
- set_weight: 50%
- pause: 6h
- analysis
guards:
- metric: accuracy
  margin: 2pt
- metric: agreement
  margin: 20pt
- metric: errors
  margin: 5pt
alpha: {{roll_back: 0.01, promote: 0.05}}
horizon: 7d
"""
"""A day and a night unseen, then 5 %, then a ramp. People have no computing time, so nothing is said of latency."""

AGAINST_THE_MODEL: Final = f"""\
endpoint: {ENDPOINT}
candidate: {BAD}
why: it learnt from the newest photographs, which happen to be of the day shift
steps:
- shadow: 100%
- pause: 24h
- analysis
- set_weight: 5%
- pause: 6h
- analysis
guards:
- metric: accuracy
  margin: 1pt
- metric: errors
  margin: 5pt
alpha: {{roll_back: 0.01, promote: 0.05}}
horizon: 7d
"""
