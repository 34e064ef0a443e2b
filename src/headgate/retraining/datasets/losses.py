"""What a champion's answers lost around the moment a diagnosis names, for `change` to find the row."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats
from headgate.journal.reader import Reader
from headgate.monitors.columns import moments, said, scores_of
from headgate.retraining.datasets.change import change_point
from headgate.retraining.datasets.labelled import Labelled
from headgate.retraining.datasets.wanted import Wanted
from headgate.vocabulary import DAY, Micros, Task

DAYS: Final = 7
"""Around the named moment, on either side, that are looked at at least, and at least so many rows."""
ROWS: Final = 10_000
MOST: Final = 200_000
"""Rows on either side that are looked at at most, those next to it."""
_COLUMNS: Final = ("at", "answered", "role", "prediction", "scores", "label")


def changed_at(reader: Reader, wanted: Wanted, labelled: Labelled) -> Micros | None:
    """The moment of the first row of another world, near the moment that is named; None where losses show none.

    Answers are those of the champion, and the truths those known at `as_of`.
    """
    if wanted.change is None or not len(labelled):
        return None
    here = labelled.place(wanted.change, 0)
    first = min(here - ROWS, labelled.place(Micros(wanted.change - DAYS * DAY), 0))
    last = max(here + ROWS, labelled.place(Micros(wanted.change + DAYS * DAY), 0))
    first, last = max(first, here - MOST, 0), min(last, here + MOST, len(labelled))
    start, end = Micros(int(labelled.at[first])), Micros(int(labelled.at[last - 1]) + 1)
    rows = reader.joined(
        wanted.project, wanted.endpoint, start=start, end=end, as_of=wanted.as_of, labels_since=start, columns=_COLUMNS
    )
    rows = rows.filter(pc.and_(pc.is_valid(rows["answered"]), pc.is_valid(rows["label"])))
    if wanted.champion is not None:
        rows = rows.filter(pc.equal(rows["answered"], wanted.champion))
    return change_point(moments(rows["at"]), answer_losses(rows, wanted.contract.output))


def answer_losses(rows: pa.Table, output: Output) -> Floats:
    """What each answer lost, NaN where its truth cannot be read.

    Half of Brier's score where there are scores, else 1 for a wrong class; of numbers the absolute error, none larger
    than 99 of 100, so that no single row is a change.

    >>> rows = pa.table({"prediction": ["a", "b"], "label": ["a", "a"], "scores": pa.nulls(2, pa.list_(pa.float64()))})
    >>> answer_losses(rows, Output(Task.BINARY, classes=("a", "b"))).tolist()
    [0.0, 1.0]
    """
    truth, predicted = said(rows["label"], output), said(rows["prediction"], output)
    if output.task is Task.REGRESSION:
        apart: Floats = np.abs(truth - predicted)
        if np.isfinite(apart).any():
            np.minimum(apart, float(np.nanquantile(apart, 0.99)), out=apart)
        return apart
    lost: Floats = (truth != predicted).astype(np.float64)
    scores = scores_of(rows["scores"], output)
    if scores is not None:
        hit = np.zeros_like(scores)
        known = np.flatnonzero(truth >= 0)
        hit[known, truth[known]] = 1.0
        squared = ((scores - hit) ** 2).sum(axis=1) / 2
        lost = np.where(np.isnan(squared), lost, squared)
    lost[truth < 0] = np.nan
    return lost
