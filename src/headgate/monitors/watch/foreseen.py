"""What is expected of a day before its labels are there, and what they make of that when they are.

The same for every task: a classifier's scores are calibrated on the rows it was evaluated with, weighed as the day's
inputs came where these have surely moved (`pape`), as they are where not or where too few of them are alike (`cbpe`);
a regression's losses are foretold from its inputs (`losses`).
"""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.evaluation.estimate import Floats
from headgate.evaluation.rows import UNLABELLED
from headgate.journal.tables import FEATURES
from headgate.monitors.answered import Answered
from headgate.monitors.columns import Bools, Columns
from headgate.monitors.estimation.cbpe import cbpe
from headgate.monitors.estimation.expectations import Expectation
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.pape import pape
from headgate.monitors.estimation.tilting import Means, tilted
from headgate.monitors.matrices import matrix
from headgate.monitors.standing import Shortfall, undecided
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.sampled import Sampled
from headgate.vocabulary import Task


class Coming(msgspec.Struct, frozen=True):
    """The day that is not over yet."""

    sampled: Sampled = Sampled()
    """What was answered."""
    means: Means = Means()
    """Of the inputs."""


def own_of(rows: Columns, version: str) -> Bools:
    """The rows that `version` answered to callers who did not choose it."""
    own = rows.versions.index(version) if version in rows.versions else len(rows.versions)
    mine: Bools = rows.judged & (rows.answered == own)
    return mine


def said_of(rows: Columns, task: Task, classes: tuple[Any, ...]) -> Answered:
    """What was answered to these rows."""
    return Answered(task, rows.predicted, rows.scores, classes)


def truth_of(rows: Columns, task: Task) -> Any:
    """What turned out to be true, in the form in which `performance` takes it."""
    return np.where(rows.labelled, rows.truth, np.nan if task is Task.REGRESSION else UNLABELLED)


def numbers_of(said: Answered, inputs: Floats) -> Floats:
    """The answers as one row of numbers each, with the inputs behind them where these are needed."""
    predicted = np.full(len(said), np.nan) if said.predicted is None else said.predicted.astype(np.float64)
    if said.task is Task.REGRESSION:
        return np.column_stack((predicted, inputs))
    scores = np.full((len(said), len(said.classes)), np.nan) if said.scores is None else said.scores
    return np.column_stack((predicted, scores))


def answers_of(numbers: Floats, known: Known) -> tuple[Answered, Floats]:
    """The answers, and the inputs behind them, of rows of numbers."""
    task, classes, rest = known.rows.task, known.rows.classes, numbers[:, 1:]
    if task is Task.REGRESSION:
        return Answered(task, numbers[:, 0], None, classes), rest
    scores = None if bool(np.isnan(rest).all()) else rest
    predicted = None if bool(np.isnan(numbers[:, 0]).any()) else numbers[:, 0].astype(np.int64)
    return Answered(task, predicted, scores, classes), rest[:, :0]


def inputs_of(table: pa.Table, chosen: Bools, known: Known) -> tuple[Floats, Bools]:
    """The inputs of the chosen rows as a matrix, and of which of them any were kept; NaN where not."""
    encoder, rows = known.basis.encoder, int(chosen.sum())
    if FEATURES not in table.column_names or not encoder.fields or not rows:
        return np.full((rows, len(encoder.fields)), np.nan), np.zeros(rows, np.bool_)
    struct = table[FEATURES].filter(pa.array(chosen))
    names = [each.name for each in struct.type if each.name in known.features.column_names]
    columns = pa.table({each: pc.struct_field(struct, each) for each in names})
    inputs = matrix(encoder, columns) if names else np.full((rows, len(encoder.fields)), np.nan)
    return inputs, np.asarray(pc.is_valid(struct)).astype(np.bool_)


def expectation(
    known: Known, footing: Footing, said: Answered, means: Means, inputs: Floats
) -> tuple[Expectation | Shortfall, str]:
    """What is expected of these answers to inputs of these means, or of a regression to these `inputs`.

    And why the reference could not be weighed as inputs came, where they have moved too far; empty otherwise.
    """
    if footing.task is Task.REGRESSION:
        if known.losses is None or isinstance(known.losses, Shortfall):
            return known.losses or undecided("losses are not modelled"), ""
        return known.losses.expect(said, inputs), ""
    weighed = tilted(known.basis, means)
    found = None if weighed is None else pape(footing, known.rows, weighed, said)
    if isinstance(found, Shortfall):
        return cbpe(footing, said), found.reason
    return (cbpe(footing, said) if found is None else found), ""
