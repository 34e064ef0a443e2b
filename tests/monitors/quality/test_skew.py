"""The same rows by two roads: which fields differ, how often and by how much."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from headgate.errors import BadInput
from headgate.monitors.quality.skew import FieldSkew, Skew, skew

TRAINING = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "fare": [10.0, 20.0, None, 40.0, 50.0],
        "class": ["eco", "eco", "biz", "biz", None],
        "wait": [1, 2, 3, 4, 5],
        "older": [0] * 5,
    }
)


def serving(**changes: Sequence[object]) -> pa.Table:
    kept = ("id", "fare", "class", "wait")
    columns: dict[str, Sequence[object]] = {name: TRAINING[name].to_pylist() for name in kept}
    return pa.table({**columns, **changes, "newer": [1] * 5})


def field(found: Skew, name: str) -> FieldSkew:
    return next(each for each in found.fields if each.field == name)


def test_the_same_rows_in_another_order_do_not_differ() -> None:
    found = skew(TRAINING, serving().take([4, 2, 0, 1, 3]), ["id"])
    assert found.rows == 5
    assert [each.differing.value for each in found.fields] == [0.0, 0.0, 0.0]
    assert (found.only_training, found.only_serving) == (("older",), ("newer",))
    assert (found.unmatched, found.repeated) == ((0, 0), (0, 0))


def test_differences_of_numbers_are_counted_and_measured() -> None:
    found = skew(TRAINING, serving(fare=[10.0 + 1e-9, 200.0, 3.0, None, 50.0]), ["id"])
    fare = field(found, "fare")
    assert (fare.differing.value, fare.missing) == (0.6, 2)
    assert fare.largest_shift == 180.0
    assert fare.mean_shift == pytest.approx(60.0)
    assert found.fields[0] is fare


def test_a_missing_value_is_the_same_as_nan() -> None:
    found = skew(TRAINING, serving(fare=[10.0, 20.0, float("nan"), 40.0, 50.0]), ["id"])
    assert field(found, "fare").differing.value == 0.0


def test_a_float_of_32_bits_is_the_same_number() -> None:
    table = serving()
    place = table.column_names.index("fare")
    narrow = table.set_column(place, "fare", table["fare"].cast(pa.float32()))
    assert field(skew(TRAINING, narrow, ["id"]), "fare").differing.value == 0.0


def test_names_that_were_swapped_are_shown() -> None:
    other = serving(**{"class": ["ECO", "ECO", "biz", None, None]})
    found = field(skew(TRAINING, other, ["id"], named=["class"]), "class")
    assert (found.differing.value, found.missing) == (0.6, 1)
    assert found.swaps == (("eco", "ECO", 2),)


def test_numbers_that_became_texts_are_compared_as_they_are_written() -> None:
    found = field(skew(TRAINING, serving(wait=["1", "2", "3", "4", "five"]), ["id"]), "wait")
    assert found.differing.value == 0.2
    # Nobody said that its values may be shown.
    assert found.swaps == ()


def test_tables_of_string_views_are_compared_too() -> None:
    table = serving(**{"class": ["ECO", "eco", "biz", "biz", None]})
    for name in ("id", "class"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(table[name].to_pylist(), pa.string_view()))
    assert field(skew(TRAINING, table, ["id"]), "class").differing.value == 0.2


def test_keys_on_one_side_or_twice_are_left_out_and_counted() -> None:
    found = skew(TRAINING, serving(id=["a", "a", "c", "d", "z"]), ["id"])
    assert found.rows == 2
    assert found.unmatched == (3, 1)
    assert found.repeated == (0, 1)


def test_nothing_in_common_has_no_share() -> None:
    found = skew(TRAINING, serving(id=["v", "w", "x", "y", "z"]), ["id"])
    assert found.rows == 0
    assert field(found, "fare").differing.value is None
    assert field(found, "fare").mean_shift is None


def test_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="the serving table has no column 'older'"):
        skew(TRAINING, serving(), ["older"])
    lists = TRAINING.append_column("v", [[[1]] * 5])
    with pytest.raises(BadInput, match="lists or bytes in 'v'"):
        skew(lists, lists, ["v"])
    with pytest.raises(BadInput, match="name a column"):
        skew(TRAINING, serving(), [])
