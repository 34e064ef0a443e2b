"""How a new version takes traffic: plan, state, guards and the pure decision between them.

The room is reserved; what exists so far is the manual split in `traffic`.
"""
