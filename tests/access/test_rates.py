"""A bucket holds its rate over the long run, whatever callers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.access.rates import Bucket
from headgate.errors import RateExceeded


@given(
    rate=st.floats(0.5, 1000),
    burst=st.floats(1, 1000),
    steps=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 300)), max_size=60),
)
def test_the_rate_holds(rate: float, burst: float, steps: list[tuple[float, int]]) -> None:
    bucket, now, taken, largest = Bucket(rate, burst, now=0.0), 0.0, 0, 0
    for pause, rows in steps:
        now += pause
        try:
            bucket.take(rows, now)
        except RateExceeded:
            continue
        taken, largest = taken + rows, max(largest, rows)
    assert taken <= rate * now + burst + max(0.0, largest - burst) + 1e-6


@given(rate=st.floats(0.5, 1000), burst=st.floats(1, 1000), rows=st.integers(2, 2000))
def test_who_waits_as_long_as_told_is_let_in(rate: float, burst: float, rows: int) -> None:
    bucket = Bucket(rate, burst, now=0.0)
    bucket.take(rows, 0.0)
    with pytest.raises(RateExceeded) as told:
        _take_all(bucket, rows)
    assert told.value.retry_after > 0
    bucket.take(rows, told.value.retry_after * (1 + 1e-9) + 1e-9)


def test_a_refusal_takes_nothing() -> None:
    bucket = Bucket(10.0, 10.0, now=0.0)
    bucket.take(9, 0.0)
    for _ in range(5):
        with pytest.raises(RateExceeded):
            bucket.take(2, 0.0)
    bucket.take(1, 0.0)


def _take_all(bucket: Bucket, rows: int) -> None:
    for _ in range(1000):
        bucket.take(rows, 0.0)
