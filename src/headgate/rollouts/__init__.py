"""How a new version takes traffic: what a person plans, what the journal says of it, and what follows.

`decide.py` says what happens next, `state.py` what a move does to a rollout, `plan.py` what was fixed before it began;
`observe.py`, `measures.py` and `judge.py` lead from the journal to one verdict. `comparison` tells what two said of the
same inputs.
"""
