"""Two that answered the same inputs, compared: a candidate in the shadow of the live version, a model beside people.

Read `values.py` first: what a comparison tells. `pairs` lines the answers up, `compare` measures them, `text` and
`page` show what was measured. Nothing here decides; a rollout's guards do that, on evidence of their own.
"""
