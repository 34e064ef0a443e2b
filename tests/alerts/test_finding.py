"""A finding is told apart by what it is about, and refused by field and rule where it cannot be told."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.samples import finding, full

from headgate.alerts.finding import Figure, Finding, Link, Severity, checked, key_of
from headgate.errors import BadInput


def test_what_is_about_the_same_has_one_key_whatever_else_it_says() -> None:
    first = finding()
    other = finding(Severity.CRITICAL, at=99, what="they moved more", cause="x", advice="y", until=7)
    assert first.key == other.key
    about = [first, finding(project="p"), finding(endpoint="e"), finding(monitor="m"), finding(subject="distance")]
    assert len({each.key for each in about}) == 5


@given(st.tuples(*[st.text(max_size=3)] * 4), st.tuples(*[st.text(max_size=3)] * 4))
def test_no_two_subjects_run_into_each_other(one: Any, other: Any) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)


def test_a_finding_survives_its_record() -> None:
    assert msgspec.json.decode(msgspec.json.encode(full()), type=Finding) == full()
    assert checked(full()) == full()


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"project": "P"}, "project"),
        ({"endpoint": ""}, "endpoint"),
        ({"monitor": " "}, "monitor"),
        ({"what": "\n"}, "what"),
        ({"what": "x" * 301}, "what"),
        ({"cause": "caf\udce9"}, "cause"),
        ({"at": -1}, "at"),
        ({"until": 1 << 62}, "until"),
        ({"evidence": (Figure("a", "1"),) * 51}, "evidence"),
        ({"evidence": (Figure("a", "1"), Figure("a", "1" * 201))}, "evidence[1].value"),
        ({"links": (Link("a", "https://a"),) * 21}, "links"),
        ({"links": (Link("a", "javascript:alert(1)"),)}, "links[0].url"),
        ({"links": (Link("a", "https://a|<!channel>"),)}, "links[0].url"),
        ({"links": (Link("a", "https://[::1/x"),)}, "links[0].url"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(words: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked(finding(**words))
    assert refused.value.field == field


def test_severities_are_in_order() -> None:
    assert [each.value for each in Severity] == ["info", "warning", "critical"]
    for at, each in enumerate(Severity):
        assert [each.reaches(least) for least in Severity] == [place <= at for place in range(3)]
