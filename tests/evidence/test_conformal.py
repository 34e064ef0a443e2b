"""Conformal tests: bets that are fair over all orders, alarms at their rate, the same story wherever it is cut."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.evidence.conformal import JUMP, ConformalTest, Lane, jumped
from headgate.evidence.detector import ever
from headgate.evidence.mixture import Floats
from headgate.evidence.ranks import Bags, Reference, draws

EVEN = np.full((1, 3), 1 / 3)
SCORES = st.lists(st.floats(-3.0, 5.0), max_size=150)
CUTS = st.lists(st.integers(0, 150), max_size=4)


def reference(seed: int, rows: int = 1745, seasons: int = 1) -> Reference:
    """Of a normal law: 255 scores to fit on and others to compare with, 2,000 in all where nothing else is said."""
    random = np.random.default_rng(seed)
    return Reference.of(
        random.normal(size=255),
        random.normal(size=rows),
        at=np.arange(rows) % seasons,
        seasons=seasons,
        seed=int(random.integers(2**63)),
    )


def lanes_of(runs: int, seed: int, rows: int = 1745) -> ConformalTest:
    """As many lanes as runs, each with a reference of its own."""
    return ConformalTest(tuple(reference(1000 * seed + each, rows) for each in range(runs)))


@pytest.mark.parametrize("scores", [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 1.0, 2.0, 3.0, 3.0, 3.0]])
def test_over_all_orders_the_capital_stays_what_it_was(scores: list[float]) -> None:
    # The capital is linear in each p-value, so its mean over the draws is its value at their mean.
    at, middle, totals = np.zeros(4, np.int64), np.full((4, 1), 0.5), []
    for order in itertools.permutations(scores):
        known = Reference.of(np.array(scores), np.array(order[:2]))
        places = Bags([known], [known.counts]).places(known.bins(np.array(order[2:]))[:, None], at, middle)
        totals.append(jumped(EVEN, places).sum(axis=2)[:, 0])
    assert np.mean(totals, axis=0) == pytest.approx(np.ones(4))


def step_by_step(known: Reference, scores: Floats, joins: Floats, limit: float) -> tuple[float, list[int]]:
    """The simple jumper and the recursion as they are written in the paper."""
    bag, capital, held = np.frombuffer(known.counts, "<u4").astype(int), [1 / 3] * 3, 0.0
    alarms: list[int] = []
    uniform = draws(known.seed, 0, len(scores))
    for place, own in enumerate(known.bins(scores).tolist()):
        bag[own] += 1
        p = (bag[own + 1 :].sum() + uniform[place] * bag[own]) / bag.sum()
        before = sum(capital)
        capital = [
            ((1 - JUMP) * each + JUMP / 3 * before) * (1 + 2 * opinion * (p - 0.5))
            for each, opinion in zip(capital, (-1, 0, 1), strict=True)
        ]
        held = (held + joins[place]) * sum(capital) / before
        if held >= limit:
            alarms.append(place)
            bag, capital, held = np.frombuffer(known.counts, "<u4").astype(int), [1 / 3] * 3, 0.0
    return held, alarms


@settings(max_examples=50)
@given(SCORES, st.floats(1.5, 1000.0), st.integers(0, 9))
def test_it_is_the_recursion_of_the_papers(scores: list[float], limit: float, seed: int) -> None:
    known, values = reference(seed, 60), np.array(scores, np.float64)
    joins = np.random.default_rng(seed).exponential(size=len(values))
    test = ConformalTest((known,))
    found = test.update(test.start(), values[:, None], joins, np.array([limit]))
    held, alarms = step_by_step(known, values, joins, limit)
    assert [row for row, _ in found.alarms] == alarms
    assert found.lanes[0].held == pytest.approx(held, rel=1e-9)


@settings(max_examples=50)
@given(SCORES, CUTS, st.floats(1.5, 1000.0), st.sampled_from([1, 3]))
def test_cut_anywhere_and_kept_in_between_it_is_the_same(
    scores: list[float], cuts: list[int], limit: float, seasons: int
) -> None:
    test = ConformalTest((reference(1, 60, seasons), reference(2, 60, seasons)))
    rows, limits = np.array([(each, -each / 2) for each in scores]).reshape(-1, 2), np.array([limit, 2 * limit])
    joins, at = np.ones(len(rows)), np.arange(len(rows)) // 5 % seasons
    whole = test.update(test.start(), rows, joins, limits, at)
    lanes = test.start()
    alarms: list[tuple[int, int]] = []
    for part in np.split(np.arange(len(rows)), sorted(min(each, len(rows)) for each in cuts)):
        lanes = msgspec.json.decode(msgspec.json.encode(lanes), type=tuple[Lane, ...])
        found = test.update(lanes, rows[part], joins[part], limits, at[part])
        lanes = found.lanes
        alarms += [(int(part[row]), lane) for row, lane in found.alarms]
    assert tuple(alarms) == whole.alarms
    for one, other in zip(lanes, whole.lanes, strict=True):
        assert (one.counts, one.seen) == (other.counts, other.seen)
        assert one.held == pytest.approx(other.held, rel=1e-9)
        assert one.capital == pytest.approx(other.capital, rel=1e-9)


def test_lanes_do_not_know_each_other() -> None:
    random = np.random.default_rng(5)
    both = ConformalTest((reference(1, 100), reference(2, 100)))
    rows = random.normal((0.0, 1.0), size=(400, 2))
    joins, limits = np.ones(400), np.array([100.0, 100.0])
    found = both.update(both.start(), rows, joins, limits)
    for lane, known in enumerate(both.references):
        alone = ConformalTest((known,))
        single = alone.update(alone.start(), rows[:, [lane]], joins, limits[:1])
        assert [row for row, _ in single.alarms] == [row for row, each in found.alarms if each == lane]
        assert single.lanes[0].held == pytest.approx(found.lanes[lane].held, rel=1e-9)
    assert len(found.alarms) > 5


@pytest.mark.parametrize(("runs", "rows"), [(40, 2000), pytest.param(400, 20_000, marks=pytest.mark.slow)])
def test_false_alarms_are_no_more_than_was_said(runs: int, rows: int) -> None:
    # With restarts, and the same reference after each: what is exact up to the first alarm is seen to hold after it.
    test, limit = lanes_of(runs, 1), 300.0
    scores = np.random.default_rng(6).normal(size=(rows, runs))
    found = test.update(test.start(), scores, np.ones(rows), np.full(runs, limit))
    counts = np.bincount([lane for _, lane in found.alarms], minlength=runs)
    assert 0.2 * rows / limit < counts.mean() <= rows / limit + 3 * counts.std() / math.sqrt(runs)


@pytest.mark.parametrize("runs", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_first_false_alarm_comes_no_sooner_than_was_said(runs: int) -> None:
    test, limit, rows = lanes_of(runs, 2, 500), 100.0, 1000
    scores = np.random.default_rng(7).normal(size=(rows, runs))
    found = test.update(test.start(), scores, np.ones(rows), np.full(runs, limit))
    # Where there is none by the end the end counts, which is less.
    first = np.full(runs, rows)
    for row, lane in reversed(found.alarms):
        first[lane] = row + 1
    assert first.mean() >= limit - 3 * first.std() / math.sqrt(runs)


@pytest.mark.parametrize("runs", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_there_is_ever_a_false_alarm_no_more_often_than_alpha(runs: int) -> None:
    test, alpha, rows = lanes_of(runs, 3, 300), 0.05, 1000
    scores = np.random.default_rng(8).normal(size=(rows, runs))
    found = test.update(test.start(), scores, ever(0, rows), np.full(runs, 1 / alpha))
    wrong = len({lane for _, lane in found.alarms}) / runs
    assert wrong <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


@pytest.mark.parametrize(("shift", "row"), [(0.25, 336), (0.5, 72), (1.0, 19), (-1.0, 19)])
def test_it_finds_a_shift_as_soon_as_the_reference_figures_say(shift: float, row: int) -> None:
    # The figures are those of other scores; `benchmarks.monitors.delays` compares more closely, on the same ones.
    runs, before = 40, 500
    test, random = lanes_of(runs, 4), np.random.default_rng(9)
    scores = np.concatenate((random.normal(size=(before, runs)), random.normal(shift, size=(1200, runs))))
    found = test.update(test.start(), scores, np.ones(len(scores)), np.full(runs, 1e4))
    first = np.full(runs, len(scores))
    for place, lane in reversed(found.alarms):
        if place >= before:
            first[lane] = place + 1
    delays = first - before
    assert np.median(delays) <= row + 3 * 1.25 * delays.std() / math.sqrt(runs)


def test_a_season_is_no_change_where_it_is_known() -> None:
    random, rows = np.random.default_rng(10), 3000
    at = np.arange(rows) // 50 % 4
    scores = random.normal(size=rows) + 1.5 * at
    past = np.arange(1600) % 4
    before = random.normal(size=1600) + 1.5 * past
    found = {}
    for name, seasons in (("blind", 1), ("aware", 4)):
        known = Reference.of(before[:400], before[400:], at=past[400:] % seasons, seasons=seasons)
        test = ConformalTest((known,))
        result = test.update(test.start(), scores[:, None], np.ones(rows), np.array([1e4]), at % seasons)
        found[name] = len(result.alarms)
    assert found["aware"] == 0
    assert found["blind"] > 10


@pytest.mark.parametrize("value", [7.0, 0.0, -1e300])
def test_constant_scores_say_nothing_and_another_value_does(value: float) -> None:
    constant = Reference.of(np.full(50, 3.0), np.full(500, 3.0))
    test = ConformalTest((constant,))
    found = test.update(test.start(), np.full((2000, 1), 3.0), np.ones(2000), np.array([1e4]))
    assert found.alarms == ()
    found = test.update(found.lanes, np.full((60, 1), value), np.ones(60), np.array([1e4]))
    assert found.alarms


def test_no_row_at_all_changes_nothing() -> None:
    test = ConformalTest((reference(1, 60),))
    found = test.update(test.start(), np.empty((0, 1)), np.empty(0), np.array([10.0]))
    assert (found.lanes, found.alarms, found.p_values.shape) == (test.start(), (), (0, 1))


def test_what_does_not_fit_is_refused() -> None:
    test, one = ConformalTest((reference(1, 60),)), np.ones(1)
    lanes = test.start()
    with pytest.raises(BadInput, match="scores"):
        test.update(lanes, np.array([[np.nan]]), one, one)
    with pytest.raises(BadInput, match="a column, a reference"):
        test.update(lanes, np.ones((1, 2)), one, one)
    with pytest.raises(BadInput, match="limit"):
        test.update(lanes, np.ones((1, 1)), one, -one)
    with pytest.raises(BadInput, match="joins"):
        test.update(lanes, np.ones((1, 1)), -one, one)
    with pytest.raises(BadInput, match="seasons"):
        test.update(lanes, np.ones((1, 1)), one, one, np.array([1]))
    with pytest.raises(BadInput, match="counts"):
        test.update((Lane(b"1234"),), np.ones((1, 1)), one, one)
