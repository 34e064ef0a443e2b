"""Whether losses have grown: only harm alarms, too small a reference says so, and no look is lost or counted twice."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.false_alarms import FalseAlarms
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Ints
from headgate.monitors.alarms.alarms import Standing
from headgate.monitors.alarms.risk import LEAST, Direction, RiskDrift, RiskState, observe
from headgate.vocabulary import DAY, HOUR, Micros

POLICY = FalseAlarms.read("at most one per 90 days")
BEGAN = Micros(1000 * DAY)
SENTENCES = ["at most one per 9 days", "at most 90 % per 2 days"]


def losses(rows: int, rate: float, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(rows) < rate).astype(float)


def moments(rows: int, a_day: int = 100) -> Ints:
    return BEGAN + np.arange(1, rows + 1, dtype=np.int64) * (DAY // a_day)


MONITOR = RiskDrift.of(losses(4000, 0.1, 0), POLICY)


def test_the_bound_is_the_mean_its_uncertainty_and_the_tolerance() -> None:
    reference = losses(4000, 0.1, 0)
    half = 1.96 * math.sqrt(reference.mean() * (1 - reference.mean()) / 4000)
    assert MONITOR.half_width == pytest.approx(half, rel=1e-3)
    assert MONITOR.bound == pytest.approx(reference.mean() + MONITOR.half_width + min(0.01, 0.1 * reference.mean()))
    tolerant = RiskDrift.of(reference, POLICY, tolerance=0.05)
    assert tolerant.bound == pytest.approx(MONITOR.bound + 0.05 - MONITOR.tolerance)


def test_a_reference_without_a_single_loss_is_not_taken_for_certain() -> None:
    monitor = RiskDrift.of(np.zeros(1000), POLICY)
    assert 0.003 < monitor.bound < 0.004


def test_harm_alarms_and_the_first_is_soon() -> None:
    at = moments(3000)
    state, found = observe(MONITOR, MONITOR.start(BEGAN), at[:2000], losses(2000, 0.1, 1))
    assert (found.standing, found.alarms, found.observations) == (Standing.STEADY, (), 2000)
    assert 0 < found.level < found.limit == 90.0
    state, found = observe(MONITOR, state, at[2000:], losses(1000, 0.25, 2))
    assert found.standing is Standing.ALARM
    assert at[2000] < found.alarms[0] < at[2200]
    assert state.clock.latest == at[-1]


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_what_does_no_harm_does_not_alarm(rate: float) -> None:
    _, found = observe(MONITOR, MONITOR.start(BEGAN), moments(50_000), losses(50_000, rate, 3))
    assert found.standing is Standing.STEADY


def test_the_other_way_a_fall_alarms() -> None:
    monitor = RiskDrift.of(losses(4000, 0.3, 0), POLICY, direction="better")
    _, found = observe(monitor, monitor.start(BEGAN), moments(2000), losses(2000, 0.2, 4))
    assert found.standing is Standing.ALARM
    _, found = observe(monitor, monitor.start(BEGAN), moments(2000), losses(2000, 0.4, 4))
    assert found.standing is Standing.STEADY


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3000), max_size=4), st.sampled_from(SENTENCES))
def test_looked_at_at_any_speed_it_says_the_same(cuts: list[int], words: str) -> None:
    monitor = RiskDrift.of(losses(4000, 0.1, 0), FalseAlarms.read(words))
    at, values = moments(3000), np.concatenate((losses(2000, 0.1, 5), losses(1000, 0.2, 6)))
    whole, expected = observe(monitor, monitor.start(BEGAN), at, values)
    state = monitor.start(BEGAN)
    alarms: list[Micros] = []
    for rows in np.split(np.arange(3000), sorted(cuts)):
        state = msgspec.json.decode(msgspec.json.encode(state), type=RiskState)
        state, found = observe(monitor, state, at[rows], values[rows])
        alarms += found.alarms
    assert tuple(alarms) == expected.alarms
    assert len(alarms) > 1
    assert state.watch.held == pytest.approx(whole.watch.held, rel=1e-9)
    assert (state.clock, state.watch.seen) == (whole.clock, whole.watch.seen)


def test_a_part_of_the_budget_alarms_later() -> None:
    monitor = RiskDrift.of(losses(4000, 0.1, 0), POLICY, part=0.01)
    at, values = moments(1000), losses(1000, 0.2, 7)
    whole, small = (observe(each, each.start(BEGAN), at, values)[1] for each in (MONITOR, monitor))
    assert (whole.limit, small.limit) == (90.0, 9000.0)
    assert whole.alarms[0] < small.alarms[0]


def test_time_without_labels_counts_and_time_that_goes_backwards_does_not() -> None:
    state = MONITOR.start(BEGAN)
    at = BEGAN + np.array([30 * DAY, 10 * DAY, 30 * DAY])
    state, found = observe(MONITOR, state, at, np.full(3, MONITOR.bound))
    assert found.level == pytest.approx(30.0)
    assert state.clock.latest == BEGAN + 30 * DAY


@pytest.mark.parametrize("bad", [[float("nan"), 0.0], [1.5, 0.0], [-0.1, float("inf")]])
def test_losses_that_are_none_are_told_and_change_nothing(bad: list[float]) -> None:
    state, _ = observe(MONITOR, MONITOR.start(BEGAN), moments(50), losses(50, 0.3, 8))
    after, found = observe(MONITOR, state, moments(52)[50:], np.array(bad))
    assert after == state
    assert found.standing is Standing.BROKEN
    assert "of 2 losses are no numbers from 0 to 1" in found.reason
    assert math.isfinite(found.level)


@pytest.mark.parametrize(
    ("reference", "direction", "reason"),
    [
        (np.zeros(LEAST - 1), "worse", "the reference has 999 labelled rows; at least 1,000 are needed"),
        (np.zeros(0), "worse", "the reference has 0 labelled rows"),
        (np.full(2000, 0.999), "worse", "none can be worse"),
        (np.zeros(2000), "better", "no room to become"),
        (np.full(2000, np.nan), "worse", "2,000 of 2,000 losses are no numbers"),
    ],
)
def test_without_a_reference_it_is_undecided_and_says_why(reference: Floats, direction: Direction, reason: str) -> None:
    monitor = RiskDrift.of(reference, POLICY, direction=direction)
    state, found = observe(monitor, monitor.start(BEGAN), moments(10), np.ones(10))
    assert found.standing is Standing.UNDECIDED
    assert reason in found.reason
    assert state == monitor.start(BEGAN)
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_a_single_label_is_a_look() -> None:
    _, found = observe(MONITOR, MONITOR.start(BEGAN), moments(1), np.ones(1))
    assert found.standing is Standing.STEADY
    _, found = observe(MONITOR, MONITOR.start(BEGAN), moments(0), np.ones(0))
    assert (found.standing, found.level) == (Standing.STEADY, 0.0)


def test_what_a_person_got_wrong_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="tolerance"):
        RiskDrift.of(np.zeros(1000), POLICY, tolerance=-0.1)
    with pytest.raises(BadInput, match="part"):
        RiskDrift.of(np.zeros(1000), POLICY, part=2.0)
    with pytest.raises(BadInput, match="at: must be one"):
        observe(MONITOR, MONITOR.start(BEGAN), moments(2), np.zeros(3))
    with pytest.raises(BadInput, match="whole microseconds"):
        observe(MONITOR, MONITOR.start(BEGAN), np.array([1.5]), np.zeros(1))


@pytest.mark.parametrize("runs", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_there_are_90_days_between_false_alarms_though_the_model_is_as_bad_as_it_may_be(runs: int) -> None:
    counts = []
    for seed in range(runs):
        random = np.random.default_rng(seed)
        at = BEGAN + np.sort(random.integers(0, 360 * DAY, 3600))
        values = (random.random(3600) < MONITOR.bound).astype(float)
        counts.append(len(observe(MONITOR, MONITOR.start(BEGAN), at, values)[1].alarms))
    assert np.mean(counts) <= 4.0 + 3 * np.std(counts) / math.sqrt(runs)
    assert sum(counts) > 0


def test_moments_of_alarms_are_those_of_their_labels() -> None:
    at = BEGAN + np.arange(1, 301) * HOUR
    _, found = observe(MONITOR, MONITOR.start(BEGAN), at, np.ones(300))
    assert set(found.alarms) <= set(at.tolist())
    assert list(found.alarms) == sorted(found.alarms)
