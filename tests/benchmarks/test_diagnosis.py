"""The short form of the diagnosis benchmark: the planted drift is named, its split covered, and both judged."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from benchmarks.monitors import diagnosis, series
from benchmarks.monitors.planted import CORRELATION, NUMBERS, Drifted, draw, swapped, truth

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.metrics import METRICS, estimates
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.kinds import Drift
from headgate.monitors.changepoint import Course

SHORT = [Drifted(0.0, 0.0), Drifted(0.5, 0.0), Drifted(0.0, 5.0), Drifted(0.5, 5.0)]


@pytest.fixture(scope="module")
def made() -> list[diagnosis.Run]:
    return diagnosis.runs(SHORT, 3, seed=7)


def test_the_right_kind_is_named_and_the_truth_covered(made: list[diagnosis.Run]) -> None:
    assert [run.world.kind for run in made if not run.is_right("accuracy")] == []
    rows = {(each["metric"], each["part"]): each for each in diagnosis.covered(made)}
    assert min(each["covered"] for each in rows.values()) >= 10 / 12
    assert [each["says"] for each in diagnosis.gates(made) if not each["ok"]] == []


def test_a_gate_falls_when_kinds_are_wrong_or_intervals_miss(made: list[diagnosis.Run]) -> None:
    wrong = [
        replace(run, found={name: _spoilt(each) for name, each in run.found.items()}) for run in made
    ]
    assert [each["ok"] for each in diagnosis.gates(wrong)] == [False, False, False, False, True, True] * 3


def _spoilt(found: Attribution) -> Attribution:
    far = Estimate("far", 0.9, 0.8, 1.0, 9)
    return msgspec.structs.replace(found, drift=Drift.UNDECIDED, drop=far, data=far)


def test_what_is_planted_costs_what_it_says() -> None:
    for world in (Drifted(0.5, 5.0), Drifted(0.0, 10.0)):
        assert truth(world, "accuracy").concept == pytest.approx(world.points / 100, abs=0.002)
    assert 0 < swapped(Drifted(1.0, 10.0)) < 1
    for metric in diagnosis.METRICS:
        still = truth(Drifted(0.0, 0.0), metric)
        assert (still.drop, still.data, still.concept, still.unshared) == pytest.approx((0, 0, 0, 0), abs=1e-9)


def test_the_true_drop_is_that_of_many_rows() -> None:
    world = Drifted(1.0, 5.0)
    before, now = draw(world, 100_000, np.random.default_rng(1))
    for metric in diagnosis.METRICS:
        values = []
        for each in (before, now):
            found = estimates(each.rows, [METRICS[metric]])[metric]
            assert found.value is not None
            values.append(found.value)
        drop = values[1] - values[0] if metric == "log_loss" else values[0] - values[1]
        assert truth(world, metric).drop == pytest.approx(drop, abs=0.008)
    numbers = np.column_stack([before.fields[f"x{place}"] for place in range(NUMBERS)])
    assert np.corrcoef(numbers.T)[0, 3] == pytest.approx(CORRELATION, abs=0.01)


def test_courses_are_judged_by_their_rows() -> None:
    rows = list(series.lines(4, seed=3))
    assert [each["course"] for each in rows[:2]] == [Course.NONE, Course.SUDDEN]
    assert [each["says"] for each in diagnosis.series_gates(rows) if not each["ok"]] == []
    wrong = [{**each, "said none": 0.5, f"said {each['course']}": 0.2, "held": 0.5} for each in rows]
    assert [each["ok"] for each in diagnosis.series_gates(wrong)] == [False, False, False]
