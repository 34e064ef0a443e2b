"""The row of a change is found where losses show it, and nowhere where they do not."""

import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.retraining.datasets.change import FEWEST, change_point


def losses(before: int, after: int, low: float, high: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.random(before) < low, random.random(after) < high]).astype(np.float64)


def test_losses_that_are_alike_have_no_change() -> None:
    rows = (250, 1000, 4000)
    found = sum(
        change_point(np.arange(each), losses(each, 0, 0.2, 0.2, seed)) is not None
        for each in rows
        for seed in range(300)
    )
    rate, runs = 0.01, 900
    assert found <= runs * rate + 3 * np.sqrt(runs * rate)


def test_the_row_is_found_within_a_few_of_it() -> None:
    off, early = [], []
    for seed in range(200):
        found = change_point(np.arange(3000), losses(2000, 1000, 0.12, 0.32, seed))
        assert found is not None
        off.append(abs(found - 2000))
        early.append(max(0, 2000 - found))
    # Of the order of variance / rise squared, which is 4 rows here (Hinkley 1970).
    assert np.median(off) <= 10
    assert np.mean(early) / 1000 < 0.01, "hardly a row of the old world is among those of the new one"


def test_it_is_found_whatever_the_order_and_whatever_cannot_be_read() -> None:
    lost = losses(1000, 500, 0.1, 0.5, seed=3)
    sane = change_point(np.arange(1500), lost)
    random = np.random.default_rng(0)
    order = random.permutation(1500)
    assert change_point(np.arange(1500)[order], lost[order]) == sane
    with_gaps = np.append(lost, [np.nan] * 50)
    moments = np.append(np.arange(1500), random.integers(0, 1500, 50))
    assert change_point(moments, with_gaps) == sane


def test_too_few_rows_on_a_side_and_becoming_better_are_no_change() -> None:
    late = change_point(np.arange(1000), losses(1000 - FEWEST // 3, FEWEST // 3, 0.0, 1.0, 0))
    assert late is None or late <= 1000 - FEWEST
    assert change_point(np.arange(2 * FEWEST - 1), losses(FEWEST, FEWEST - 1, 0.0, 1.0, 0)) is None
    assert change_point(np.arange(2000), losses(1000, 1000, 0.6, 0.1, 0)) is None
    assert change_point(np.arange(2000), np.full(2000, 0.3)) is None


def test_rows_of_one_moment_are_of_one_world() -> None:
    lost = losses(1000, 1000, 0.0, 1.0, 0)
    batches = np.repeat(np.arange(20), 100)
    assert change_point(batches, lost) == 10
    assert change_point(np.zeros(2000, np.int64), lost) is None


def test_there_is_one_loss_per_row() -> None:
    with pytest.raises(BadInput, match="one each"):
        change_point(np.arange(5), np.zeros(4))
