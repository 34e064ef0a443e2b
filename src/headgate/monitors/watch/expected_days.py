"""One day as it is expected to be, and what of it is told; `estimate` keeps them."""

import math
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np

from headgate.alerts.finding import Figure
from headgate.evaluation.estimate import Floats, quantile_of
from headgate.evaluation.metrics import CONFIDENCE, metric
from headgate.evaluation.table import digits, shown
from headgate.monitors.columns import Bools
from headgate.monitors.estimation import figure as estimated
from headgate.monitors.estimation.coverage import label_coverage
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.tilting import Means
from headgate.monitors.standing import Shortfall
from headgate.monitors.watch.aspects import share
from headgate.monitors.watch.days import date_of
from headgate.monitors.watch.performance import borne
from headgate.vocabulary import Micros


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one day, wherever they come from."""

    start: Micros
    rows: int
    figures: dict[str, estimated.Figure]
    doubts: tuple[str, ...] = ()
    """What has to hold for the figures and does not."""
    worse: tuple[str, ...] = ()
    """The metrics expected to be worse than is borne, worst first."""
    means: Means = Means()
    """Of the inputs, until labels are due."""
    labels: tuple[Figure, ...] = ()
    """Which labels are there, once they are due."""


def doubts_of(found: estimated.Performance) -> tuple[str, ...]:
    """What does not hold; that a day is small is no doubt, its intervals say so."""
    return tuple(each.sentence for each in found.doubts if each.name != "size")


def lines(day: Expected, footing: Footing) -> list[Figure]:
    """Each figure with where it comes from, beside the reference's and the band of its parts."""
    found = []
    for name, each in day.figures.items():
        if each.estimate.known:
            value = f"{shown(each.estimate)}, {each.source}"
            band = "" if each.band is None else f", band {digits(each.band.low)} to {digits(each.band.high)}"
            limit = f"{shown(footing.realised[name])} evaluated{band}"
            found.append(Figure(f"{name} of {date_of(day.start)}", value, limit))
    return found


def worse_than(
    footing: Footing, found: estimated.Performance, chance: float, tolerance: float | None
) -> tuple[str, ...]:
    """The metrics expected to be worse than is borne, but for this chance, worst first."""
    z = quantile_of(CONFIDENCE)
    beyond: dict[str, float] = {}
    for name, each in found.figures.items():
        now, then = each.estimate, footing.realised[name]
        facing = (now.high, then.low) if metric(name).higher_is_better else (now.low, then.high)
        if now.value is None or then.value is None or facing[0] is None or facing[1] is None:
            continue
        error = math.hypot(abs(facing[0] - now.value), abs(facing[1] - then.value)) / z
        apart = metric(name).better(then.value - now.value) - borne(name, then.value, tolerance)
        if error > 0:
            beyond[name] = apart / error
    if not beyond:
        return ()
    quantile = -NormalDist().inv_cdf(chance / len(beyond))
    return tuple(sorted((name for name, each in beyond.items() if each > quantile), key=lambda name: -beyond[name]))


_ALIKE: Any = {True: "of other answers than those without", False: "of all answers alike", None: "nobody can tell"}


def labels_of(labelled: Bools, said: Floats) -> tuple[Figure, ...]:
    """How many labels are there, and whether of other answers, `said`, than those that have none."""
    found = label_coverage(labelled, np.ones(len(labelled), np.bool_), said, np.zeros(said.shape[1], np.bool_))
    if isinstance(found, Shortfall):
        return ()
    figures = [Figure("labels", share(int(labelled.sum()), len(labelled)))]
    if not isinstance(found.selection, Shortfall):
        figures.append(Figure("labels are there", _ALIKE[found.selective], f"AUC {shown(found.selection)}"))
    return tuple(figures)
