"""Why a metric changed between two windows, and since when: what is asked after an alarm.

`attribute.attribute` says whether other inputs, another relation of input and output, or both changed it. `pair` puts
two windows beside each other: `pooled` and `basis` turn fields into columns, `faults` finds the broken ones, `overlap`
where both windows have rows, `gaps` where one has none. `split` divides the drop, `kinds` names the drift and the
remedy; `ranking` and `weakness` say which fields and which slices.

`changepoint.change_point` says when a figure began to change, and whether at once, gradually, or off and on: `order`
asks whether it did, `courses` fits `shapes` and `spells`.
"""
