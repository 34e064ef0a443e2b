"""What the loop did to the flights' model, read from its runs and rollouts, and what of it was a mistake of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headgate.app.facade import Headgate
from headgate.contracts.tables import as_table
from headgate.demo.flights import FEATURES, Flights
from headgate.demo.replay import rfc3339
from headgate.retraining.run import Outcome, Run
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import DAY, SECOND, Micros

AFTERWARDS: Final = 28 * DAY
"""For so long two versions are held against each other, with all labels, to say whether a rollback was right."""
_WAITS: Final = (Action.PAUSE, Action.HOLD)
_GOES_ON: Final = (Action.RESUME, Action.PROMOTE, Action.ABORT, Action.STEP, Action.ROLL_BACK)


@dataclass(frozen=True, slots=True)
class Rollback:
    """A version that guards or a probation took back, and what turned out."""

    version: str
    instead: str
    """The version that was kept."""
    at: Micros
    why: str
    gain: float
    """By how much the Brier score of the version taken back was the lower one in the weeks that followed."""

    @property
    def was_false(self) -> bool:
        """Whether it took back what would have been better."""
        return self.gain > 0


def rollbacks(hg: Headgate, runs: Sequence[Run], rollouts: Sequence[Rollout], flights: Flights) -> list[Rollback]:
    """Every version that was taken back, by time."""
    back = [each for each in rollouts if each.state.phase is Phase.ROLLED_BACK]
    found = [(each.moves[-1].at, each.plan.candidate, each.live, each.state.why) for each in back]
    found += [(run.entered, run.challenger, run.champion, run.why) for run in runs if run.outcome is Outcome.TAKEN_BACK]
    return [
        Rollback(version, instead, at, why, _gain(hg, flights, at, (instead, version)))
        for at, version, instead, why in sorted(found)
    ]


def _gain(hg: Headgate, flights: Flights, at: Micros, kept_and_other: tuple[str, str]) -> float:
    after = flights.select((flights.at >= at) & (flights.at < at + AFTERWARDS) & ~np.isnan(flights.late))
    kept, other = (_brier(hg, each, after) for each in kept_and_other)
    return kept - other


def _brier(hg: Headgate, version: str, flights: Flights) -> float:
    """Mean squared error of a version's probability on flights that all have a label; 0 where there are none."""
    if not len(flights):
        return 0.0
    return float(((scores(hg, version, flights) - flights.late) ** 2).mean())


def scores(hg: Headgate, version: str, flights: Flights) -> NDArray[np.float64]:
    """The chance of being late that a registered version gives each flight."""
    model = predict_with(hg.registry.package(hg.registry.resolve(version)).path)
    said = model.predict(as_table(flights.features[list(FEATURES)])).scores
    model.close()
    return np.asarray(said, np.float64)[:, -1]


def waited_minutes(rollouts: Iterable[Rollout], end: Micros) -> float:
    """Minutes of event time in which a rollout waited for a person, until `end`."""
    whole = 0.0
    for each in rollouts:
        since: Micros | None = None
        for move in each.moves:
            if since is not None and move.action in _GOES_ON:
                whole += (move.at - since) / (60 * SECOND)
                since = None
            if move.action in _WAITS:
                since = since or move.at
        if since is not None:
            whole += (end - since) / (60 * SECOND)
    return whole


def run_row(run: Run) -> dict[str, Any]:
    """A run as programs read it."""
    return {
        "run": run.number,
        "fired": rfc3339(run.fired),
        "why": run.firings[0].why,
        "window": run.cut.choice if run.cut else None,
        "rows": run.cut.rows if run.cut else None,
        "champion": run.champion,
        "challenger": run.challenger or None,
        "outcome": run.outcome.value if run.outcome else None,
        "stage": run.stage.value,
        "promoted": None if run.promoted is None else rfc3339(run.promoted),
        "ended": None if run.over is None else rfc3339(run.over),
        "said": run.why or (run.history[-1].why if run.history else ""),
    }
