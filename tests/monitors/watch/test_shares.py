"""Shares beside what is usual: independent inputs, whole hours that are alike, and days that differ."""

import numpy as np
import pytest

from headgate.monitors.watch.shares import DAYS, KNOWN, Inputs, Seen, clustering, unusual

HOURS = 24
CHANCE = 0.01


def day(counts: list[int], inputs: int = 40) -> tuple[Seen, Inputs]:
    """A day of so many inputs an hour."""
    seen = Seen()
    for each in counts:
        seen = seen.after(each, inputs)
    return seen, Inputs(inputs * len(counts), inputs * inputs * len(counts), len(counts))


def false_ones(shares: np.ndarray, random: np.random.Generator, expected: float) -> int:
    """Alarms of days whose hours have these shares, (days, hours), each beside the days before it."""
    days = [day(random.binomial(40, each).tolist()) for each in shares]
    found = [seen.count / inputs.rows for seen, inputs in days]
    return sum(
        unusual(*each, expected, found[max(0, place - DAYS) : place], reference_rows=5000, chance=CHANCE)
        for place, each in enumerate(days)
    )


def test_independent_inputs_alarm_no_more_often_than_was_said() -> None:
    random = np.random.default_rng(0)
    assert false_ones(np.full((3000, HOURS), 0.1), random, 0.1) <= 3000 * CHANCE


def test_hours_that_are_alike_alarm_no_more_often_than_was_said() -> None:
    random = np.random.default_rng(1)
    # An hour in twelve lacks the field altogether.
    whole = (random.random((3000, HOURS)) < 1 / 12).astype(float)
    seen = [day((40 * each).astype(int).tolist()) for each in whole[:20]]
    assert np.mean([clustering(*each) for each in seen]) == pytest.approx(40, rel=0.3)
    assert false_ones(whole, random, 1 / 12) <= 3000 * CHANCE + 3 * np.sqrt(3000 * CHANCE)


def test_days_that_always_differed_are_usual() -> None:
    random = np.random.default_rng(2)
    shares = np.clip(random.normal(0.5, 0.2, 300), 0.02, 0.98)
    days = [day(random.binomial(40, [each] * HOURS).tolist()) for each in shares]
    found = [each[0].count / each[1].rows for each in days]
    alarms = [
        unusual(*each, 0.5, found[place - 28 : place], reference_rows=5000, chance=1e-4)
        for place, each in enumerate(days)
        if place >= 28
    ]
    assert sum(alarms) <= 1
    low = day([2] * HOURS)
    assert not unusual(*low, 0.5, found[: KNOWN - 1], reference_rows=5000, chance=1e-4), "so soon nobody knows"


def test_what_goes_on_all_day_is_found_however_often_it_lasts() -> None:
    found, before = day([16] * HOURS), [0.1] * 10 + [0.4] * 3
    assert unusual(*found, 0.1, [0.1] * KNOWN, reference_rows=5000, chance=1e-5)
    assert unusual(*found, 0.1, before, reference_rows=5000, chance=1e-5)
    assert not unusual(*day([4] * HOURS), 0.1, [0.1] * KNOWN, reference_rows=5000, chance=1e-5)
    assert unusual(*day([40] * HOURS), 0.1, before, reference_rows=None, chance=1e-5)


def test_fewer_are_no_alarm_where_only_more_would_be_and_a_point_is_borne() -> None:
    none = day([0] * HOURS, 400)
    assert unusual(*none, 0.1, [0.1] * KNOWN, reference_rows=5000, chance=1e-5)
    assert not unusual(*none, 0.1, [0.1] * KNOWN, reference_rows=5000, chance=1e-5, only_more=True)
    assert not unusual(*day([3] * HOURS, 400), 0.0, [0.0] * KNOWN, reference_rows=None, chance=1e-5)
    assert not unusual(Seen(), Inputs(0, 0, 0), 0.1, [0.1] * KNOWN, reference_rows=None, chance=1e-5)
