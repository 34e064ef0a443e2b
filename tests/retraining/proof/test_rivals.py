"""The error rates a proof states are kept, at the margin itself and where nothing is better; with days that differ."""

import numpy as np
import pytest

from headgate.evaluation.gates import Outcome
from headgate.evaluation.metrics import metric
from headgate.evaluation.rows import Rows
from headgate.retraining.proof.rivals import beside, better, not_worse
from headgate.retraining.proof.terms import Terms
from headgate.vocabulary import Task

RUNS, ROWS, DAYS = 400, 2000, 40
TERMS = Terms(margin_share=0.05)


def rate(ratio: float, spread: float) -> tuple[float, float]:
    """How often a version whose mean error is `ratio` times the other's passes for no worse, and for better."""
    passed = np.zeros(2)
    for seed in range(RUNS):
        random = np.random.default_rng(seed)
        day = np.arange(ROWS) * DAYS // ROWS
        scale = np.exp(random.normal(0.0, spread, (2, DAYS)))[:, day]
        errors = random.exponential(1.0, (2, ROWS)) * scale
        sides = [Rows(Task.REGRESSION, np.zeros(ROWS), each, None) for each in (errors[0] * ratio, errors[1])]
        found = beside(metric("mae"), sides[0], sides[1], share=TERMS.margin_share)
        checks = [each(metric("mae"), found, TERMS, "champion", "m:1") for each in (not_worse, better)]
        passed += [each.outcome is Outcome.PASSED for each in checks]
    return float(passed[0] / RUNS), float(passed[1] / RUNS)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_what_loses_more_than_the_margin_seldom_passes(spread: float) -> None:
    assert rate(1.05, spread)[0] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / RUNS)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_what_is_no_better_seldom_passes_for_better(spread: float) -> None:
    assert rate(1.0, spread)[1] <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / RUNS)


def test_what_is_better_is_found() -> None:
    passed, ahead = rate(0.8, 0.0)
    assert (passed > 0.99, ahead > 0.99) == (True, True)
