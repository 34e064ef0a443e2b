"""The two windows that are compared, and whether they can be.

`attribute` asks before it compares anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.evaluation.rows import Column, Rows
from headgate.monitors.attribution.pooled import taken

FEWEST: Final = 200
"""Labelled rows either window needs."""
MOST: Final = 25_000
"""Rows of either window that are looked at; of more, as many at random."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The labelled rows of one window that one version answered, and the fields it was asked with."""

    fields: Mapping[str, Column]
    """One value per row, in the order of `rows`."""
    rows: Rows


def thinned(given: Sample, seed: int) -> Sample:
    """The rows, or `MOST` of them at random and in their order."""
    count = len(given.rows)
    if count <= MOST:
        return given
    chosen = np.sort(np.random.default_rng(seed).choice(count, MOST, replace=False))
    fields = {name: taken(column, chosen) for name, column in given.fields.items()}
    return Sample(fields, given.rows.take(chosen))


def incomparable(reference: Sample, current: Sample) -> str:
    """Why the two cannot be compared at all; empty where they can."""
    if reference.rows.task is not current.rows.task:
        return f"the reference is of a {reference.rows.task} model, the current window of a {current.rows.task} one"
    if reference.rows.classes != current.rows.classes:
        return "the windows have different classes"
    for name, sample in (("reference", reference), ("current window", current)):
        for field, column in sample.fields.items():
            if len(column) != len(sample.rows):
                return f"field {field} of the {name} has {len(column)} values for {len(sample.rows)} labelled rows"
    if not set(reference.fields) & set(current.fields):
        return "there is no field that both windows have"
    return ""


def too_few(reference: Sample, current: Sample) -> str:
    """Which window has too few rows; empty where none has."""
    for name, sample in (("reference", reference), ("current window", current)):
        if len(sample.rows) < FEWEST:
            return f"the {name} has {len(sample.rows):,} labelled rows; {FEWEST} are needed"
    return ""
