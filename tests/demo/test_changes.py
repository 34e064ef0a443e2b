"""What the loop did to a model: how long anything waited for a person, which rollbacks were false, runs as rows."""

import pytest

from headgate.demo.changes import Rollback, run_row, waited_minutes
from headgate.retraining.run import Firing, Outcome, Run, Source
from headgate.rollouts.plan import Analysis, Plan, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move
from headgate.vocabulary import HOUR, Micros

PLAN = Plan(endpoint="late", candidate="m:2", steps=(Shadow(1.0), Analysis()), guards=())


@pytest.mark.parametrize(
    ("moves", "hours"),
    [
        ((), 0),
        (((Action.STEP, 1), (Action.ROLL_BACK, 5)), 0),
        (((Action.HOLD, 2), (Action.PROMOTE, 5)), 3),
        (((Action.PAUSE, 2), (Action.RESUME, 3), (Action.HOLD, 4)), 1 + 6),
    ],
    ids=["never moved", "by itself", "held until somebody promotes", "paused, and held until the end"],
)
def test_what_waits_for_a_person_is_counted_in_event_time(moves: tuple[tuple[Action, int], ...], hours: int) -> None:
    history = tuple(Move(action, Micros(at * HOUR), "") for action, at in moves)
    rollout = Rollout(plan=PLAN, live="m:1", started=Micros(0), moves=history)
    assert waited_minutes([rollout], Micros(10 * HOUR)) == 60 * hours


def test_a_rollback_was_false_where_what_it_took_back_would_have_been_better() -> None:
    found = [Rollback("m:2", "m:1", Micros(0), "", gain).was_false for gain in (-0.01, 0.0, 0.01)]
    assert found == [False, False, True]


def test_a_run_is_a_row_with_why_it_began_and_how_it_ended() -> None:
    fired = Firing(at=Micros(0), source=Source.ALARM, why="risk: it errs")
    run = Run(endpoint="late", fired=Micros(0), firings=(fired,), champion="m:1")
    row = run_row(run.end(Outcome.FAILED, Micros(HOUR), "the recipe raised"))
    assert (row["why"], row["outcome"], row["said"]) == ("risk: it errs", "failed", "the recipe raised")
    assert (row["fired"], row["ended"]) == ("1970-01-01T00:00:00.000000Z", "1970-01-01T01:00:00.000000Z")
    assert (row["challenger"], row["rows"], row["promoted"]) == (None, None, None)
