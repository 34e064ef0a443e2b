"""Whether the data are whole, before anybody asks whether they drifted: broken rules, holes, copies, age, skew, schema.

Each file measures one of these over Arrow tables and judges nothing. What a rule is, the contract says. Pictures come
as arrays: `pictures` measures one, `picture_ranges` compares a window of them with a reference, and `likeness` finds
those that came twice.
"""
