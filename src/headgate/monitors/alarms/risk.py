"""Whether the model errs more than it did, by labels as they come: `RiskDrift`.

The loss of an answer is a number from 0 (right) to 1 (as wrong as can be): a 0-1 error, a Brier score, an error in the
unit of the label cut off at a stated size. What is watched is its mean, so that only what does harm raises an alarm: an
input may change all it likes while the losses do not. Podkopaev and Ramdas 2022, "Tracking the risk of a deployed
model and detecting harmful distribution shifts", with an e-detector for their test.
"""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.betting import BETS, BettingTest
from headgate.evidence.detector import EDetector, Watch
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Clock, Measurement, faulty, steps, unwatched
from headgate.monitors.alarms.losses import Direction, bounds_of, fault, shortfall, warnings_of
from headgate.monitors.alarms.terms import RISK, Terms
from headgate.monitors.standing import Shortfall, Standing, broken
from headgate.vocabulary import Micros, readable

LOSS: Final = "loss"
"""Name of the one member."""


@readable
class RiskDrift(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor of losses, fixed before it begins.

    >>> from headgate.monitors.alarms.terms import Budget
    >>> reference = np.tile([0.0] * 9 + [1.0], 200)
    >>> monitor = RiskDrift.of(reference, Terms(Budget.of("at most one per 90 days", (RISK,))))
    >>> monitor.mean, [round(each, 4) for each in monitor.bounds], monitor.limit
    (0.1, [0.1232], 90.0)
    >>> state, found = monitor.observe(monitor.start(Micros(0)), np.arange(1, 31) * 3_600_000_000, np.ones(30))
    >>> found[0].standing.value, found[0].alarms[0] // 3_600_000_000
    ('alarm', 5)
    """

    name: str
    terms: Terms
    direction: Direction = "worse"
    mean: float = 0.0
    """Of the reference's losses."""
    bounds: tuple[float, ...] = ()
    """Of each season, the mean beyond which losses have changed; none where nothing is watched."""
    warnings: tuple[str, ...] = ()
    """What the reference says against the stated rate."""
    shortfall: Shortfall | None = None
    """Why nothing is watched."""

    @classmethod
    def of(
        cls,
        losses: NDArray[Any],
        terms: Terms,
        *,
        at: Ints | None = None,
        tolerance: float | None = None,
        direction: Direction = "worse",
        name: str = RISK,
    ) -> "RiskDrift":
        """A monitor that compares with a reference's `losses`, in the order of their labels, at moments `at` if known.

        `tolerance` is in the unit of the loss; None takes 0.01, or 10 % of the reference's mean where that is less.
        With ``better`` an alarm says that losses have fallen by as much. It says at every look why it cannot compare,
        if so. Raises BadInput for what a person got wrong: a tolerance that is none, a name that has no part in the
        budget, a zone that is none, seasons without moments.
        """
        terms.check(name, at)
        if tolerance is not None and not 0 <= tolerance < 1:
            raise BadInput("tolerance", "range", "must lie between 0 and 1, in the unit of the loss")
        found = cls(name=name, terms=terms, direction=direction)
        if why := shortfall(losses, at):
            return msgspec.structs.replace(found, shortfall=why)
        values: Floats = losses.astype(np.float64)
        seasons = np.zeros(len(values), np.int64) if at is None else terms.seasons_of(at)
        bounds = bounds_of(values, seasons, terms.season.size, tolerance, direction)
        if isinstance(bounds, Shortfall):
            return msgspec.structs.replace(found, shortfall=bounds)
        warnings = warnings_of(values, at, seasons, terms.season.size)
        return msgspec.structs.replace(found, mean=float(values.mean()), bounds=bounds, warnings=warnings)

    @property
    def limit(self) -> float:
        """Where the level raises an alarm."""
        return self.terms.budget.limit(self.name)

    def start(self, began: Micros) -> "RiskState":
        """Nothing speaks for a change; time counts from `began`, the moment from which losses are handed over."""
        return RiskState(Clock.at(began), Watch.of(BETS))

    def observe(
        self, state: "RiskState", at: Ints, losses: NDArray[Any]
    ) -> tuple["RiskState", tuple[Measurement, ...]]:
        """The state after `losses` in the order in which labels came, at the moments `at`, and what is said of them.

        Each answer may count once, with the first label it got; a revised label changes nothing that was said. Losses
        that are no numbers from 0 to 1 are told as ``broken``, and the state stays as it was.
        """
        if self.shortfall is not None:
            return state, (unwatched(self.name, LOSS, self.shortfall),)
        if why := faulty(at, len(losses)) or fault(losses, len(at)) or _foreign(state):
            return state, (unwatched(self.name, LOSS, broken(why)),)
        detector, watch = EDetector(self._test(), self.limit), state.watch
        values: Floats = losses + self._shifts()[self.terms.seasons_of(at)]
        alarms: list[int] = []
        for rows, joins, is_new in steps(self.terms.budget.policy, state.clock, at):
            if is_new:
                watch = watch.renewed()
            watch, places = detector.update(watch, values[rows], joins)
            alarms += [rows.start + each for each in places]
        state = RiskState(state.clock.moved(at), watch)
        return state, (self._said(state, at, alarms),)

    def _shifts(self) -> Floats:
        """What is added to the losses of each season, so that one bound holds for all: the one that is hardest to pass.

        So a stake is no larger than every season allows: 0.9 / (the largest bound) where harm is watched.
        """
        bounds = np.array(self.bounds)
        hardest = bounds.max() if self.direction == "worse" else bounds.min()
        shifts: Floats = hardest - bounds
        return shifts

    def _test(self) -> BettingTest:
        """Whose null is that shifted losses have not changed."""
        shifts = self._shifts()
        if self.direction == "worse":
            return BettingTest(0.0, 1.0 + float(shifts.max()), max(self.bounds), "greater")
        return BettingTest(float(shifts.min()), 1.0, min(self.bounds), "less")

    def _said(self, state: "RiskState", at: Ints, alarms: list[int]) -> Measurement:
        return Measurement(
            monitor=self.name,
            member=LOSS,
            standing=Standing.ALARM if alarms else Standing.STEADY,
            alarms=tuple(Micros(int(at[each])) for each in alarms),
            level=state.watch.level,
            limit=self.limit,
            joined=state.clock.joined(self.terms.budget.policy),
            observations=len(at),
            warnings=self.warnings,
        )


@readable
class RiskState(msgspec.Struct, frozen=True):
    """How far a monitor of losses has come, as a value: keep it, go on from it; nothing else is the state."""

    clock: Clock
    watch: Watch


def _foreign(state: RiskState) -> str:
    return "" if len(state.watch.held) == BETS else "the state is of another monitor; start this one anew"
