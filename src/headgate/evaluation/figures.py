"""All figures of one set of rows: the model's, a dummy's and the champion's, and the paired differences.

`report` measures the whole set and each slice of it through `figures`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, difference, estimate, quantile_of
from headgate.evaluation.metrics import CLASSES, Metric, readings
from headgate.evaluation.rows import Rows


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on one set of rows; every dictionary is keyed by metric name."""

    rows: int
    """Labelled rows."""
    estimates: dict[str, Estimate]
    baseline: dict[str, Estimate] = {}
    """The best answer that looks at no feature, on the same rows."""
    over_baseline: dict[str, Estimate] = {}
    """Ours minus the baseline's, paired."""
    champion: dict[str, Estimate] = {}
    """Empty when there is no champion."""
    over_champion: dict[str, Estimate] = {}
    """Ours minus the champion's, paired."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One model's rows beside its rivals' answers to the same inputs."""

    ours: Rows
    metrics: tuple[Metric, ...]
    dummies: tuple[tuple[tuple[Metric, ...], Rows], ...]
    """For which metrics, and the dummy's answers."""
    champion: Rows | None

    def take(self, chosen: NDArray[np.bool_]) -> "Contest":
        """The same contest on some of the rows; the dummy keeps what it learnt on all of them."""
        dummies = tuple((metrics, rows.take(chosen)) for metrics, rows in self.dummies)
        champion = None if self.champion is None else self.champion.take(chosen)
        return Contest(self.ours.take(chosen), self.metrics, dummies, champion)


def contest(ours: Rows, metrics: Sequence[Metric], champion: Rows | None) -> Contest:
    """The model against a dummy and, when there is one, the champion.

    The dummy answers the same for every row: the share of each class as its scores and the most frequent
    class as its prediction; for numbers the mean (RMSE, R2), the median (MAE) or the quantile (pinball) of
    the labels, whichever that metric likes best. It learns from the very rows it is judged on, which can
    only make it harder to beat.
    """
    groups: dict[float | None, list[Metric]] = {}
    for each in metrics:
        groups.setdefault(None if ours.task in CLASSES else _quantile(each.name), []).append(each)
    dummies = tuple((tuple(group), _dummy(ours, at)) for at, group in groups.items())
    return Contest(ours, tuple(metrics), dummies, champion)


def _quantile(name: str) -> float:
    """Which constant a regression metric likes best: a quantile of the labels; -1 stands for their mean."""
    family, _, parameter = name.partition("@")
    if family == "pinball":
        return float(parameter or 0.5)
    return 0.5 if family == "mae" else -1.0


def _dummy(rows: Rows, quantile: float | None) -> Rows:
    count = len(rows)
    if count == 0:
        return rows
    if quantile is not None:
        constant = float(rows.truth.mean() if quantile < 0 else np.quantile(rows.truth, quantile))
        return Rows(rows.task, rows.truth, np.full(count, constant), None, rows.classes)
    shares = rows.support / count
    predicted = np.full(count, int(shares.argmax()), dtype=np.int64)
    return Rows(rows.task, rows.truth, predicted, np.broadcast_to(shares, (count, len(shares))), rows.classes)


def figures(contest: Contest, confidence: float) -> Figures:
    """Every figure of a contest."""
    count, z = len(contest.ours), quantile_of(confidence)
    ours = readings(contest.ours, contest.metrics, confidence)
    dummy = {
        name: reading
        for metrics, rows in contest.dummies
        for name, reading in readings(rows, metrics, confidence).items()
    }
    champion = {} if contest.champion is None else readings(contest.champion, contest.metrics, confidence)
    return Figures(
        rows=count,
        estimates={name: estimate(name, each, count) for name, each in ours.items()},
        baseline={name: estimate(name, dummy[name], count) for name in ours},
        over_baseline={name: difference(name, ours[name], dummy[name], count, z) for name in ours},
        champion={name: estimate(name, each, count) for name, each in champion.items()},
        over_champion={name: difference(name, ours[name], each, count, z) for name, each in champion.items()},
    )
