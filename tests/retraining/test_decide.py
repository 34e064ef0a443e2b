"""What becomes of a run after what each stage came to."""

from typing import Any

import msgspec
import pytest

from headgate.retraining.decide import (
    PATIENCE,
    PATIENCE_WITH,
    Refused,
    Registered,
    Said,
    asked_again,
    asks_again,
    decide,
    superseded,
)
from headgate.retraining.ports import Doing, Progress, Rolled, Rolling
from headgate.retraining.run import Cutting, Firing, Learning, Outcome, Probed, Proved, Run, Source, Stage
from headgate.vocabulary import DAY, Digest, Micros

NOW = Micros(50 * DAY)
CUT = Cutting(
    digest=Digest("sha256:0"), choice="everything", why="most rows", as_of=NOW, end=Micros(40 * DAY), rows=900
)
PROVED = Proved(outcome="passed", may_promote=True, why="it loses less", rows=300, at=NOW)
PROBED = Probed(verdict="undecided", why="it goes on", rows=10, at=NOW)


def a_run(stage: Stage, **more: Any) -> Run:
    firing = Firing(at=Micros(0), source=Source.ALARM, why="risk")
    run = Run(
        endpoint="late", number=1, fired=Micros(0), firings=(firing,), champion="late:1", stage=stage, entered=NOW
    )
    return msgspec.structs.replace(run, **({"cut": CUT, "challenger": "late:2"} | more))


def rolled(doing: Rolling) -> Rolled:
    return Rolled(number=3, doing=doing, at=NOW, why="guards said so")


@pytest.mark.parametrize(
    ("stage", "said", "after"),
    [
        (Stage.CUTTING, CUT, Stage.LEARNING),
        (Stage.LEARNING, Progress(doing=Doing.RUNNING), Stage.LEARNING),
        (Stage.LEARNING, Progress(doing=Doing.LEARNED, learned=Learning(model="out/m.onnx")), Stage.REGISTERING),
        (Stage.REGISTERING, Registered("late:2"), Stage.PROVING),
        (Stage.PROVING, PROVED, Stage.ROLLING_OUT),
        (Stage.ROLLING_OUT, rolled(Rolling.RUNNING), Stage.ROLLING_OUT),
        (Stage.ROLLING_OUT, rolled(Rolling.WAITING), Stage.ROLLING_OUT),
        (Stage.ROLLING_OUT, rolled(Rolling.PROMOTED), Stage.PROBATION),
        (Stage.PROBATION, PROBED, Stage.PROBATION),
        (Stage.LEARNING, Refused("busy", passing=True), Stage.LEARNING),
    ],
)
def test_a_run_goes_on(stage: Stage, said: Said, after: Stage) -> None:
    found = decide(a_run(stage), said, NOW)
    assert (found.stage, found.outcome) == (after, None)


@pytest.mark.parametrize(
    ("stage", "said", "outcome", "says"),
    [
        (Stage.CUTTING, Refused("rows: there are 12", passing=False), Outcome.FAILED, "rows: there are 12"),
        (Stage.LEARNING, Progress(doing=Doing.FAILED, why="it raised"), Outcome.FAILED, "the recipe: it raised"),
        (Stage.LEARNING, Progress(doing=Doing.LEARNED), Outcome.FAILED, "left no model"),
        (Stage.LEARNING, Progress(doing=Doing.CANCELLED), Outcome.CANCELLED, "cancelled"),
        (Stage.REGISTERING, Refused("another contract", passing=False), Outcome.FAILED, "another contract"),
        (
            Stage.PROVING,
            msgspec.structs.replace(PROVED, may_promote=False, outcome="failed", why="it loses more"),
            Outcome.KEPT_CHAMPION,
            "it loses more",
        ),
        (Stage.ROLLING_OUT, rolled(Rolling.ROLLED_BACK), Outcome.KEPT_CHAMPION, "rollout 3 rolled back: guards"),
        (Stage.ROLLING_OUT, rolled(Rolling.ABORTED), Outcome.KEPT_CHAMPION, "rollout 3 was aborted"),
        (Stage.PROBATION, msgspec.structs.replace(PROBED, verdict="keep", over=True), Outcome.PROMOTED, "it goes on"),
        (Stage.PROBATION, Refused("gone", passing=False), Outcome.PROMOTED, "could not be judged"),
    ],
)
def test_a_run_ends_with_its_reason(stage: Stage, said: Said, outcome: Outcome, says: str) -> None:
    found = decide(a_run(stage), said, NOW)
    assert (found.stage, found.outcome) == (Stage.ENDED, outcome)
    assert says in found.why


