"""Two samples compared column by column: a window beside the reference a model was fitted on.

Read `compared.py` first: what is said of a column. `comparison` reads both sides and measures every column, from all
rows or from the sketches that `summaries` keeps; `judgement` says how all of them stand, together. It is a
diagnosis after an alarm: a column that alarms here is told to nobody by itself.
"""
