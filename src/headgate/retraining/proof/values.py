"""What a proof is: checks with their figures, and what follows from them. `prove` makes it, `report` tells it."""

import msgspec

from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import Report
from headgate.retraining.proof.terms import Terms
from headgate.vocabulary import Micros, readable


@readable
class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and how it came out."""

    name: str
    """Such as ``not worse than champion``, ``slice carrier`` or ``latency``."""
    outcome: Outcome
    sentence: str
    """The outcome in words, with its figures."""
    decides: bool = True
    """Whether the outcome depends on it. What does not is told aside: that of the anchor says who may promote."""
    value: float | None = None
    """What was measured: of a comparison how much more the challenger loses, below 0 where it loses less."""
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    """The most that `value` may be."""


@readable
class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found when a challenger was held against the version it may replace."""

    challenger: str
    champion: str | None
    """The version that answers now; None where there is none."""
    anchor: str | None
    """The best proven version; see `anchor`."""
    metric: str
    """By which they were compared."""
    rows: int
    """Labelled rows that all of them answered."""
    window: tuple[Micros, Micros] | None
    """The first and the last of them; None where rows have no time."""
    checks: tuple[Check, ...]
    outcome: Outcome
    superior: bool
    """Proved to be better than the champion."""
    not_worse_than_champion: bool
    """Proved not to be worse by the margin."""
    not_worse_than_anchor: bool
    moves_anchor: bool
    """Proved to be better than the anchor: once it has taken its place for good, it is the anchor."""
    may_promote: bool
    """Whether nobody has to be asked."""
    why: str
    """What decided, in a sentence."""
    error_rate: str
    """How often this may be wrong, in a sentence."""
    terms: Terms
    measured: Report
    """All figures of the challenger on the same rows, beside a dummy's and the champion's, slice by slice."""
    cap: float | None = None
    """Regression: the error beyond which a row counts no further in the probation; fixed here, before it begins."""

    @property
    def passed(self) -> bool:
        """Whether every check that decides passed."""
        return self.outcome is Outcome.PASSED

    def check(self, name: str) -> Check | None:
        """The check of that name, if it was made."""
        return next((each for each in self.checks if each.name == name), None)
