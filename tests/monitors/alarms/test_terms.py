"""One budget for all monitors of an endpoint: shared without a rest, and by nobody who is not in it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.monitors.alarms.seasons import Season
from headgate.monitors.alarms.terms import Budget, Terms

WORDS = "at most one per 90 days"
NAMES = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5, unique=True)


@given(NAMES, NAMES, st.data())
def test_all_monitors_segments_and_fields_together_alarm_as_often_as_one_may(
    monitors: list[str], segments: list[str], data: st.DataObject
) -> None:
    budget = Budget.of(WORDS, tuple(monitors), tuple(segments))
    rates = 0.0
    for name in budget.monitors:
        members = data.draw(st.integers(1, 200))
        rates += members * 90.0 / budget.limit(name, members)
    assert len(budget.monitors) == len(monitors) * len(segments)
    assert rates == pytest.approx(1.0)


def test_without_segments_the_usual_monitors_have_a_third_each() -> None:
    budget = Budget.of(WORDS)
    assert budget.monitors == ("risk", "input", "score")
    assert budget.limit("risk") == pytest.approx(270.0)
    assert budget.policy == FalseAlarms.read(WORDS)


def test_nobody_alarms_who_has_no_part() -> None:
    budget = Budget.of(WORDS, segments=("north",))
    with pytest.raises(BadInput, match="it is shared by risk of north, input of north, score of north"):
        budget.limit("risk")
    with pytest.raises(BadInput, match="no part in the budget"):
        Terms(budget).check("risk of south", None)


def test_a_budget_for_nobody_or_for_two_of_the_same_name_is_refused() -> None:
    with pytest.raises(BadInput, match="monitors: a budget needs"):
        Budget.of(WORDS, ())
    with pytest.raises(BadInput, match="different names"):
        Budget.of(WORDS, ("risk",), ("north", "north"))
    with pytest.raises(BadInput, match="false_alarms: says how often"):
        Budget.of("rarely")


def test_what_terms_need_is_named() -> None:
    budget = Budget.of(WORDS)
    with pytest.raises(BadInput, match="zone: must be an IANA time zone"):
        Terms(budget, zone="Nowhere").check("risk", None)
    with pytest.raises(BadInput, match="at: a season needs the moment"):
        Terms(budget, Season.HOUR_OF_DAY).check("risk", None)


def test_terms_come_back_from_where_they_were_kept() -> None:
    terms = Terms(Budget.of(WORDS, segments=("north", "south")), Season.HOUR_OF_WEEK, "Europe/Berlin", 7)
    assert msgspec.json.decode(msgspec.json.encode(terms), type=Terms) == terms
