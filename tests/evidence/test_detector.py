"""Detectors of a change: alarms no more often than stated, none of them late, wherever the stream is cut."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.betting import BettingTest
from headgate.evidence.detector import LONGEST, EDetector, Watch, ever, since
from headgate.evidence.mixture import Floats

NULL = BettingTest(0.0, 1.0, 0.1)
LOSSES = st.lists(st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0)), max_size=120)
CUTS = st.lists(st.integers(0, 120), max_size=5)


def step_by_step(detector: EDetector, losses: Floats, joins: Floats) -> tuple[Floats, list[int]]:
    """The recursion as it is written in the paper."""
    held = np.zeros(detector.test.bets)
    alarms: list[int] = []
    for place, (gains, join) in enumerate(zip(detector.test.gains(losses), joins, strict=True)):
        held = (held + join) * np.exp(gains)
        if held.mean() >= detector.limit:
            alarms.append(place)
            held = np.zeros_like(held)
    return held, alarms


@given(LOSSES, st.floats(1.5, 200.0), st.integers(0, 2**32))
def test_it_is_the_recursion_of_the_paper(losses: list[float], limit: float, seed: int) -> None:
    detector, values = EDetector(NULL, limit), np.array(losses, np.float64)
    joins = np.random.default_rng(seed).exponential(size=len(values)) * (np.arange(len(values)) % 3 > 0)
    state, alarms = detector.update(detector.start(), values, joins)
    held, expected = step_by_step(detector, values, joins)
    assert list(alarms) == expected
    assert state.held == pytest.approx(held.tolist(), rel=1e-9)


@given(LOSSES, CUTS, st.floats(1.5, 200.0))
def test_cut_anywhere_and_kept_in_between_it_is_the_same(losses: list[float], cuts: list[int], limit: float) -> None:
    detector, values = EDetector(NULL, limit), np.array(losses, np.float64)
    whole, expected = detector.update(detector.start(), values)
    state, start = detector.start(), 0
    alarms: list[int] = []
    for piece in np.split(values, sorted(min(each, len(values)) for each in cuts)):
        state = msgspec.json.decode(msgspec.json.encode(state), type=Watch)
        state, found = detector.update(state, piece)
        alarms += [start + each for each in found]
        start += len(piece)
    assert tuple(alarms) == expected
    assert state.held == pytest.approx(whole.held, rel=1e-9)


def test_more_than_is_worked_on_at_once_is_the_same_too() -> None:
    detector = EDetector(NULL, 50.0)
    losses = (np.random.default_rng(0).random(5 * LONGEST) < 0.12).astype(float)
    state, alarms = detector.update(detector.start(), losses)
    held, expected = step_by_step(detector, losses, np.ones(len(losses)))
    assert len(expected) > 10
    assert list(alarms) == expected
    assert state.held == pytest.approx(held.tolist(), rel=1e-9)


@pytest.mark.parametrize("limit", [1.3, 2.0, 5.0, 1e12])
def test_over_every_sequence_what_alarms_cost_and_what_is_held_has_joined(limit: float) -> None:
    detector, joins = EDetector(NULL, limit), np.array([1.0, 0.5, 0.0, 2.0, 1.0, 1.0, 0.25, 1.0, 1.0])
    expected = 0.0
    for losses in itertools.product((0.0, 1.0), repeat=len(joins)):
        chance = math.prod(0.1 if each else 0.9 for each in losses)
        state, alarms = detector.update(detector.start(), np.array(losses), joins)
        expected += chance * (state.level + limit * len(alarms))
    if limit == 1e12:
        assert expected == pytest.approx(joins.sum())
    else:
        # An alarm takes what is beyond the limit with it.
        assert 0.2 * joins.sum() < expected <= joins.sum()


def test_over_every_sequence_a_drop_of_the_mean_is_watched_alike() -> None:
    detector = EDetector(BettingTest(0.0, 1.0, 0.5, "less"), 1e12)
    sequences = itertools.product((0.0, 1.0), repeat=8)
    found = [detector.update(detector.start(), np.array(each))[0].level for each in sequences]
    assert np.mean(found) == pytest.approx(8.0)


def test_over_every_sequence_all_that_ever_joins_is_1() -> None:
    detector, alpha = EDetector(NULL, 1 / 0.3), 0.3
    joins, share = ever(0, 10), 0.0
    assert joins.sum() == pytest.approx(1 - 1 / 11)
    for losses in itertools.product((0.0, 1.0), repeat=10):
        _, alarms = detector.update(detector.start(), np.array(losses), joins)
        share += math.prod(0.1 if each else 0.9 for each in losses) * bool(alarms)
    assert 0 < share <= alpha


def test_there_is_as_much_between_false_alarms_as_was_said() -> None:
    detector = EDetector(NULL, 200.0)
    losses = (np.random.default_rng(1).random(100_000) < 0.1).astype(float)
    _, alarms = detector.update(detector.start(), losses)
    gaps = np.diff(alarms, prepend=-1)
    assert len(gaps) > 100
    assert gaps.mean() >= 200.0 - 3 * gaps.std() / math.sqrt(len(gaps))


def test_by_time_there_is_as_much_between_them_however_the_traffic_swings() -> None:
    random, detector = np.random.default_rng(2), EDetector(NULL, 20.0)
    # Days of a thousand losses, days of ten, and a week of none.
    volumes = np.tile([1000, 10, 10, 1000, 0, 0, 0, 0, 0, 0, 0, 100], 100)
    times = np.sort(np.concatenate([day + random.random(count) for day, count in enumerate(volumes)]))
    losses = (random.random(len(times)) < 0.1).astype(float)
    _, alarms = detector.update(detector.start(), losses, since(0.0, times))
    assert len(alarms) > 10
    assert len(alarms) - 3 * math.sqrt(len(alarms)) <= len(volumes) / 20.0


@pytest.mark.parametrize("runs", [250, pytest.param(5000, marks=pytest.mark.slow)])
def test_there_is_ever_a_false_alarm_no_more_often_than_alpha(runs: int) -> None:
    random, alpha = np.random.default_rng(3), 0.05
    detector, joins = EDetector(NULL, 1 / alpha), ever(0, 1000)
    wrong = sum(
        bool(detector.update(detector.start(), (random.random(1000) < 0.1).astype(float), joins)[1])
        for _ in range(runs)
    )
    assert wrong / runs <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


ROWS = [(1e4, 0.13, 730), (1e4, 0.15, 370), (1e4, 0.20, 120), (1e5, 0.13, 1156), (1e5, 0.15, 514), (1e5, 0.20, 196)]


@pytest.mark.parametrize(
    ("limit", "rate", "row", "runs"),
    [(1e4, 0.15, 370, 10), (1e5, 0.20, 196, 10), *(pytest.param(*each, 400, marks=pytest.mark.slow) for each in ROWS)],
)
def test_it_finds_a_higher_rate_as_soon_as_the_reference_figures_say(
    limit: float, rate: float, row: int, runs: int
) -> None:
    random, detector, delays = np.random.default_rng(4), EDetector(NULL, limit), []
    for _ in range(runs):
        before, _ = detector.update(detector.start(), (random.random(5000) < 0.1).astype(float))
        _, alarms = detector.update(before, (random.random(8000) < rate).astype(float))
        delays.append(alarms[0] + 1)
    # Of a median, the standard error is about 1.25 times that of the mean.
    assert np.median(delays) <= row + 3 * 1.25 * np.std(delays) / math.sqrt(runs)


def test_nothing_overflows_and_nothing_is_lost() -> None:
    bold = EDetector(BettingTest(0.0, 1.0, 0.001), 1e300)
    state, alarms = bold.update(bold.start(), np.ones(20_000))
    assert len(alarms) > 100
    assert np.isfinite(state.level)
    state, alarms = bold.update(bold.start(), np.zeros(20_000))
    assert (alarms, np.isfinite(state.level)) == ((), True)


def test_a_renewed_one_holds_nothing() -> None:
    state = Watch((2.0, 4.0))
    assert (state.level, state.renewed()) == (3.0, Watch.of(2))


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, float("inf")])
def test_a_value_that_is_no_loss_is_refused(value: float) -> None:
    detector = EDetector(NULL, 10.0)
    with pytest.raises(BadInput, match="must be numbers from 0 to 1"):
        detector.update(detector.start(), np.array([0.0, value]))


@pytest.mark.parametrize("joins", [[1.0], [1.0, -1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_what_cannot_join_is_refused(joins: list[float]) -> None:
    detector = EDetector(NULL, 10.0)
    with pytest.raises(BadInput, match="joins"):
        detector.update(detector.start(), np.zeros(2), np.array(joins))


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(BadInput, match="limit"):
        EDetector(NULL, limit).update(Watch.of(16), np.zeros(1))


def test_without_a_bet_there_is_nothing_to_watch() -> None:
    with pytest.raises(BadInput, match="at least one bet"):
        Watch.of(0)
