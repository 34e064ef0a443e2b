"""Whether groups of people are treated alike, window by window: rates per group, and how far they lie apart.

`measure.fairness` is the door; `groups` counts, `gaps` compares all groups, `signed` a group with another.
"""
