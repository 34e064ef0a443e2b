"""What is planted in windows costs what it says, and the true split is that of very many rows."""

import numpy as np
import pytest
from benchmarks.monitors.diagnosis import METRICS
from benchmarks.monitors.planted import CORRELATION, NUMBERS, Drifted, draw, swapped, truth

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.metrics import estimates, metric


def test_what_is_planted_costs_what_it_says() -> None:
    for world in (Drifted(0.5, 5.0), Drifted(0.0, 10.0)):
        assert truth(world, "accuracy").concept == pytest.approx(world.points / 100, abs=0.002)
    assert 0 < swapped(Drifted(1.0, 10.0)) < 1
    for name in METRICS:
        still = truth(Drifted(0.0, 0.0), name)
        assert (still.drop, still.data, still.concept, still.unshared) == pytest.approx((0, 0, 0, 0), abs=1e-9)


def test_the_true_drop_is_that_of_many_rows() -> None:
    world = Drifted(1.0, 5.0)
    before, now = draw(world, 60_000, np.random.default_rng(1))
    for name in METRICS:
        early, late = (estimates(each.rows, [metric(name)])[name] for each in (before, now))
        drop = metric(name).better(value_of(early) - value_of(late))
        assert truth(world, name).drop == pytest.approx(drop, abs=0.01)
    numbers = np.column_stack([before.fields[f"x{place}"] for place in range(NUMBERS)])
    assert np.corrcoef(numbers.T)[0, 3] == pytest.approx(CORRELATION, abs=0.015)


def value_of(found: Estimate) -> float:
    assert found.value is not None
    return found.value
