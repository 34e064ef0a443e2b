"""How a model learns again: triggers, training windows, recipes and gates.

The room is reserved; training sets are cut point-in-time by `journal`.
"""
