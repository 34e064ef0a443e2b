"""Holes, fields that stopped changing, age, copies, and changes of schema."""

import numpy as np
import pyarrow as pa
import pytest

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import BadInput
from headgate.monitors.quality.freshness import Staleness, duplicates, staleness
from headgate.monitors.quality.missing import missingness, stuck
from headgate.monitors.quality.schema import Change, schema_changes
from headgate.monitors.standing import broken
from headgate.vocabulary import SECOND, Micros


def contract(*rates: float) -> Contract:
    fields = (Field(f"f{place}", Kind.NUMBER, nullable=True, expected_missing=rate) for place, rate in enumerate(rates))
    return Contract(tuple(fields))


def test_missing_values_are_compared_with_what_the_contract_expects() -> None:
    table = pa.table({"f0": pa.array([None] * 30 + [1.0] * 70), "f1": pa.array([float("nan")] * 30 + [1.0] * 70)})
    more, same = missingness(contract(0.3, 0.05), table)
    assert (more.field, more.share.value, more.changed) == ("f1", 0.3, True)
    assert more.excess.value == pytest.approx(0.25)
    assert (same.field, same.changed) == ("f0", False)
    assert same.excess.value == pytest.approx(0.0)


def test_a_column_that_is_gone_is_missing_everywhere() -> None:
    [found] = missingness(contract(0.0), pa.table({"other": [1, 2, 3]}))
    assert found.share.value == 1.0
    assert found.changed is True


def test_a_window_without_rows_is_undecided() -> None:
    [found] = missingness(contract(0.1), pa.table({"f0": pa.array([], pa.float64())}))
    assert found.changed is None
    assert found.excess.value is None
    assert found.excess.reason == "there are no rows"


def test_a_small_reference_widens_what_is_expected() -> None:
    table = pa.table({"f0": pa.array([None] * 120 + [1.0] * 880)})
    [exact] = missingness(contract(0.1), table)
    [rough] = missingness(contract(0.1), table, reference_rows=100)
    assert rough.excess.low is not None
    assert exact.excess.low is not None
    assert rough.excess.low < exact.excess.low


def test_of_many_fields_that_are_as_expected_few_windows_have_one_called_changed() -> None:
    draw = np.random.default_rng(71)
    fields, runs, called = contract(*[0.1] * 20), 200, 0
    for _ in range(runs):
        reference = draw.random((2000, 20)) < 0.1
        here = draw.random((500, 20)) < 0.1
        own = contract(*reference.mean(axis=0).tolist())
        table = pa.table({f"f{place}": pa.array(np.ones(500), mask=here[:, place]) for place in range(20)})
        called += any(each.changed for each in missingness(own, table, reference_rows=2000))
    assert len(fields.fields) == 20
    # 5 % plus three standard errors of 200 runs.
    assert called / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_field_that_stopped_changing_is_stuck() -> None:
    before = pa.table({"a": [1, 2, 3], "b": ["x", "y", "x"], "c": [1, 1, 1], "d": [[1], [2], [3]]})
    after = pa.table({"a": [5, 5, 5], "b": [None, None, None], "c": [1, 1, 1], "d": [[1], [1], [1]]})
    assert [each.field for each in stuck(before, after)] == ["a", "b"]
    assert stuck(before, after.slice(0, 1)) == ()
    views = pa.table({"b": pa.array(["z"] * 3, pa.string_view())})
    assert [each.field for each in stuck(before, views)] == ["b"]


def stale(newest: int | None, now: int, promised_s: float | None = None) -> bool | None:
    found = staleness(None if newest is None else Micros(newest * SECOND), Micros(now * SECOND), promised_s)
    assert isinstance(found, Staleness)
    return found.stale


def test_silence_is_stale_once_it_is_longer_than_promised() -> None:
    assert stale(0, 60, promised_s=60) is False
    assert stale(0, 61, promised_s=60) is True
    assert stale(None, 0, promised_s=60) is True
    assert stale(None, 0) is None


def test_an_input_from_the_future_tells_of_a_wrong_clock() -> None:
    near = staleness(Micros(5 * SECOND), Micros(0), promised_s=60)
    assert isinstance(near, Staleness)
    assert (near.age_s, near.stale) == (0.0, False)
    assert staleness(Micros(3600 * SECOND), Micros(0), promised_s=60) == broken(
        "the newest input lies 3,600 s in the future: a clock is wrong, so nobody knows its age"
    )


def test_copies_are_counted_beyond_the_first_of_each() -> None:
    table = pa.table({"id": [1, 2, 3, 4, 5], "a": [1.0, 1.0, None, None, 2.0], "b": ["x", "x", "x", "x", "x"]})
    whole = duplicates(table)
    assert (whole.share.value, whole.most) == (0.0, 1)
    some = duplicates(table, ["a", "b"])
    assert (some.share.value, some.most, some.by) == (0.4, 2, ("a", "b"))


def test_what_cannot_be_compared_is_named() -> None:
    kinds = pa.table({"a": pa.array(["x", "x"], pa.string_view()), "b": pa.nulls(2), "c": pa.array([b"", b""])})
    assert duplicates(kinds).share.value == 0.5
    lists = duplicates(pa.table({"v": [[1.0], [1.0]]}))
    assert (lists.share.value, lists.share.reason, lists.left_out) == (None, "no column can be compared", ("v",))
    empty = duplicates(pa.table({"a": pa.array([], pa.int64())}))
    assert empty.share.reason == "there are no rows"
    with pytest.raises(BadInput, match="no column 'b'"):
        duplicates(pa.table({"a": [1]}), ["b"])


def test_schema_changes_are_named_column_by_column() -> None:
    before = pa.schema({"a": pa.int64(), "b": pa.string(), "c": pa.float64()})
    after = pa.schema({"c": pa.float64(), "a": pa.int64(), "d": pa.bool_()})
    found = {(each.column, each.change): each.sentence for each in schema_changes(before, after)}
    assert found == {
        ("b", Change.GONE): "was string and is gone",
        ("d", Change.NEW): "is new, a bool",
        ("a", Change.MOVED): "was column 1 of those both have and is column 2",
        ("c", Change.MOVED): "was column 2 of those both have and is column 1",
    }
    narrowed = schema_changes(before, before.set(0, pa.field("a", pa.int32())))
    assert [(each.column, each.change) for each in narrowed] == [("a", Change.TYPE)]


def test_how_texts_are_stored_is_no_change() -> None:
    kinds = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
    for each in kinds:
        assert schema_changes(pa.schema({"a": kinds[0]}), pa.schema({"a": each})) == ()
