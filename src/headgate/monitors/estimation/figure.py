"""How a model does in one window, as a value: each figure, where it comes from and how far it may be trusted."""

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.table import digits, shown
from headgate.monitors.bands import Band
from headgate.monitors.estimation.expectations import Source
from headgate.monitors.standing import Standing


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one window.

    >>> found = Estimate("auc", 0.71, 0.69, 0.73, 2000)
    >>> figure = Figure(estimate=found, source=Source.ESTIMATED, standing=Standing.MEASURED, band=Band(0.74, 0.8, 10))
    >>> figure.sentence, figure.outside
    ('auc is 0.7100 (0.6900 to 0.7300), estimated: below its band of 0.7400 to 0.8000', True)
    """

    estimate: Estimate
    source: Source
    standing: Standing
    sampling_error: float | None = None
    """How far chance alone moves the realised metric on so many rows: one standard error, from the reference."""
    band: Band | None = None
    """Where the realised metric of a chunk of the reference lay."""

    @property
    def outside(self) -> bool | None:
        """Whether the value lies outside its band; None where there is no value or no band."""
        if self.estimate.value is None or self.band is None:
            return None
        return not self.band.holds(self.estimate.value)

    @property
    def sentence(self) -> str:
        """The figure in words."""
        value, name = self.estimate.value, self.estimate.name
        if value is None:
            return f"{name} is {self.standing}: {self.estimate.reason}"
        said = f"{name} is {shown(self.estimate)}, {self.source}"
        if self.band is None or self.band.holds(value):
            return said
        side = "below" if value < self.band.low else "above"
        return f"{said}: {side} its band of {digits(self.band.low)} to {digits(self.band.high)}"


class Limit(msgspec.Struct, frozen=True):
    """One thing an estimate without labels takes for granted, and what is known of it."""

    name: str
    """``relation``, ``support``, ``calibration``, ``size`` or ``selection``."""
    holds: bool | None
    """None where nothing here can tell."""
    sentence: str


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Every figure of a window beside what has to hold for it."""

    rows: int
    """Answered rows of the window."""
    labelled: int
    """Those whose truth is known."""
    confidence: float
    """Coverage of the intervals, such as 0.95."""
    figures: dict[str, Figure]
    limits: tuple[Limit, ...] = ()

    @property
    def coverage(self) -> float | None:
        """Share of the rows whose truth is known; None for a window without rows."""
        return self.labelled / self.rows if self.rows else None

    @property
    def doubts(self) -> tuple[Limit, ...]:
        """Limits that are known not to hold."""
        return tuple(each for each in self.limits if each.holds is False)
