"""The parts of a drop against a truth that is known: no bias, and intervals that hold it as often as they say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from headgate.evaluation.estimate import Reading, Undefined
from headgate.evaluation.metrics import metric
from headgate.evaluation.rows import Rows
from headgate.monitors.attribution.overlap import Overlap, overlap
from headgate.monitors.attribution.split import Split, dropped, split
from headgate.vocabulary import Task

Z = 1.96


def pair(seed: int, rows: int, *, shift: float, cost: float) -> tuple[Rows, Rows, NDArray[np.float64], Overlap]:
    """A regression whose absolute error is 1 + x^2 / 2 on average, and `cost` more in the current window."""
    random = np.random.default_rng(seed)
    x = random.normal(size=2 * rows) + shift * np.repeat((0.0, 1.0), rows)
    errors = random.exponential(1.0, 2 * rows) * (1 + x**2 / 2 + cost * np.repeat((0.0, 1.0), rows))
    both = Rows(Task.REGRESSION, errors, np.zeros(2 * rows), None)
    columns = np.column_stack((x, np.maximum(x, 0), np.maximum(x - 1, 0), np.maximum(x + 1, 0), x**2))
    matrix = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    is_current = np.arange(2 * rows) >= rows
    return both.take(~is_current), both.take(is_current), matrix, overlap(matrix, is_current, seed)


def parts(seed: int, rows: int, *, shift: float, cost: float) -> Split:
    found = split(metric("mae"), *pair(seed, rows, shift=shift, cost=cost))
    assert not isinstance(found, Undefined)
    return found


@pytest.mark.parametrize(("shift", "cost"), [(0.0, 0.0), (0.5, 0.3)])
def test_intervals_hold_the_truth_as_often_as_they_say(shift: float, cost: float) -> None:
    runs, held, errors = 120, 0, []
    for seed in range(runs):
        found = parts(seed, 600, shift=shift, cost=cost).concept.estimate("concept", Z)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= cost <= found.high
        errors.append(found.value - cost)
    assert held / runs >= 0.9
    assert abs(float(np.mean(errors))) < 4 * float(np.std(errors)) / np.sqrt(runs)


def test_other_inputs_alone_cost_what_they_cost() -> None:
    found = parts(3, 20_000, shift=0.5, cost=0.0)
    assert found.drop.value == pytest.approx(0.5**2 / 2, abs=0.05)
    assert found.data.value + found.unshared.value == pytest.approx(found.drop.value - found.concept.value)
    assert abs(found.concept.value) < 0.06


def test_where_chances_say_nothing_the_expected_loss_mends_it() -> None:
    before, now, matrix, shared = pair(5, 20_000, shift=0.5, cost=0.0)
    blind = Overlap(shared.is_current, np.full(40_000, 0.5), np.ones(40_000, bool), shared.fold, shared.checks)
    found = split(metric("mae"), before, now, matrix, blind)
    assert not isinstance(found, Undefined)
    # Chances that say nothing leave all of it to the expected loss, and that removes the 0.125 up to chance.
    assert abs(found.concept.value) < 0.07


def test_the_drop_needs_no_weights() -> None:
    before, now, *_ = pair(1, 500, shift=0.0, cost=1.0)
    found = dropped(metric("mae"), before, now)
    assert not isinstance(found, Undefined)
    assert found.value == pytest.approx(now.truth.mean() - before.truth.mean())
    reading = found.reading(Z)
    assert isinstance(reading, Reading)
    error = np.sqrt(now.truth.var(ddof=1) / 500 + before.truth.var(ddof=1) / 500)
    assert reading.high is not None
    assert reading.high - reading.value == pytest.approx(Z * error, rel=0.01)


def test_windows_that_share_nothing_cannot_be_divided() -> None:
    before, now, matrix, shared = pair(1, 500, shift=0.0, cost=0.0)
    nothing = Overlap(shared.is_current, shared.chance, np.zeros(1000, bool), shared.fold, shared.checks)
    assert split(metric("mae"), before, now, matrix, nothing) == Undefined("no row has any weight")
