"""Whether losses have grown: only harm alarms, too small a reference says so, and no look is lost or counted twice."""

import math
from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.detector import Watch
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Clock, Measurement
from headgate.monitors.alarms.losses import Direction, bounds_of
from headgate.monitors.alarms.risk import RiskDrift, RiskState
from headgate.monitors.alarms.seasons import Season
from headgate.monitors.alarms.terms import RISK, Budget, Terms
from headgate.monitors.standing import Standing
from headgate.vocabulary import DAY, HOUR, Micros

WORDS = "at most one per 90 days"
TERMS = Terms(Budget.of(WORDS, (RISK,)))
BEGAN = Micros(1000 * DAY)
SENTENCES = ["at most one per 9 days", "at most 90 % per 2 days", "at most 90 % ever"]


def losses(rows: int, rate: float, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(rows) < rate).astype(float)


def moments(rows: int, a_day: int = 100) -> Ints:
    return BEGAN + np.arange(1, rows + 1, dtype=np.int64) * (DAY // a_day)


MONITOR = RiskDrift.of(losses(4000, 0.1, 0), TERMS)
BOUND = MONITOR.bounds[0]


def looked(monitor: RiskDrift, at: Ints, values: Floats, state: RiskState | None = None) -> Measurement:
    """What a single look finds."""
    [found] = monitor.observe(state or monitor.start(BEGAN), at, values)[1]
    return found


def test_harm_alarms_and_the_first_is_soon() -> None:
    at = moments(3000)
    state, [found] = MONITOR.observe(MONITOR.start(BEGAN), at[:2000], losses(2000, 0.1, 1))
    assert (found.standing, found.alarms, found.observations) == (Standing.STEADY, (), 2000)
    assert 0 < found.level < found.limit == 90.0
    assert found.joined == 20.0
    state, [found] = MONITOR.observe(state, at[2000:], losses(1000, 0.25, 2))
    assert found.standing is Standing.ALARM
    assert at[2000] < found.alarms[0] < at[2200]
    assert state.clock.latest == at[-1]


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_what_does_no_harm_does_not_alarm(rate: float) -> None:
    assert looked(MONITOR, moments(50_000), losses(50_000, rate, 3)).standing is Standing.STEADY


def test_the_other_way_a_fall_alarms() -> None:
    monitor = RiskDrift.of(losses(4000, 0.3, 0), TERMS, direction="better")
    assert looked(monitor, moments(2000), losses(2000, 0.2, 4)).standing is Standing.ALARM
    assert looked(monitor, moments(2000), losses(2000, 0.4, 4)).standing is Standing.STEADY


@settings(max_examples=8)
@given(st.lists(st.integers(0, 3000), max_size=4), st.sampled_from(SENTENCES))
def test_looked_at_at_any_speed_it_says_the_same(cuts: list[int], words: str) -> None:
    monitor = RiskDrift.of(losses(4000, 0.1, 0), Terms(Budget.of(words)))
    at, values = moments(3000), np.concatenate((losses(2000, 0.1, 5), losses(1000, 0.2, 6)))
    whole, [expected] = monitor.observe(monitor.start(BEGAN), at, values)
    state = monitor.start(BEGAN)
    alarms: list[Micros] = []
    for rows in np.split(np.arange(3000), sorted(cuts)):
        state = msgspec.json.decode(msgspec.json.encode(state), type=RiskState)
        state, [found] = monitor.observe(state, at[rows], values[rows])
        alarms += found.alarms
    assert tuple(alarms) == expected.alarms
    assert alarms
    assert state.watch.held == pytest.approx(whole.watch.held, rel=1e-9)
    assert (state.clock, found.joined) == (whole.clock, expected.joined)


def test_a_monitor_comes_back_from_where_it_was_kept() -> None:
    for each in (MONITOR, RiskDrift.of(np.zeros(5), TERMS)):
        assert msgspec.json.decode(msgspec.json.encode(each), type=RiskDrift) == each


def test_a_part_of_the_budget_alarms_later() -> None:
    shared = Terms(Budget.of(WORDS, (RISK, *(f"other {each}" for each in range(99)))))
    monitor = RiskDrift.of(losses(4000, 0.1, 0), shared)
    at, values = moments(1000), losses(1000, 0.2, 7)
    whole, small = looked(MONITOR, at, values), looked(monitor, at, values)
    assert (whole.limit, small.limit) == (90.0, 9000.0)
    assert whole.alarms[0] < small.alarms[0]


def test_time_counts_and_what_goes_backwards_or_is_silent_for_long_does_not() -> None:
    at = BEGAN + np.array([DAY // 2, DAY // 4, DAY // 2, 300 * DAY])
    state, [found] = MONITOR.observe(MONITOR.start(BEGAN), at[:3], np.full(3, BOUND))
    assert found.level == pytest.approx(0.5)
    state, [found] = MONITOR.observe(state, at[3:], np.full(1, BOUND))
    # A silence counts as a hundredth of the limit, so that it takes evidence to raise an alarm after it.
    assert found.level == pytest.approx(0.5 + 0.9)
    assert state.clock.latest == BEGAN + 300 * DAY


@pytest.mark.parametrize("bad", [[float("nan"), 0.0], [1.5, 0.0], [-0.1, float("inf")]])
def test_losses_that_are_none_are_told_and_change_nothing(bad: list[float]) -> None:
    state, _ = MONITOR.observe(MONITOR.start(BEGAN), moments(50), losses(50, 0.3, 8))
    after, [found] = MONITOR.observe(state, moments(52)[50:], np.array(bad))
    assert after == state
    assert found.standing is Standing.BROKEN
    assert "of 2 losses are no numbers from 0 to 1" in found.reason
    assert math.isfinite(found.level)


@pytest.mark.parametrize(
    ("at", "values", "reason"),
    [
        (moments(2), np.zeros(3), "there are 2 moments of 3 observations"),
        (np.array([1.5]), np.zeros(1), "moments are not whole microseconds"),
        (moments(2), np.zeros((2, 2)), "losses are not one number per row"),
        (moments(1), np.array(["wrong"]), "losses are not one number per row"),
    ],
)
def test_a_look_that_makes_no_sense_is_told_and_changes_nothing(at: Ints, values: Floats, reason: str) -> None:
    state = MONITOR.start(BEGAN)
    after, [found] = MONITOR.observe(state, at, values)
    assert after == state
    assert (found.standing, found.reason) == (Standing.BROKEN, reason)


def test_the_state_of_another_monitor_is_told() -> None:
    foreign = RiskState(Clock.at(BEGAN), Watch.of(3))
    found = looked(MONITOR, moments(1), np.zeros(1), foreign)
    assert (found.standing, found.reason) == (
        Standing.BROKEN,
        "the state is of another monitor; start this one anew",
    )


def test_without_a_reference_it_says_why_at_every_look() -> None:
    for reference, standing in ((np.zeros(999), Standing.UNDECIDED), (np.full(2000, np.nan), Standing.BROKEN)):
        monitor = RiskDrift.of(reference, TERMS)
        state, [found] = monitor.observe(monitor.start(BEGAN), moments(10), np.ones(10))
        assert found.standing is standing
        assert "the reference" in found.reason
        assert state == monitor.start(BEGAN)
        assert msgspec.json.decode(msgspec.json.encode(found), type=Measurement) == found


def test_a_single_label_is_a_look_and_so_is_none() -> None:
    assert looked(MONITOR, moments(1), np.ones(1)).standing is Standing.STEADY
    found = looked(MONITOR, moments(0), np.ones(0))
    assert (found.standing, found.level) == (Standing.STEADY, 0.0)


def test_losses_may_be_of_any_kind_of_numbers() -> None:
    errors = losses(1000, 0.25, 9)
    found = looked(MONITOR, moments(1000), errors)
    for kind in (np.bool_, np.int8, np.float32):
        assert looked(MONITOR, moments(1000), errors.astype(kind)).alarms == found.alarms


def test_what_a_person_got_wrong_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="tolerance"):
        RiskDrift.of(np.zeros(1000), TERMS, tolerance=-0.1)
    with pytest.raises(BadInput, match="no part in the budget"):
        RiskDrift.of(np.zeros(1000), TERMS, name="risk of north")
    with pytest.raises(BadInput, match="at: a season needs the moment"):
        RiskDrift.of(np.zeros(1000), Terms(TERMS.budget, Season.HOUR_OF_DAY))


@pytest.mark.parametrize("runs", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_there_are_90_days_between_false_alarms_though_the_model_is_as_bad_as_it_may_be(runs: int) -> None:
    counts = []
    for seed in range(runs):
        random = np.random.default_rng(seed)
        at = BEGAN + np.sort(random.integers(0, 360 * DAY, 3600))
        counts.append(len(looked(MONITOR, at, (random.random(3600) < BOUND).astype(float)).alarms))
    assert np.mean(counts) <= 4.0 + 3 * np.std(counts) / math.sqrt(runs)
    assert sum(counts) > 0


def test_moments_of_alarms_are_those_of_their_labels() -> None:
    at = BEGAN + np.arange(1, 301) * HOUR
    found = looked(MONITOR, at, np.ones(300))
    assert set(found.alarms) <= set(at.tolist())
    assert list(found.alarms) == sorted(found.alarms)


def worse_by_night(at: Ints, seed: int, more: float = 0.0) -> Floats:
    """Errors of a model that is wrong ten times as often in the second half of the day, and by `more` than that."""
    rate = np.where(at // HOUR % 24 < 12, 0.05, 0.5) + more
    return (np.random.default_rng(seed).random(len(at)) < rate).astype(float)


@cache
def by_the_hour(direction: Direction = "worse") -> RiskDrift:
    then = moments(24_000, a_day=480) - 60 * DAY
    terms = msgspec.structs.replace(TERMS, season=Season.HOUR_OF_DAY)
    return RiskDrift.of(worse_by_night(then, 10), terms, at=then, direction=direction)


def test_a_model_that_is_worse_by_night_has_not_changed_at_dusk() -> None:
    at = moments(480 * 60, a_day=480)
    then = at - 60 * DAY
    blind = RiskDrift.of(worse_by_night(then, 11), TERMS, at=then)
    assert "follow each other are alike" in blind.warnings[0]
    assert len(looked(blind, at, worse_by_night(at, 12)).alarms) > 5
    aware = by_the_hour()
    assert aware.warnings == ()
    assert looked(aware, at, worse_by_night(at, 12)).standing is Standing.STEADY


def test_with_seasons_harm_is_found_all_the_same_and_so_is_the_other_way() -> None:
    at = moments(480 * 20, a_day=480)
    assert looked(by_the_hour(), at, worse_by_night(at, 13, more=0.15)).standing is Standing.ALARM
    assert looked(by_the_hour("better"), at, worse_by_night(at, 13, more=-0.1)).standing is Standing.ALARM
    assert looked(by_the_hour("better"), at, worse_by_night(at, 13)).standing is Standing.STEADY


def test_with_seasons_each_loss_is_held_against_the_bound_of_its_own() -> None:
    monitor = by_the_hour()
    at = BEGAN + np.array([HOUR // 2, 13 * HOUR, 23 * HOUR])
    exactly = np.array([monitor.bounds[0], monitor.bounds[13], monitor.bounds[23]])
    found = looked(monitor, at, exactly)
    # Losses as large as the bound say nothing: what is held is what has joined.
    assert found.level == pytest.approx((0.5 + 12.5 + 10) / 24)


def test_bounds_by_season_are_those_of_the_losses() -> None:
    then = moments(24_000, a_day=480) - 60 * DAY
    expected = bounds_of(worse_by_night(then, 10), then // HOUR % 24, 24, None, "worse")
    assert by_the_hour().bounds == expected
