"""A metric as something to lose: 0 is best, more is worse, and how much each row adds.

The figures are those of ``evaluation``; the log loss alone is clipped, so that no single row decides.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats, Reading, Undefined, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, Metric, metric, readings
from headgate.evaluation.rows import Rows
from headgate.evaluation.weighted import is_mean
from headgate.vocabulary import Task

FLOOR: Final = 0.01
"""Probabilities count as no less than this in the log loss here, as no more than 1 less this: 4.6 nats at most."""
_LARGEST: Final = {"accuracy": 1.0, "brier": 1.0, "log_loss": float(-np.log(FLOOR))}


def lost(of: Metric, rows: Rows) -> Reading | Undefined:
    """What `rows` lost by a metric: itself where less is better, else what it lacks to 1.

    >>> rows = Rows(Task.BINARY, np.array([0, 1]), np.array([0, 0]), np.array([[1.0, 0.0], [1.0, 0.0]]), (0, 1))
    >>> lost(metric("accuracy"), rows).value, round(lost(metric("log_loss"), rows).value, 2)
    (0.5, 2.31)
    """
    found = readings(rows, [of])[of.name]
    if isinstance(found, Undefined):
        return found
    if of.name == "log_loss":
        assert rows.scores is not None  # noqa: S101 - there is no reading without
        clipped = replace(rows, scores=np.clip(rows.scores, FLOOR, 1 - FLOOR))
        return of.measure(clipped, quantile_of(CONFIDENCE))
    if of.higher_is_better:
        return replace(found, value=1 - found.value, low=None, high=None, influence=-found.influence)
    return found


def largest(name: str, task: Task, cap: float | None = None) -> float:
    """The most one row may lose by a metric that is a mean; `cap` where nothing bounds it.

    Raises BadInput for a metric that is no mean, and where nothing bounds it and there is no cap.

    >>> largest("brier", Task.MULTICLASS), largest("mae", Task.REGRESSION, cap=30.0)
    (2.0, 30.0)
    """
    if not is_mean(metric(name)):
        raise BadInput("metric", "domain", f"{name} is no mean of what rows lose; brier, log_loss, accuracy or mae is")
    if task is Task.REGRESSION:
        if cap is None or not 0 < cap < np.inf:
            raise BadInput("cap", "missing", f"nothing bounds {name}: say beyond which error a row counts no further")
        return cap
    return 2.0 if (name, task) == ("brier", Task.MULTICLASS) else _LARGEST[name]


def each_row(name: str, rows: Rows, cap: float | None = None) -> Floats | Undefined:
    """What every row lost, as a share of the most it may lose; see `largest`.

    >>> rows = Rows(Task.REGRESSION, np.array([1.0, 2.0]), np.array([1.0, 9.0]), None)
    >>> each_row("mae", rows, cap=4.0).tolist()
    [0.0, 1.0]
    """
    most = largest(name, rows.task, cap)
    found = lost(metric(name), rows)
    if isinstance(found, Undefined):
        return found
    shares: Floats = np.clip((found.value + found.influence) / most, 0.0, 1.0)
    return shares
