"""How a new version takes traffic: a plan's steps, the state they lead through, and the pure decision between them.

`decide.py` says what happens next, `state.py` what a move does to a rollout, `plan.py` what was fixed before it began.
Nothing applies it yet; what exists for callers so far is the manual split in `traffic`.
"""
