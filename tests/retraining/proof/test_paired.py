"""Intervals of differences hold what they say, also where the rows of a day are alike."""

import numpy as np
import pytest

from headgate.evaluation.estimate import Reading
from headgate.retraining.proof.paired import Gap, gap


def reading(losses: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Reading:
    return Reading(float(losses.mean()), None, None, losses - losses.mean())


def test_versions_that_answer_alike_differ_by_nothing() -> None:
    losses = reading(np.random.default_rng(1).random(500))
    assert gap(losses, losses).bounds(0.01) == (0.0, 0.0)
    allowed = gap(losses, losses, share=0.1)
    assert allowed.value == pytest.approx(-0.1 * losses.value)


def test_one_row_has_no_interval() -> None:
    assert gap(reading(np.ones(1)), reading(np.zeros(1))) == Gap(1.0, ())
    assert Gap(1.0, ()).bounds(0.05) is None


def test_the_interval_is_that_of_rows_where_they_have_nothing_in_common() -> None:
    random = np.random.default_rng(2)
    missed = 0
    for _ in range(1000):
        found = gap(reading(random.normal(0.3, 1.0, 400)), reading(random.normal(0.0, 1.0, 400))).bounds(0.05)
        assert found is not None
        missed += found[0] > 0.3
    assert 20 <= missed <= 50 + 3 * np.sqrt(1000 * 0.05 * 0.95), "wider than needed by the batches' doubt alone"


def test_rows_of_one_day_are_not_taken_for_many() -> None:
    random = np.random.default_rng(3)
    rows, days, runs = 4000, 40, 400
    false_better = {"both": 0, "rows": 0}
    for _ in range(runs):
        shared = random.normal(0.0, 0.2, days)[np.arange(rows) * days // rows]
        found = gap(reading(shared + random.normal(0.0, 0.5, rows)), reading(np.zeros(rows)))
        for name, errors in (("both", found.errors), ("rows", found.errors[:1])):
            bounds = Gap(found.value, errors).bounds(0.01)
            assert bounds is not None
            false_better[name] += bounds[1] < 0
    assert false_better["both"] <= runs * 0.01 + 3 * np.sqrt(runs * 0.01 * 0.99)
    assert false_better["rows"] > 0.1 * runs, "rows alone would have been fooled: the case is a hard one"
