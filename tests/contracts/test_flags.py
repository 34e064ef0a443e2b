"""Many rows are screened at once and few one by one; both name the same flags, those a person would name."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, OnBreak
from headgate.contracts.flags import FlagScreen

NUMBERS = st.sampled_from([-3.0, -0.5, 0.0, 1.0, 2.5, 9.0])
WHOLE = st.sampled_from([-2, 0, 1, 7, 2**53, 2**53 + 1, 2**53 + 2, 2**62, -(2**63), 2**63 - 1])
WORDS = st.sampled_from(["u", "v", "new", ""])
LIMITS = st.sampled_from(
    [(None, None), (0.0, None), (None, 2.0), (-0.5, 1.0), (None, 2.0**53 + 2), (-(2.0**62), 2.0**62)]
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Contract, list[tuple[Any, ...]]]:
    fields, columns = [], []
    for place in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.TEXT]))
        low, high = draw(LIMITS) if kind in (Kind.NUMBER, Kind.INTEGER) else (None, None)
        domain = draw(st.sampled_from([None, ("u", "v")])) if kind is Kind.CATEGORY else None
        actions = [draw(st.sampled_from(list(OnBreak))) for _ in range(2)]
        fields.append(
            Field(
                f"f{place}",
                kind,
                nullable=True,
                minimum=low,
                maximum=high,
                domain=domain,
                on_range=actions[0],
                on_domain=actions[1],
            )
        )
        columns.append({Kind.NUMBER: NUMBERS, Kind.INTEGER: WHOLE}.get(kind, WORDS))
    row = st.tuples(*[st.none() | each for each in columns])
    return Contract(tuple(fields)), draw(st.lists(row, max_size=9))


def named(contract: Contract, row: tuple[Any, ...]) -> tuple[str, ...]:
    """What is flagged, said as plainly as can be."""
    found = []
    for field, value in zip(contract.fields, row, strict=True):
        if value is None:
            continue
        low, high = field.minimum, field.maximum
        if field.on_range is OnBreak.FLAG and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            found.append(f"range:{field.name}")
        if field.on_domain is OnBreak.FLAG and field.domain is not None and value not in field.domain:
            found.append(f"domain:{field.name}")
    return tuple(found)


@settings(max_examples=300)
@given(cases())
def test_all_rows_at_once_are_flagged_as_each_alone(case: tuple[Contract, list[tuple[Any, ...]]]) -> None:
    contract, rows = case
    screen = FlagScreen(contract)
    expected = [named(contract, row) for row in rows]
    assert screen.flags(rows) == (expected if any(expected) else None)
    for row, names in zip(rows, expected, strict=True):
        assert screen.flags([row]) == ([names] if names else None)
    if all(each.kind in (Kind.NUMBER, Kind.INTEGER) for each in contract.fields):
        matrix = np.array([[np.nan if each is None else each for each in row] for row in rows], np.float64)
        assert screen.flags(rows, matrix.reshape(len(rows), len(contract.fields))) == (
            expected if any(expected) else None
        )


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("nulls", [False, True])
def test_one_flagged_field_among_others_is_seen_among_many_rows(place: int, nulls: bool) -> None:
    fields = [Field(f"f{each}", Kind.NUMBER, nullable=True) for each in range(3)]
    fields[place] = Field("x", Kind.NUMBER, nullable=True, maximum=5.0, on_range=OnBreak.FLAG)
    rows: list[tuple[Any, ...]] = [(1.0, 1.0, 1.0)] * 9
    bad: list[Any] = [None if nulls else 1.0] * 3
    bad[place] = 6.0
    screen = FlagScreen(Contract(tuple(fields)))
    assert screen.flags(rows) is None
    assert screen.flags([*rows, tuple(bad)]) == [()] * 9 + [("range:x",)]
