"""Endpoints whose truth is known, lived through with all their monitors: 20 features, a score and losses, 5 segments.

Rows of a segment come more often by day than by night and hardly on weekends. Features hang together: most are normal
and share a part, some are skewed, some are categories, some are missing now and then. Every segment has a monitor of
its losses, of its score and of its inputs; all of them share one budget of false alarms.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.monitors.alarms.alarms import Measurement
from headgate.monitors.alarms.drift import InputDrift, ScoreDrift
from headgate.monitors.alarms.risk import RiskDrift
from headgate.monitors.alarms.terms import INPUT, RISK, SCORE, Budget, Terms
from headgate.vocabulary import DAY, HOUR, Micros

FEATURES: Final = 20
SEGMENTS: Final = ("north", "east", "south", "west", "abroad")
A_DAY: Final = 10
"""Rows of a segment on an ordinary day."""
REFERENCE_ROWS: Final = 2000
RATE: Final = 0.1
"""How often the model errs."""
_KINDS: Final = np.array(["card", "cash", "invoice", "none"])
_SHARES: Final = (0.6, 0.25, 0.1, 0.05)
_BUSY: Final = np.array([0.2] * 6 + [1.8] * 12 + [0.8] * 6) / 1.15


@dataclass(frozen=True)
class Change:
    """What is different from a day on, in the first segment alone."""

    from_day: float
    shift: float = 0.0
    """Of features, in standard deviations."""
    features: int = 0
    """How many of them are shifted."""
    rate: float = RATE
    """How often the model errs then."""


@dataclass(frozen=True)
class Part:
    """Rows of one segment."""

    at: NDArray[np.int64]
    rows: pa.Table
    score: NDArray[np.float64]
    losses: NDArray[np.float64]


def moments(days: int, random: np.random.Generator) -> NDArray[np.int64]:
    """When rows come, in the course of days and weeks."""
    hours = np.arange(days * 24)
    expected = A_DAY / 24 * _BUSY[hours % 24] * np.where(hours // 24 % 7 < 5, 1.25, 0.375)
    counts = random.poisson(expected)
    return np.sort(np.repeat(hours * HOUR, counts) + random.integers(0, HOUR, counts.sum()))


def part_of(at: NDArray[np.int64], random: np.random.Generator, change: Change | None = None) -> Part:
    """Rows at these moments."""
    count = len(at)
    is_changed = np.zeros(count, np.bool_) if change is None else at >= change.from_day * DAY
    values = 0.6 * random.normal(size=(count, 1)) + 0.8 * random.normal(size=(count, FEATURES))
    if change is not None:
        values[:, : change.features] += change.shift * is_changed[:, None]
    score = 1 / (1 + np.exp(-values[:, :4].sum(axis=1)))
    rate = RATE if change is None else np.where(is_changed, change.rate, RATE)
    return Part(at, _table(values, random), score, (random.random(count) < rate).astype(np.float64))


def _table(values: NDArray[np.float64], random: np.random.Generator) -> pa.Table:
    columns = {}
    for place in range(FEATURES):
        column = values[:, place]
        if place % 5 == 3:
            column = np.exp(column)
        elif place % 5 == 4:
            codes = np.searchsorted(np.cumsum(_SHARES)[:-1], random.random(len(values)))
            columns[f"f{place}"] = pa.DictionaryArray.from_arrays(codes, _KINDS)
            continue
        is_missing = random.random(len(values)) < 0.02 if place % 5 == 2 else None
        columns[f"f{place}"] = pa.array(column, mask=is_missing)
    return pa.table(columns)


@dataclass(frozen=True)
class Monitors:
    """Those of one segment."""

    risk: RiskDrift
    score: ScoreDrift
    inputs: InputDrift

    @classmethod
    def of(cls, reference: Part, terms: Terms, segment: str) -> "Monitors":
        """Each with an equal part of the budget."""
        risk, score, inputs = (f"{each} of {segment}" for each in (RISK, SCORE, INPUT))
        return cls(
            RiskDrift.of(reference.losses, terms, name=risk),
            ScoreDrift.of({"score": reference.score}, terms, name=score),
            InputDrift.of(reference.rows, terms, name=inputs),
        )

    def observe(self, part: Part) -> list[Measurement]:
        """What they find in all the rows of a segment."""
        began = Micros(0)
        _, losses = self.risk.observe(self.risk.start(began), part.at, part.losses)
        _, score = self.score.observe(self.score.start(began), part.at, {"score": part.score})
        _, inputs = self.inputs.observe(self.inputs.start(began), part.at, part.rows)
        return [*losses, *score, *inputs]


def alarms(words: str, days: int, seed: int, change: Change | None = None) -> list[tuple[float, str]]:
    """Days at which an endpoint's monitors raised alarms and what each was about, over its life of `days`, in order."""
    budget = Budget.of(words, segments=SEGMENTS)
    found = []
    for place, segment in enumerate(SEGMENTS):
        random = np.random.default_rng((seed, place))
        reference = part_of(np.arange(REFERENCE_ROWS), random)
        part = part_of(moments(days, random), random, change if place == 0 else None)
        monitors = Monitors.of(reference, Terms(budget, seed=len(SEGMENTS) * seed + place), segment)
        for each in monitors.observe(part):
            found += [(moment / DAY, f"{each.monitor}: {each.member}") for moment in each.alarms]
    return sorted(found)
