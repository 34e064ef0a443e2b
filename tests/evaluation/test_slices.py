"""Which slice a row belongs to, and in which order slices are shown."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.slices import MISSING, OTHERS, Slice, groups, worst_first
from headgate.vocabulary import Task


def test_categories_truth_values_and_few_numbers_are_slices_as_they_are() -> None:
    assert groups(np.array(["UA", "AA", "UA"])).names == ("AA", "UA")
    assert groups(np.array(["UA", "AA", "UA"])).codes.tolist() == [1, 0, 1]
    assert groups([True, False]).names == ("false", "true")
    assert groups([True, None]).names == (MISSING, "true")
    assert groups([3, 1, 3]).names == ("1", "3")
    assert groups([3.5, 1, None]).names == ("1", "3.5", MISSING)
    assert groups(["a", 3]).names == ("3", "a")
    assert groups([10**400, 3]).names == (f"{10**400}", "3")
    assert groups(np.array([np.int64(3), np.float64(1.5)], dtype=object)).names == ("1.5", "3")


def test_numbers_are_cut_into_ranges_of_equal_size() -> None:
    cut = groups(np.arange(1000.0))
    assert np.bincount(cut.codes).tolist() == [250] * 4
    assert cut.names[0] == "0 to 249.75"


def test_a_number_on_an_edge_belongs_to_the_range_it_begins() -> None:
    cut = groups(np.arange(101.0))
    assert [cut.names[cut.codes[value]] for value in (0, 25, 100)] == ["0 to 25", "25 to 50", "75 to 100"]


def test_a_number_that_is_mostly_one_value_gets_fewer_ranges() -> None:
    cut = groups(np.concatenate((np.zeros(900), np.arange(1.0, 101))))
    assert len(cut.names) < 4
    assert cut.codes.max() == len(cut.names) - 1


def test_missing_numbers_have_a_slice_of_their_own() -> None:
    cut = groups(np.concatenate((np.arange(40.0), [np.nan] * 3)))
    assert cut.names[-1] == MISSING
    assert cut.codes[-3:].tolist() == [4, 4, 4]


def test_moments_are_cut_by_time() -> None:
    days = np.arange("2013-01-01", "2013-04-11", dtype="datetime64[D]")
    cut = groups(days)
    assert cut.names[0] == "2013-01-01T00:00:00 to 2013-01-25T18:00:00"
    assert np.bincount(cut.codes).tolist() == [25] * 4
    assert groups(np.array(["2013-01-01", "NaT"], dtype="datetime64[D]")).names == ("2013-01-01", MISSING)


@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=-5))])
def test_moments_are_cut_by_time_however_a_table_spells_them(zone: tzinfo | None) -> None:
    """The registry reads a column as Python's own values."""
    begin = datetime(2013, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(hours=each) for each in range(100)]
    spelled = [each.replace(tzinfo=None) if zone is None else each.astimezone(zone) for each in moments]
    cut = groups(np.array([*spelled, None], dtype=object))
    assert cut.names[0] == "2013-01-01T00:00:00 to 2013-01-02T00:45:00"
    assert cut.names[-1] == MISSING
    assert np.bincount(cut.codes).tolist() == [25, 25, 25, 25, 1]


def test_days_are_moments_and_decimals_are_numbers() -> None:
    days = groups(np.array([date(2013, 1, 1) + timedelta(days=each) for each in range(40)], dtype=object))
    assert np.bincount(days.codes).tolist() == [10] * 4
    money = groups(np.array([Decimal(each) / 4 for each in range(40)], dtype=object))
    assert money.names[0] == "0 to 2.4375"
    assert np.bincount(money.codes).tolist() == [10] * 4


def test_infinite_numbers_belong_to_the_outermost_ranges() -> None:
    cut = groups(np.array([*range(40), np.inf, -np.inf]))
    assert len(cut.names) == 4
    assert (cut.codes[-2], cut.codes[-1]) == (3, 0)
    assert not any("inf" in each or "nan" in each for each in cut.names)


def test_rare_categories_share_a_slice() -> None:
    values = [f"k{each:03}" for each in range(200)] + ["k007"] * 5
    cut = groups(values)
    assert len(cut.names) == 50
    assert cut.names[-1] == OTHERS
    assert cut.names[cut.codes[-1]] == "k007"
    assert (cut.codes == 49).sum() == 200 - 49


@pytest.mark.parametrize("make", [list, np.array, pd.Series, pa.array])
def test_columns_of_every_maker_are_read(make: Any) -> None:
    assert groups(make(["b", "a"])).names == ("a", "b")


numbers: list[st.SearchStrategy[Any]] = [
    st.floats(),
    st.floats(width=32),
    st.integers(-(2**62), 2**62),
    st.sampled_from([0.0, 1.5, np.inf, -np.inf]),
]
columns_of_numbers = st.sampled_from(numbers).flatmap(lambda each: st.lists(st.none() | each, min_size=1, max_size=60))


@given(columns_of_numbers)
@example([float(each) for each in range(50)] + [np.inf] * 3)
@example([2**62 + each for each in range(50)])
@example([1e308, -1e308, *range(20)])
def test_every_row_is_in_exactly_one_slice(values: list[float | None]) -> None:
    cut = groups(values)
    assert len(cut.codes) == len(values)
    assert cut.codes.min() >= 0
    assert cut.codes.max() < len(cut.names)
    absent = [value is None or np.isnan(value) for value in values]
    assert [cut.names[code] == MISSING for code in cut.codes] == absent


def test_the_worst_slice_comes_first_whichever_way_worse_is() -> None:
    def part(name: str, value: float | None) -> Slice:
        return Slice(field="f", value=str(value), rows=90, estimates={name: Estimate(name, value, None, None, 90)})

    up = worst_first(Task.BINARY, [part("auc", None), part("auc", 0.9), part("auc", 0.6)])
    assert [each.value for each in up] == ["0.6", "0.9", "None"]
    down = worst_first(Task.REGRESSION, [part("mae", 1.0), part("mae", 3.0)])
    assert [each.value for each in down] == ["3.0", "1.0"]
    second = worst_first(Task.BINARY, [part("accuracy", 0.9), part("accuracy", 0.6)])
    assert [each.value for each in second] == ["0.6", "0.9"]
