"""The journal's joined table as what a probation weighs: what two versions lost on inputs that both answered."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats, Undefined
from headgate.evaluation.rows import Rows
from headgate.monitors.columns import moments, said, scores_of, text, texts
from headgate.retraining.proof.losses import each_row
from headgate.retraining.proof.probation import Probation, Shadowed
from headgate.vocabulary import Role, Task

NEEDED: Final = (
    "input_id", "at", "assigned", "answered", "role", "prediction", "scores", "label", "label_received_at",
)  # fmt: skip
"""Columns of the joined table that are read."""
ROLES: Final = (Role.LIVE, Role.CANARY, Role.SHADOW)
"""Roles of the rows that count, with which the table has to be asked for."""


def shadowed(joined: pa.Table, output: Output, probation: Probation, metric: str, cap: float | None = None) -> Shadowed:
    """Every labelled input that both versions of `probation` answered, with what each lost by `metric`.

    `joined` is what ``journal.reader.Reader.joined`` gives for `ROLES`; `cap` is `values.Proof.cap`. Where a version
    has no such loss, as without probabilities, there are no pairs. Raises BadInput for a metric that is no mean.
    """
    table = joined.select(NEEDED)
    spoke = pc.and_(pc.is_in(text(table["role"]), value_set=texts(ROLES)), pc.is_valid(table["label"]))
    table = table.filter(pc.fill_null(spoke, False))
    new, old = (_own(table, version) for version in (probation.new, probation.old))
    places = pc.index_in(text(new["input_id"]), value_set=text(old["input_id"]).combine_chunks())
    new, old = new.filter(pc.is_valid(places)), old.take(places.drop_null())
    ours, theirs = (_losses(each, output, metric, cap) for each in (new, old))
    return Shadowed(
        ids=new["input_id"].to_pylist(),
        at=moments(new["at"]),
        told=moments(new["label_received_at"]),
        new=ours,
        old=theirs,
    )


def _own(table: pa.Table, version: str) -> pa.Table:
    """What it answered itself, each input once."""
    mine = pc.and_(pc.equal(text(table["assigned"]), version), pc.equal(text(table["answered"]), version))
    rows = table.filter(pc.fill_null(mine, False))
    _, first = np.unique(np.asarray(rows["input_id"].to_pylist(), dtype=str), return_index=True)
    return rows.take(pa.array(np.sort(first)))


def _losses(table: pa.Table, output: Output, metric: str, cap: float | None) -> Floats:
    """NaN where there is none: a label that is none of the classes, an answer without scores."""
    truth, predicted = said(table["label"], output), said(table["prediction"], output)
    scores = scores_of(table["scores"], output)
    known = np.isfinite(predicted) if output.task is Task.REGRESSION else truth >= 0
    if scores is not None:
        known &= np.isfinite(scores).all(axis=1)
    rows = Rows(output.task, truth, predicted, scores, output.classes).take(known)
    found = each_row(metric, rows, cap)
    losses = np.full(len(table), np.nan)
    if not isinstance(found, Undefined):
        losses[known] = found
    return losses
