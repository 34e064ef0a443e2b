"""Our evidence beside that of an independent library: ville, whose bets are chosen otherwise and computed otherwise.

With its truncation low enough ville's betting test makes one constant bet, so that ours has to be the mean of several
of its; a beta prior on next to one point makes its test of proportions a likelihood ratio, so that the allocation test
has to be the mean of those. Intervals are made of other bets than ours; they are held to each other's place and width.
"""

import math
from typing import Any

import numpy as np
import pytest

from headgate.evidence.allocation import AllocationTest
from headgate.evidence.asymptotic import NARROWEST, asymptotic_interval
from headgate.evidence.betting import BOLDEST, Alternative, BettingTest, paired
from headgate.evidence.confidence import mean_interval, ratio_interval
from headgate.evidence.mixture import Floats
from headgate.evidence.multiple import average, benjamini_hochberg

ville: Any = pytest.importorskip("ville", reason="the development extra is not installed")
pytestmark = pytest.mark.full
NEVER = 1e-300
"""An error rate at which ville would bet more than its truncation allows, at every one of a few thousand values."""
ALPHA = 0.05


def mean_of(logs: list[Floats]) -> Floats:
    """The logarithm of the mean of several pieces of evidence, at every moment."""
    found: Floats = np.logaddexp.reduce(logs, axis=0) - math.log(len(logs))
    return found


def theirs(values: Floats, test: BettingTest) -> Floats:
    """The logarithm of the mean of ville's tests, one for each bet of ours, after every value."""
    shares = (BOLDEST * np.geomspace(test.timidest, 1.0, test.bets)).tolist()
    words = {"bounds": (test.low, test.high), "alternative": test.alternative, "alpha": NEVER}
    return mean_of([ville.BettingTest(test.mean, c=each, **words).fit(values).log_e_values_ for each in shares])


def differences(count: int, better: float, worse: float, seed: int = 1) -> Floats:
    """Of inputs that two versions were asked, which of them lost more."""
    random = np.random.default_rng(seed)
    return random.choice([-1.0, 0.0, 1.0], p=[better, 1 - better - worse, worse], size=count)


@pytest.mark.parametrize(
    "test",
    [paired(), paired(0.01, "less"), paired(0.02), BettingTest(-1.0, 1.0, -0.1, "less", bets=5)],
    ids=["worse", "no worse by a point", "worse by two", "five bets"],
)
def test_a_mixture_is_the_mean_of_its_bets_on_paired_differences(test: BettingTest) -> None:
    values = differences(1500, 0.04, 0.06)
    expected = theirs(values, test)
    assert test.update(test.start(), values).log_e == pytest.approx(expected[-1], abs=1e-9)
    assert test.update(test.start(), values).log_peak == pytest.approx(max(0.0, expected.max()), abs=1e-9)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_a_mixture_is_the_mean_of_its_bets_on_any_bounded_numbers(alternative: Alternative) -> None:
    values = 5.0 + 10.0 * np.random.default_rng(2).beta(8.0, 12.0, 400)
    test = BettingTest(5.0, 15.0, 9.0, alternative)
    assert test.update(test.start(), values).log_e == pytest.approx(theirs(values, test)[-1], abs=1e-9)


@pytest.mark.parametrize("test", [AllocationTest.worse(), AllocationTest.better(1.25), AllocationTest.different()])
def test_the_allocation_test_is_the_mean_of_likelihood_ratios_of_proportions(test: AllocationTest) -> None:
    share, random = 0.1, np.random.default_rng(3)
    ours = random.random(600) < 0.15

    def proportion(ratio: float) -> float:
        return share * ratio / (share * ratio + 1 - share)

    sharp = 1e8
    priors = [(sharp * proportion(each), sharp * (1 - proportion(each))) for each in test.ratios]
    tests = [ville.BernoulliTest(proportion(test.null), prior=each) for each in priors]
    expected = mean_of([each.fit(ours.astype(float)).log_e_values_ for each in tests])
    assert test.update(test.start(), ours, np.full(600, share)).log_e == pytest.approx(expected[-1], abs=1e-3)


def test_a_worse_version_is_found_about_as_soon_as_by_bets_that_learn() -> None:
    ours, learnt = [], []
    for seed in range(40):
        values = differences(20_000, 0.04, 0.06, seed)
        path = np.logaddexp.reduce(np.cumsum(paired().gains(values), axis=0), axis=1) - math.log(paired().bets)
        ours.append(int(np.argmax(path >= math.log(100))))
        learnt.append(ville.BettingTest(0.0, bounds=(-1.0, 1.0), alternative="greater", alpha=0.01).fit(values))
    assert all(each.stopping_time() for each in learnt)
    assert float(np.mean(ours)) <= 1.1 * float(np.mean([each.stopping_time() for each in learnt]))


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
@pytest.mark.parametrize(("count", "wider"), [(500, 1.35), (10_000, 0.95)])
def test_intervals_of_means_lie_where_other_bets_find_them(rate: float, count: int, wider: float) -> None:
    """Bets that learn are a little better on a few values, and constant ones, mixed, on many."""
    values = (np.random.default_rng(4).random(count) < rate).astype(float)
    found = mean_interval(values, low=0.0, high=1.0, alpha=ALPHA)
    low, high = ville.BettingCS(alpha=ALPHA, intersect=False).fit(values).interval()
    assert max(found.low, low) < values.mean() < min(found.high, high)
    assert found.high - found.low <= wider * (high - low)


def test_a_bound_is_where_the_tests_of_another_library_reach_it() -> None:
    values = np.random.default_rng(5).beta(2.0, 6.0, 1000)
    found = mean_interval(values, low=0.0, high=1.0, alpha=ALPHA)
    stakes = BOLDEST * np.geomspace(0.01, 1.0, 16)
    tests = [
        ville.BettingTest(found.low, alternative="greater", alpha=NEVER, c=each * found.low).fit(values)
        for each in stakes.tolist()
    ]
    assert mean_of([each.log_e_values_ for each in tests])[-1] == pytest.approx(math.log(2 / ALPHA), abs=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_intervals_of_ratios_lie_where_those_of_proportions_do(share: float) -> None:
    ours = np.random.default_rng(6).random(2000) < share * 1.5 / (share * 1.5 + 1 - share)
    found = ratio_interval(ours, np.full(2000, share), alpha=ALPHA)
    bounds = ville.BernoulliCS(alpha=ALPHA, intersect=False).fit(ours.astype(float)).interval()
    low, high = (each / (1 - each) * (1 - share) / share for each in bounds)
    assert max(found.low, low) < 1.5 < min(found.high, high)
    assert math.log(found.high / found.low) <= 1.15 * math.log(high / low)


def test_the_interval_for_unbounded_numbers_is_theirs() -> None:
    values = np.random.default_rng(7).standard_t(5, 3000)
    found = asymptotic_interval(values, alpha=ALPHA)
    low, high = ville.AsymptoticCS(alpha=ALPHA, t_opt=NARROWEST).fit(values).interval()
    assert (found.low, found.high) == pytest.approx((low, high), rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_several_at_once_are_rejected_alike(seed: int) -> None:
    logs = np.random.default_rng(seed).normal(2.0, 3.0, 30)
    assert benjamini_hochberg(logs.tolist(), 0.1) == np.flatnonzero(ville.evalues.ebh(np.exp(logs), 0.1)).tolist()
    assert math.exp(average(logs.tolist())) == pytest.approx(float(ville.evalues.combine(np.exp(logs))))
