"""What a proof is made of: every version's answers to the same rows, and what else was measured of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headgate.contracts.compare import Comparison
from headgate.evaluation.report import Answers
from headgate.evaluation.rows import Class, Column
from headgate.vocabulary import Task


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One version: what it said, how long it took, how large it is."""

    version: str
    recent: Answers
    """Of the recent rows, in their order."""
    golden: Mapping[str, Answers] = field(default_factory=dict)
    """By golden set; a version that could not answer one is not in it."""
    disturbed: Mapping[str, Answers | str] = field(default_factory=dict)
    """By disturbance: answers to the rows that were disturbed, or why there are none."""
    row_us: float | None = None
    """Microseconds one row takes, the median of many, measured in turns with the others."""
    bytes: int | None = None
    """Of its model on disk."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A challenger beside the champion and the anchor, on rows that have matured."""

    task: Task
    classes: tuple[Class, ...]
    labels: Column
    """Of the recent rows; None where one is not known, which is left out."""
    challenger: Side
    champion: Side | None = None
    anchor: Side | None = None
    at: NDArray[np.int64] | None = None
    """Their moments, in microseconds; without them the rows are taken to be in the order of time."""
    ids: Sequence[str | None] = ()
    """Their input ids, where they are journalled."""
    learned: Collection[str] = frozenset()
    """Inputs the challenger learned from; no recent row may be one of them."""
    slices: Mapping[str, Column] = field(default_factory=dict)
    """By field, a value per row."""
    groups: Mapping[str, Column] = field(default_factory=dict)
    """The same of the fields by which people are grouped."""
    golden: Mapping[str, Column] = field(default_factory=dict)
    """Labels of every golden set."""
    disturbed: NDArray[np.intp] | None = None
    """Which of the recent rows were disturbed."""
    contracts: Comparison | None = None
    """What changes for callers of the champion."""
