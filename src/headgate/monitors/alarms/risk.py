"""Whether the model errs more than it did, by labels as they come: `RiskDrift`.

The loss of an answer is a number from 0 (right) to 1 (as wrong as can be): a 0-1 error, a Brier score, an error in the
unit of the label cut off at a stated size. What is watched is its mean, so that only what does harm raises an alarm: an
input may change all it likes while the losses do not. Podkopaev and Ramdas 2022, "Tracking the risk of a deployed
model and detecting harmful distribution shifts", with an e-detector for their test.
"""

import math
from typing import Final, Literal

import msgspec

from headgate.errors import BadInput
from headgate.evaluation.estimate import quantile_of, standard_error
from headgate.evidence.betting import BettingTest
from headgate.evidence.detector import Watch
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Clock, Measurement, Standing, check_moments, steps
from headgate.vocabulary import Micros

LEAST: Final = 1000
"""Labelled rows a reference needs: with fewer its own uncertainty is as large as what one would like to find."""
TOLERANCE: Final = 0.01
"""How much more loss is tolerated at most, where nobody says otherwise."""
RELATIVE: Final = 0.1
"""The same as a share of the reference's mean; the smaller of both counts."""
CONFIDENCE: Final = 0.95
Direction = Literal["worse", "better"]


class RiskDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor of losses, fixed before it begins.

    >>> import numpy as np
    >>> monitor = RiskDrift.of(np.tile([0.0] * 9 + [1.0], 200), FalseAlarms())
    >>> round(monitor.mean, 3), round(monitor.half_width, 4), round(monitor.bound, 4)
    (0.1, 0.0132, 0.1232)
    """

    name: str = "risk"
    policy: FalseAlarms
    part: float = 1.0
    """Of the budget of false alarms."""
    mean: float = math.inf
    """Of the reference's losses; infinite without."""
    half_width: float = 0.0
    """Of the interval of the mean, at 95 %."""
    tolerance: float = 0.0
    rows: int = 0
    """Losses of the reference."""
    direction: Direction = "worse"
    reason: str = ""
    """Why nothing can be watched; empty where it can."""

    @classmethod
    def of(
        cls,
        losses: Floats,
        policy: FalseAlarms,
        *,
        part: float = 1.0,
        tolerance: float | None = None,
        direction: Direction = "worse",
        name: str = "risk",
    ) -> "RiskDrift":
        """A monitor that compares with `losses`, at least `LEAST` of them; one that says why, where that cannot be.

        `tolerance` is in the unit of the loss; None takes 0.01, or 10 % of the reference's mean where that is less.
        With ``better`` an alarm says that losses have fallen by as much. Raises BadInput for a tolerance that is
        negative or no number, and for a part that is none.
        """
        if tolerance is not None and not 0 <= tolerance < 1:
            raise BadInput("tolerance", "range", "must lie between 0 and 1, in the unit of the loss")
        policy.limit(part)
        found = cls(name=name, policy=policy, part=part, direction=direction, rows=len(losses))
        if (reason := _fault(losses)) or len(losses) < LEAST:
            few = f"the reference has {len(losses):,} labelled rows; at least {LEAST:,} are needed"
            return msgspec.structs.replace(found, reason=reason or few)
        mean = float(losses.mean())
        found = msgspec.structs.replace(
            found,
            mean=mean,
            half_width=_half_width(losses, mean),
            tolerance=min(TOLERANCE, RELATIVE * mean) if tolerance is None else tolerance,
        )
        return msgspec.structs.replace(found, reason=found._unwatchable())

    @property
    def bound(self) -> float:
        """The mean beyond which losses have changed: the reference's, its uncertainty and the tolerance."""
        apart = self.half_width + self.tolerance
        return self.mean + apart if self.direction == "worse" else self.mean - apart

    @property
    def limit(self) -> float:
        """Where the level raises an alarm."""
        return self.policy.limit(self.part)

    def start(self, began: Micros) -> "RiskState":
        """Nothing speaks for a change; time counts from `began`, the moment from which losses are handed over."""
        return RiskState(Clock.at(began), Watch.of(self.test().bets) if not self.reason else Watch.of(1))

    def test(self) -> BettingTest:
        """Whose null is that losses have not changed."""
        return BettingTest(0.0, 1.0, self.bound, "greater" if self.direction == "worse" else "less")

    def _unwatchable(self) -> str:
        if 0 < self.bound < 1:
            return ""
        if self.direction == "worse":
            return f"losses of {self.mean:.3g} on average, {self.bound - self.mean:.3g} of tolerance: none can be worse"
        return f"losses of {self.mean:.3g} on average leave no room to become {self.mean - self.bound:.3g} better"


class RiskState(msgspec.Struct, frozen=True):
    """How far a monitor of losses has come, as a value: keep it, go on from it; nothing else is the state."""

    clock: Clock
    watch: Watch


def observe(monitor: RiskDrift, state: RiskState, at: Ints, losses: Floats) -> tuple[RiskState, Measurement]:
    """After `losses` in the order in which their labels came, at the moments `at`, and what that says.

    Each answer may count once, with the first label it got; a revised label changes nothing that was said. Losses that
    are no numbers from 0 to 1 leave the state as it is and are told as ``broken``. Raises BadInput where moments are
    none, or not one per loss.

    >>> import numpy as np
    >>> monitor = RiskDrift.of(np.tile([0.0] * 9 + [1.0], 200), FalseAlarms())
    >>> state, found = observe(monitor, monitor.start(Micros(0)), np.arange(1, 31) * 3_600_000_000, np.ones(30))
    >>> found.standing.value, found.alarms[0] // 3_600_000_000
    ('alarm', 5)
    """
    check_moments(at, len(losses))
    if monitor.reason:
        return state, _said(monitor, state, Standing.UNDECIDED, reason=monitor.reason)
    if reason := _fault(losses):
        return state, _said(monitor, state, Standing.BROKEN, reason=reason)
    test, watch = monitor.test(), state.watch
    alarms: list[int] = []
    for rows, joins, is_new in steps(monitor.policy, state.clock, at, watch.seen):
        if is_new:
            watch = watch.renewed()
        watch, places = watch.moved(test.gains(losses[rows]), joins, monitor.limit)
        alarms.extend(rows.start + each for each in places)
    state = RiskState(state.clock.moved(at), watch)
    standing = Standing.ALARM if alarms else Standing.STEADY
    return state, _said(monitor, state, standing, alarms=tuple(Micros(int(at[each])) for each in alarms), rows=len(at))


def _said(
    monitor: RiskDrift,
    state: RiskState,
    standing: Standing,
    *,
    reason: str = "",
    alarms: tuple[Micros, ...] = (),
    rows: int = 0,
) -> Measurement:
    return Measurement(
        monitor=monitor.name,
        member="loss",
        standing=standing,
        reason=reason,
        alarms=alarms,
        level=state.watch.level,
        limit=monitor.limit,
        observations=rows,
    )


def _fault(losses: Floats) -> str:
    """What is wrong with these losses, in words; empty where nothing is."""
    bad = int((~((losses >= 0) & (losses <= 1))).sum())
    return f"{bad:,} of {len(losses):,} losses are no numbers from 0 to 1" if bad else ""


def _half_width(losses: Floats, mean: float) -> float:
    """Of the normal interval of the mean; not below what as many rows without any loss would have (Wilson 1927)."""
    z = quantile_of(CONFIDENCE)
    least = z * z / (len(losses) + z * z)
    return max(z * (standard_error(losses - mean) or 0.0), least)
