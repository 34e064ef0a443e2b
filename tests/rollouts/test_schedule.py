"""The hours in which a rollout may go forward: by the clock of a zone, summer time and all."""

from datetime import UTC, datetime

import pytest

from headgate.errors import BadInput
from headgate.rollouts.decide import decide
from headgate.rollouts.plan import Analysis, Plan, Shadow
from headgate.rollouts.schedule import Schedule, read_schedule
from headgate.rollouts.state import Action, Move, begin, moved
from headgate.vocabulary import Micros, Verdict

OFFICE = read_schedule("mon-fri", "9-17", "Europe/Berlin")


def moment(text: str) -> Micros:
    return Micros(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000))


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-01-05T07:59", False),
        ("2026-01-05T08:00", True),
        ("2026-01-05T15:59", True),
        ("2026-01-05T16:00", False),
        ("2026-07-06T07:00", True),
        ("2026-07-06T15:00", False),
        ("2026-01-04T10:00", False),
    ],
)
def test_hours_are_those_of_the_zone(at: str, allowed: bool) -> None:
    assert OFFICE.allows(moment(at)) is allowed


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat,sun", (5, 6)),
        ("fri-mon", (0, 4, 5, 6)),
        ("wed", (2,)),
        ("mon,mon-tue", (0, 1)),
    ],
)
def test_days_are_read_as_they_are_said(days: str, found: tuple[int, ...]) -> None:
    assert read_schedule(days, "0-24", "UTC") == Schedule(found, 0, 24 * 60)


@pytest.mark.parametrize(
    ("days", "hours", "zone", "field"),
    [
        ("monday", "9-17", "UTC", "days"),
        ("", "9-17", "UTC", "days"),
        ("mon-", "9-17", "UTC", "days"),
        ("mon", "17-9", "UTC", "hours"),
        ("mon", "9-9", "UTC", "hours"),
        ("mon", "9-25", "UTC", "hours"),
        ("mon", "9:70-17", "UTC", "hours"),
        ("mon", "all day", "UTC", "hours"),
        ("mon", "9-17", "Mars/Olympus", "zone"),
        ("mon", "9-17", "../../etc/passwd", "zone"),
    ],
)
def test_what_is_no_schedule_is_named(days: str, hours: str, zone: str, field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_schedule(days, hours, zone)
    assert refusal.value.field == field


def test_outside_its_hours_a_rollout_only_goes_back() -> None:
    plan = Plan(endpoint="late", candidate="m:2", steps=(Shadow(1.0), Analysis()), schedule=OFFICE)
    night, morning = moment("2026-01-05T03:00"), moment("2026-01-05T09:00")
    state = moved(plan, begin(plan, night), Move(Action.STEP, night, ""))
    assert decide(plan, state, Verdict.PROMOTE, night) is None
    back = decide(plan, state, Verdict.ROLL_BACK, night)
    assert back is not None
    assert back.action is Action.ROLL_BACK
    on = decide(plan, state, Verdict.PROMOTE, morning)
    assert on is not None
    assert on.action is Action.STEP
