"""Two samples compared column by column: a window beside the reference a model was fitted on.

Read `compared.py` first: what is said of a column. `comparison` reads both sides and measures every column, from all
rows or from the sketches that `summaries` keeps; `judgement` gives the verdicts on all of them together. It is a
diagnosis after an alarm, and raises none itself.
"""
