"""Prediction-powered figures cover the truth as often as they say, and are never much wider than labels alone."""

import math

import numpy as np
import pytest
from tests.monitors.estimation.models import Draw, Floats, overconfident

from headgate.evaluation.estimate import Reading, Undefined, quantile_of, standard_error
from headgate.evaluation.metrics import metric, readings
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.corrected import FARTHEST, Corrected, contradiction, corrected
from headgate.monitors.estimation.expected import Foretold, expected

RUNS = 200
NAMES = ("accuracy", "f1", "auc", "brier")


def reading(said: Answered, chances: Floats, name: str) -> Reading:
    found = expected(said, chances, [name])[name]
    assert isinstance(found, Foretold)
    return found.reading


def once(draw: Draw, labels: int, rows: int = 2000) -> dict[str, tuple[Corrected, Reading]]:
    """Figures of a window by an estimate that is wrong (the scores as stated) and by a few labels."""
    window = overconfident(rows, draw)
    assert window.scores is not None
    known = np.arange(rows) < labels
    said = Answered.of(window)
    realised = readings(window.take(known), [metric(name) for name in NAMES])
    made = {}
    for name in NAMES:
        ours = realised[name]
        theirs, others = (reading(said.take(each), window.scores[each], name) for each in (known, ~known))
        assert isinstance(ours, Reading)
        found = corrected(ours, theirs, others)
        assert isinstance(found, Corrected)
        made[name] = (found, ours)
    return made


def test_intervals_cover_the_truth_though_the_estimate_is_wrong() -> None:
    draw = np.random.default_rng(41)
    z = quantile_of(0.95)
    whole = readings(overconfident(400_000, draw), [metric(name) for name in NAMES])
    covered = dict.fromkeys(NAMES, 0)
    narrower = dict.fromkeys(NAMES, 0)
    for _ in range(RUNS):
        for name, (found, ours) in once(draw, labels=200).items():
            truth = whole[name]
            assert isinstance(truth, Reading)
            covered[name] += abs(found.value - truth.value) <= z * found.error
            narrower[name] += found.error <= (standard_error(ours.influence) or 0.0)
    for name, count in covered.items():
        # Three standard errors of 95 % in 200 runs are 4.6 points; ratios lose a little more at 200 labels.
        assert count / RUNS >= 0.90, (name, count)
    # A forecast is worth most where it says most of a row: the squared error of a probability.
    assert narrower["brier"] >= 0.95 * RUNS
    assert min(narrower.values()) >= 0.9 * RUNS


def test_a_useless_estimate_is_not_believed() -> None:
    draw = np.random.default_rng(42)
    truth = draw.random(400)
    noise = draw.random(4000)

    def told(values: Floats) -> Reading:
        return Reading(float(values.mean()), None, None, values - values.mean())

    found = corrected(told(truth), told(noise[:400]), told(noise[400:]))
    assert isinstance(found, Corrected)
    assert found.trust < 0.15
    assert found.value == pytest.approx(float(truth.mean()), abs=0.01)
    assert found.error == pytest.approx(float(truth.std()) / math.sqrt(400), rel=0.05)


def test_constant_estimates_and_few_labels() -> None:
    steady = Reading(0.5, None, None, np.zeros(100))
    varied = Reading(0.5, None, None, np.tile([-0.5, 0.5], 50))
    found = corrected(varied, steady, steady)
    assert isinstance(found, Corrected)
    assert (found.value, found.trust, found.selection) == (0.5, 0.0, 0.0)
    alike = Reading(1.0, None, None, np.zeros(100))
    silent = "every label so far says the same, so nothing tells how far chance moves the figure"
    assert corrected(alike, varied, varied) == Undefined(silent)
    few = Reading(0.5, None, None, np.zeros(7))
    assert corrected(few, few, varied) == Undefined("7 labels are too few to correct by; 30 are needed")
    lone = Reading(0.5, None, None, np.zeros(1))
    assert corrected(varied, varied, lone) == Undefined("all rows but one are labelled")


def test_differences_of_what_does_not_vary_are_as_large_as_can_be() -> None:
    varied = Reading(0.5, None, None, np.tile([-0.5, 0.5], 50))
    low, high = (Reading(each, None, None, np.zeros(100)) for each in (0.2, 0.8))
    found = corrected(varied, high, low)
    assert isinstance(found, Corrected)
    assert found.selection == FARTHEST
    assert contradiction(low, high) == -FARTHEST
    assert contradiction(low, low) == 0.0


def test_labels_that_happen_to_agree_do_not_contradict_what_is_nearly_sure() -> None:
    right = Reading(1.0, None, None, np.zeros(30))
    expected = Reading(0.99, None, None, np.zeros(30))
    # Of 30 rows that are right 99 times in 100 all are right three times in four.
    assert contradiction(right, expected, here=math.sqrt(0.0099 / 30)) == pytest.approx(0.01 / math.sqrt(0.0099 / 30))


def test_labelled_rows_unlike_the_others_are_seen() -> None:
    draw = np.random.default_rng(43)
    window = overconfident(4000, draw)
    assert window.scores is not None
    easy = np.abs(window.scores[:, 1] - 0.5) > 0.4
    said = Answered.of(window)
    realised = readings(window.take(easy), [metric("accuracy")])["accuracy"]
    labelled, rest = (reading(said.take(each), window.scores[each], "accuracy") for each in (easy, ~easy))
    assert isinstance(realised, Reading)
    found = corrected(realised, labelled, rest)
    assert isinstance(found, Corrected)
    assert found.selection > 10
    assert contradiction(realised, labelled) < -3