def test_what_may_pass_is_tried_for_a_while() -> None:
    busy = Refused("busy", passing=True)
    run = a_run(Stage.PROVING)
    assert decide(run, busy, Micros(NOW + PATIENCE - 1)) is run
    assert decide(run, busy, Micros(NOW + PATIENCE)).outcome is Outcome.FAILED
    waiting = a_run(Stage.CUTTING)
    assert decide(waiting, busy, Micros(NOW + PATIENCE)) is waiting
    assert decide(waiting, busy, Micros(NOW + PATIENCE_WITH[Stage.CUTTING])).outcome is Outcome.FAILED


def test_taking_back_is_said_first_and_done_then() -> None:
    back = msgspec.structs.replace(PROBED, verdict="take_back", why="it loses more")
    said = decide(a_run(Stage.PROBATION, promoted=NOW), back, NOW)
    assert (said.stage, said.probed) == (Stage.PROBATION, back)
    assert decide(said, back, NOW).outcome is Outcome.TAKEN_BACK
    done = superseded(said, "late:1", NOW)  # whoever did it was killed before it was kept
    assert done is not None
    assert done.outcome is Outcome.TAKEN_BACK


def test_somebody_else_who_changes_who_answers_ends_it() -> None:
    assert superseded(a_run(Stage.LEARNING), "late:1", NOW) is None
    for run in (a_run(Stage.LEARNING), a_run(Stage.PROBATION, promoted=NOW)):
        found = superseded(run, "late:7", NOW)
        assert found is not None
        assert found.outcome is Outcome.SUPERSEDED


def test_labels_that_come_later_reopen_a_proof_that_was_undecided() -> None:
    unsure = msgspec.structs.replace(PROVED, outcome="undecided", may_promote=False)
    kept = decide(a_run(Stage.PROVING), unsure, NOW)
    tomorrow = Micros(NOW + DAY)
    assert not asks_again(kept, "late:1", Micros(tomorrow - 1))
    assert not asks_again(kept, "late:3", tomorrow)
    assert not asks_again(kept, "late:1", Micros(NOW + 31 * DAY))
    assert asks_again(kept, "late:1", tomorrow)
    noted = asked_again(kept, 599, tomorrow)
    assert noted.ended
    assert not asks_again(noted, "late:1", Micros(tomorrow + DAY - 1))
    reopened = asked_again(kept, 600, tomorrow)
    assert (reopened.stage, reopened.outcome) == (Stage.PROVING, None)
    assert "600 labels" in reopened.history[-1].why
    beside_the_anchor = decide(a_run(Stage.PROVING), msgspec.structs.replace(unsure, outcome="passed"), NOW)
    assert asks_again(beside_the_anchor, "late:1", tomorrow)
    failed = decide(a_run(Stage.PROVING), msgspec.structs.replace(unsure, outcome="failed"), NOW)
    assert not asks_again(failed, "late:1", tomorrow)


def test_labels_that_come_after_probation_may_take_it_back() -> None:
    promoted = a_run(Stage.PROBATION, promoted=Micros(45 * DAY))
    over = decide(promoted, msgspec.structs.replace(PROBED, verdict="keep", over=True), NOW)
    week = Micros(NOW + 7 * DAY)
    assert not asks_again(over, "late:2", Micros(week - 1))
    assert asks_again(over, "late:2", week)
    assert asked_again(over, PROBED, week).ended
    back = msgspec.structs.replace(PROBED, verdict="take_back", why="it loses more after all")
    again = asked_again(over, back, week)
    assert (again.stage, again.outcome, again.probed) == (Stage.PROBATION, None, back)
    assert decide(again, back, week).outcome is Outcome.TAKEN_BACK
