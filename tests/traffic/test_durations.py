"""Lengths of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.traffic.durations import duration, seconds


@pytest.mark.parametrize(("text", "expected"), [("0s", 0), ("30s", 30), ("10m", 600), ("2h", 7200), ("2d", 172800)])
def test_durations_are_read(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1.5h", "2 d", "2D", "1w", "1d12h", "9999999s", "٣s", "2d\n"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@given(st.integers(0, 900_000))
def test_what_is_written_is_read_back(whole: int) -> None:
    assert seconds(duration(whole)) == whole
