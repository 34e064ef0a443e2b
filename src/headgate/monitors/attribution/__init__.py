"""Why a metric changed between two windows: other inputs, another relation of input and output, or both.

`attribute.attribute` is the door. `basis` turns fields into columns, `overlap` finds where both windows have rows,
`split` divides the drop, `kinds` names the drift and the remedy; `faults`, `ranking` and `weakness` say where.
"""
