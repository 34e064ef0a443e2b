"""How a model learns again: triggers, training windows, recipes and gates.

`datasets` cuts what it learns from.
"""
