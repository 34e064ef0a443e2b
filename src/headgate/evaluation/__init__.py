"""How good a model is on labelled rows, with intervals, and whether that passes a gate.

Metrics are functions with declared inputs; estimates carry their interval; gates are sentences. The registry
keeps the reports, monitors measure windows with the same functions, so a figure means one thing everywhere.
"""
