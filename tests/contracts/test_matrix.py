"""Rows taken at once are exactly those that would each have been taken without a word."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.check import check_table
from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.contracts.matrix import MatrixScreen

LIMITS = st.sampled_from([(None, None), (0.0, None), (None, 2.5), (-1.5, 3.0), (1.0, 1.0)])
CELLS = st.sampled_from([-2.0, -1.5, 0.0, 1.0, 2.5, 3.0, math.nan, math.inf, -math.inf, 1.8e308, -0.0])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Contract, np.ndarray]:
    width = draw(st.integers(1, 3))
    fields = []
    for place in range(width):
        low, high = draw(LIMITS)
        nullable, on_range = draw(st.booleans()), draw(st.sampled_from(list(OnBreak)))
        fields.append(Field(f"f{place}", Kind.NUMBER, minimum=low, maximum=high, nullable=nullable, on_range=on_range))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=4))
    return Contract(tuple(fields)), np.array(rows, np.float64).reshape(-1, width)


@settings(max_examples=200)
@given(cases())
def test_a_matrix_is_taken_at_once_when_no_row_breaks_a_rule_or_raises_a_flag(
    case: tuple[Contract, np.ndarray],
) -> None:
    contract, matrix = case
    taken = MatrixScreen(contract).passed(matrix)
    table = pa.table({name: pa.array(matrix[:, place]) for place, name in enumerate(contract.names)})
    checked = check_table(contract, table)
    blameless = not checked.quarantine.num_rows and not checked.flags and not np.isnan(matrix).any()
    assert (taken is not None) == blameless
    if taken is not None:
        np.testing.assert_array_equal(taken, matrix)
        assert taken.dtype == np.float64


@pytest.mark.parametrize("kind", [each for each in Kind if each is not Kind.NUMBER])
def test_a_contract_of_anything_else_than_numbers_is_looked_at_row_by_row(kind: Kind) -> None:
    shape = (1,) if kind is Kind.TENSOR else None
    contract = Contract((Field("a", Kind.NUMBER), Field("b", kind, shape=shape)))
    assert MatrixScreen(contract).passed(np.array([[1.0, 1.0]])) is None


@pytest.mark.parametrize("dtype", ["<f4", "<f2", ">f8", "<i4", "|b1", "|u1"])
def test_single_floats_stay_such_and_other_numbers_are_taken_as_doubles(dtype: str) -> None:
    contract = Contract((Field("a", Kind.NUMBER), Field("b", Kind.NUMBER)))
    taken = MatrixScreen(contract).passed(np.array([[1, 0]], dtype))
    assert taken is not None
    kept = np.float32 if dtype == "<f4" else np.float64
    assert (taken.dtype, taken.tolist()) == (np.dtype(kept), [[1.0, 0.0]])


def near(bound: float) -> list[np.float32]:
    """The single floats about a bound."""
    with np.errstate(over="ignore"):
        single = np.float32(bound)
        return [single, *(np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf))]


def keeps(cell: np.float32, low: float | None, high: float | None) -> bool:
    number = float(cell)
    return math.isfinite(number) and (low is None or low <= number) and (high is None or number <= high)


BOUNDS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.1, 1e300, -1e-300]))


@settings(max_examples=200)
@given(st.data(), BOUNDS, BOUNDS, st.sampled_from([1, 3, 4000]))
def test_single_floats_keep_the_bounds_that_they_keep_as_doubles(
    data: st.DataObject, low: float | None, high: float | None, rows: int
) -> None:
    """Few rows and many: they are held to the bounds in two ways."""
    if low is not None and high is not None and low > high:
        low, high = high, low
    screen = MatrixScreen(Contract((Field("a", Kind.NUMBER, minimum=low, maximum=high),)))
    cells = [cell for each in (low, high, 0.0) if each is not None for cell in near(each)]
    cells += [np.finfo(np.float32).max, np.finfo(np.float32).min, np.float32(np.nan)]
    one = data.draw(st.sampled_from(cells))
    matrix = np.full((rows, 1), next((each for each in cells if keeps(each, low, high)), one), np.float32)
    matrix[-1] = one
    for each in (matrix, matrix.astype(np.float64)):
        assert (screen.passed(each) is not None) == keeps(one, low, high)


@settings(max_examples=200)
@given(cases(), st.lists(st.sampled_from([np.float32, np.float64]), min_size=3, max_size=3))
def test_columns_are_gathered_where_their_matrix_would_be_taken(
    case: tuple[Contract, np.ndarray], dtypes: list[type]
) -> None:
    contract, matrix = case
    with np.errstate(over="ignore"):
        columns: list[np.ndarray] = [matrix[:, at].astype(dtypes[at]) for at in range(matrix.shape[1])]
    screen = MatrixScreen(contract)
    taken, gathered = screen.passed(np.stack(columns, axis=1)), screen.gathered(columns)
    assert (gathered is None) == (taken is None)
    if taken is not None and gathered is not None:
        np.testing.assert_array_equal(gathered, taken)
        assert gathered.dtype == taken.dtype
        assert gathered.flags.c_contiguous


def test_more_rows_than_are_filled_at_a_time_are_gathered() -> None:
    screen = MatrixScreen(Contract((Field("a", Kind.NUMBER), Field("b", Kind.NUMBER, maximum=9000))))
    columns = [np.arange(9001.0), np.arange(9001.0)[::-1]]
    gathered = screen.gathered(columns)
    assert gathered is not None
    np.testing.assert_array_equal(gathered, np.stack(columns, axis=1))
    assert screen.gathered([columns[0], columns[1] + 1]) is None


def test_columns_of_anything_else_than_number_fields_are_not_gathered() -> None:
    contract = Contract((Field("a", Kind.NUMBER), Field("b", Kind.INTEGER)))
    assert MatrixScreen(contract).gathered([np.ones(2), np.ones(2)]) is None
