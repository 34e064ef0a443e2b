"""What estimates without labels stand on: the reference's figures, how much chance moves them, and its calibration."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Estimate, Reading, Undefined, estimate, standard_error
from headgate.evaluation.metrics import for_task, readings
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered, unreadable
from headgate.monitors.bands import Band, band
from headgate.monitors.estimation.calibration import Calibration, calibration
from headgate.monitors.estimation.expected import EXPECTED
from headgate.monitors.standing import Shortfall, undecided
from headgate.vocabulary import Task, readable

CHUNKS: Final = 10
"""Parts of the reference whose figures make the band."""
LEAST: Final = 100
"""Labelled reference rows below which nothing is fitted."""
NUMBERS: Final = ("mae", "rmse")
"""Metrics of a regression that can be expected without labels."""


@readable
class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted once per model version; a value that can be kept as JSON."""

    task: Task
    classes: tuple[str | int | bool, ...] = ()
    rows: int
    """Labelled reference rows."""
    realised: dict[str, Estimate]
    """What the metrics were on the reference."""
    spreads: dict[str, float]
    """Standard deviation of one row's influence on each metric: over the root of n it is the sampling error.

    Metrics of numbers too large to be squared have none.
    """
    bands: dict[str, Band]
    calibration: Calibration | None = None
    """None for a regression."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that can be expected, in the order in which they are shown."""
        return tuple(self.realised)

    def sampling_error(self, metric: str, rows: float) -> float | None:
        """Standard error of the realised metric on so many rows, from the reference; None where it is not known."""
        spread = self.spreads.get(metric)
        return None if spread is None or rows < 1 else spread / math.sqrt(rows)


def footing(rows: Rows, *, chunks: int = CHUNKS) -> Footing | Shortfall:
    """What the labelled reference `rows`, in their order in time, say about estimates, or why they say nothing.

    Bands are the mean and three standard deviations of each realised metric over `chunks` parts of equal size.

    >>> from headgate.vocabulary import Task
    >>> few = Rows(Task.BINARY, np.array([1, 0]), np.array([1, 0]), np.array([[0.1, 0.9], [0.8, 0.2]]), ("no", "yes"))
    >>> footing(few).reason
    'the reference has 2 labelled rows; 100 are needed'
    """
    if rows.task is Task.TENSOR:
        return undecided("a tensor model has no metrics")
    if len(rows) < LEAST:
        return undecided(f"the reference has {len(rows):,} labelled rows; {LEAST} are needed")
    if rows.task is not Task.REGRESSION:
        why = unreadable(Answered.of(rows)) or _one_sided(rows)
        if why is not None:
            return why
    names = NUMBERS if rows.task is Task.REGRESSION else EXPECTED
    metrics = for_task(rows.task, names)
    whole = readings(rows, metrics)
    parts = np.array_split(np.arange(len(rows)), max(1, chunks))
    by_chunk = [readings(rows.take(each), metrics) for each in parts if len(each)]
    return Footing(
        task=rows.task,
        classes=rows.classes,
        rows=len(rows),
        realised={name: estimate(name, each, len(rows)) for name, each in whole.items()},
        spreads=_spreads(whole, len(rows)),
        bands=_bands(rows.task, names, by_chunk),
        calibration=None if rows.task is Task.REGRESSION else calibration(rows),
    )


def range_of(metric: str, task: Task) -> tuple[float, float]:
    """The smallest and the largest value a metric can have.

    >>> range_of("auc", Task.BINARY), range_of("mae", Task.REGRESSION), range_of("brier", Task.MULTICLASS)
    ((0.0, 1.0), (0.0, inf), (0.0, 2.0))
    """
    if metric in ("log_loss", *NUMBERS):
        return 0.0, math.inf
    return 0.0, 2.0 if metric == "brier" and task is Task.MULTICLASS else 1.0


def _one_sided(rows: Rows) -> Shortfall | None:
    if int((rows.support > 0).sum()) < 2:
        return undecided("the reference has labels of one class only, so nothing says how far a score can be trusted")
    return None


def _spreads(whole: Mapping[str, Reading | Undefined], rows: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, each in whole.items():
        with np.errstate(over="ignore"):
            error = standard_error(each.influence) if isinstance(each, Reading) else None
        if error is not None and math.isfinite(error):
            found[name] = error * math.sqrt(rows)
    return found


def _bands(task: Task, names: Sequence[str], by_chunk: Sequence[Mapping[str, Reading | Undefined]]) -> dict[str, Band]:
    found: dict[str, Band] = {}
    for name in names:
        values = [each.value for chunk in by_chunk if isinstance(each := chunk[name], Reading)]
        made = band(values, *range_of(name, task))
        if made is not None:
            found[name] = made
    return found
