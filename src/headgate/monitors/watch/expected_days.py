"""One day as it is expected to be, and what of it is told; `estimate` keeps them."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from scipy.special import stdtrit

from headgate.alerts.finding import Figure
from headgate.evaluation.estimate import Floats
from headgate.evaluation.metrics import metric
from headgate.evaluation.table import digits, shown
from headgate.monitors.bands import WIDTH
from headgate.monitors.columns import Bools
from headgate.monitors.estimation import figure as estimated
from headgate.monitors.estimation.coverage import label_coverage
from headgate.monitors.estimation.footing import Footing
from headgate.monitors.estimation.performance import SETTLED
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
    far: str = ""
    """Why the reference could not be weighed as the inputs came; empty where it could, or nothing had moved."""
    doubts: tuple[str, ...] = ()
    """What has to hold for the figures and does not."""
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


class Worse(msgspec.Struct, frozen=True):
    """A week in which metrics were expected to be worse than is borne."""

    until: Micros
    """When its last day began."""
    figures: dict[str, float]
    """On average over its days, worst first."""


def worse_in(
    footing: Footing, week: Sequence[Mapping[str, float]], chance: float, tolerance: float | None
) -> dict[str, float]:
    """The metrics that these days are expected to be worse in on average, but for this chance, worst first.

    Inputs of one day are alike, so days are what is counted: the error of the mean is that of so many days, and of the
    reference that of the parts that made its band. By Student's law with a degree of freedom less than there are days.
    """
    beyond: dict[str, float] = {}
    means: dict[str, float] = {}
    for name, then in footing.realised.items():
        values = [each[name] for each in week if name in each]
        if len(values) < len(week) or len(values) < 3 or then.value is None:
            continue
        means[name] = statistics.fmean(values)
        error = math.hypot(statistics.stdev(values) / math.sqrt(len(values)), _error(footing, name, then.value))
        apart = metric(name).better(then.value - means[name]) - borne(name, then.value, tolerance)
        beyond[name] = apart / error if error > 0 else math.copysign(math.inf, apart)
    if not beyond:
        return {}
    quantile = -float(stdtrit(len(week) - 1, chance / len(beyond)))
    return {name: means[name] for name in sorted(beyond, key=lambda name: -beyond[name]) if beyond[name] > quantile}


def _error(footing: Footing, name: str, value: float) -> float:
    """Of the reference's figure, from how its parts differ; its bounds are cut to what the metric can be."""
    band = footing.bands.get(name)
    if band is None:
        return footing.sampling_error(name, footing.rows) or 0.0
    return max(band.high - value, value - band.low) / (WIDTH * math.sqrt(band.chunks))


_ALIKE: Any = {True: "of other answers than those without", False: "of all answers alike", None: "nobody can tell"}


def labels_of(labelled: Bools, said: Floats) -> tuple[Figure, ...]:
    """How many labels are there and, where any figure hangs on it, whether of other answers than those without.

    `said` is what was answered, row by row, as numbers.
    """
    there, rows = int(labelled.sum()), len(labelled)
    figures = [Figure("labels", share(there, rows))]
    if there < SETTLED * rows:
        found = label_coverage(labelled, np.ones(rows, np.bool_), said, np.zeros(said.shape[1], np.bool_))
        if not isinstance(found, Shortfall) and not isinstance(found.selection, Shortfall):
            figures.append(Figure("labels are there", _ALIKE[found.selective], f"AUC {shown(found.selection)}"))
    return tuple(figures)
