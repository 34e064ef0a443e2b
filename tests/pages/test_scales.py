"""Round numbers hold whatever is drawn."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headgate.pages.parts import Line, Plot
from headgate.pages.scales import Scale, scale_of, short, ticks

FIGURE = st.floats(-1e300, 1e300)


@given(FIGURE, FIGURE)
@example(0.0, 5e-324)
@example(1e15, 1e15 + 1)
@example(-1e300, 1e300)
@example(0.3, 0.3)
def test_ticks_hold_both_ends_and_are_few(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert all(before < after for before, after in pairwise(found))
    room = 1e-6 * (found[-1] - found[0])
    assert found[0] - room <= low <= high <= found[-1] + room
    assert all(short(each, Scale(found)) for each in found)


def test_a_scale_begins_at_zero_unless_it_is_told_not_to() -> None:
    line = Line("m:1", (0.81, 0.84))
    assert scale_of(Plot("", "", ("a", "b"), (line,))).ticks[0] == 0.0
    assert scale_of(Plot("", "", ("a", "b"), (line,), from_zero=False)).ticks[0] == pytest.approx(0.81)


def test_nothing_at_all_has_a_scale() -> None:
    assert scale_of(Plot("", "", ("a",), (Line("m:1", (None,)),), from_zero=False)).ticks == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("value", "found", "text"),
    [
        (0.05, (0.0, 0.05, 0.1), "0.05"),
        (0.0, (0.0, 20_000.0, 40_000.0), "0"),
        (1_500_000.0, (0.0, 500_000.0, 1_000_000.0, 1_500_000.0), "1.5M"),
        (-2.0, (-2.0, 0.0), "-2"),
        (1e-7, (0.0, 1e-7), "1e-07"),
        (5e12, (0.0, 5e12), "5e+12"),
    ],
)
def test_ticks_are_short(value: float, found: tuple[float, ...], text: str) -> None:
    assert short(value, Scale(found)) == text
