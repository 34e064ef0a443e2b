"""Which inputs wait for a person: found in the journal, drawn the same whoever asks."""

import uuid
from typing import Any

import pyarrow as pa
import pytest

from headgate.journal.tables import MOMENT
from headgate.review.cases import Shares, Waiting, waiting
from headgate.vocabulary import SECOND

EVERYTHING = Shares(0.0, 0.0, "salt")


def row(place: int, role: str | None, answered: str | None = None, rule: str | None = None) -> dict[str, Any]:
    return {"input_id": name(place), "at": place * SECOND, "role": role, "answered": answered, "refusal_rule": rule}


def name(place: int) -> str:
    return str(uuid.UUID(int=1 + place))


def table(rows: list[dict[str, Any]]) -> pa.Table:
    kinds = {"input_id": pa.string(), "at": pa.int64(), "role": pa.string(), "answered": pa.string()}
    kinds["refusal_rule"] = pa.string()
    found = pa.table({key: pa.array([each[key] for each in rows], kind) for key, kind in kinds.items()})
    return found.set_column(1, "at", found["at"].cast(MOMENT))


def asked(rows: list[dict[str, Any]], shares: Shares = EVERYTHING) -> list[int]:
    ids = [each.input_id for each in waiting(table(rows), shares)]
    return [place for id_ in ids for place in range(1000) if name(place) == id_]


@pytest.mark.parametrize(
    ("found", "waits"),
    [
        ([row(1, "shadow", "m:1")], True),
        ([row(1, "suggestion", "m:1")], True),
        ([row(1, "shadow", "")], True),
        ([row(1, None)], True),
        ([row(1, None, rule="range")], False),
        ([row(1, "live", "m:1")], False),
        ([row(1, "pinned", "m:1")], False),
        ([row(1, "shadow", "m:1"), row(1, "human", "ann")], False),
    ],
)
def test_what_people_decide_waits_until_somebody_did(found: list[dict[str, Any]], waits: bool) -> None:
    assert asked(found) == ([1] if waits else [])


def test_the_oldest_comes_first() -> None:
    assert asked([row(3, "shadow", "m:1"), row(1, "shadow", "m:1"), row(2, None)]) == [1, 2, 3]


def test_what_two_are_to_decide_waits_for_the_second() -> None:
    rows = [row(1, "shadow", "m:1"), row(1, "human", "ann")]
    (found,) = waiting(table(rows), Shares(1.0, 0.0, "salt"))
    assert found == Waiting(name(1), found.at, 2, frozenset({"ann"}), audit=False)
    assert asked([*rows, row(1, "human", "bob")], Shares(1.0, 0.0, "salt")) == []


def test_one_who_decides_twice_is_one() -> None:
    rows = [row(1, "shadow", "m:1"), row(1, "human", "ann"), row(1, "human", "ann")]
    assert asked(rows, Shares(1.0, 0.0, "salt")) == [1]


def test_a_share_of_what_the_model_decides_is_audited() -> None:
    rows = [row(place, "live", "m:1") for place in range(1000)]
    found = asked(rows, Shares(1.0, 0.2, "salt"))
    assert 150 < len(found) < 250
    assert found == asked(rows, Shares(0.0, 0.2, "salt")), "whatever else is asked"
    more = asked(rows, Shares(0.0, 0.4, "salt"))
    assert set(found) < set(more), "and more when more is asked"
    assert all(each.audit and each.people == 1 for each in waiting(table(rows), Shares(1.0, 0.2, "salt")))


def test_nothing_the_model_decided_waits_where_nobody_audits() -> None:
    assert asked([row(1, "shadow", "m:1"), row(2, "live", "m:1")], Shares(1.0, 0.0, "salt")) == [1]
