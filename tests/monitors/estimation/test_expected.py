"""Expected figures against labels drawn from the chances, and against realised ones where chances are 0 and 1."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import auc
from tests.monitors.estimation.models import CLASSES, Draw, Floats, drawn, honest, multiclass, overconfident

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.metrics import estimates, metric
from headgate.evaluation.rows import Rows
from headgate.monitors.answered import Answered
from headgate.monitors.estimation.expected import EXPECTED, Foretold, expected
from headgate.vocabulary import Task

DRAWS = 300


def value_of(found: Foretold | Undefined) -> float:
    assert isinstance(found, Foretold)
    return found.reading.value


def brute_force(said: Answered, chances: Floats, draw: Draw) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each realised metric over labels drawn from the chances."""
    metrics = [metric(name) for name in EXPECTED]
    seen: dict[str, list[float]] = {name: [] for name in EXPECTED}
    for _ in range(DRAWS):
        for name, each in estimates(said.with_truth(drawn(chances, draw)), metrics).items():
            assert each.value is not None
            seen[name].append(each.value)
    return {name: (float(np.mean(each)), float(np.std(each))) for name, each in seen.items()}


@pytest.mark.parametrize("model", [honest, overconfident, multiclass])
def test_expected_figures_are_means_over_drawn_labels(model: Callable[[int, Draw], Rows]) -> None:
    draw = np.random.default_rng(3)
    rows = model(800, draw)
    assert rows.scores is not None
    # Chances that are not the scores: figures must come from the one, rankings and losses from the other.
    chances = 0.7 * rows.scores + 0.3 / len(rows.classes)
    found = expected(Answered.of(rows), chances, EXPECTED)
    for name, (mean, deviation) in brute_force(Answered.of(rows), chances, draw).items():
        error = deviation / np.sqrt(DRAWS)
        # A ratio of expectations is off the expectation of a ratio by the order of 1 / rows.
        assert abs(value_of(found[name]) - mean) <= 4 * error + 2 / len(rows), name
        each = found[name]
        assert isinstance(each, Foretold)
        assert each.spread is not None
        # Inputs stand still here, so what they add to the spread of a row is taken off.
        within = each.spread**2 - float(np.square(each.reading.influence).mean())
        assert np.sqrt(within / len(rows)) == pytest.approx(deviation, rel=0.15), name


@pytest.mark.parametrize("model", [honest, multiclass])
def test_sure_chances_give_the_realised_figures(model: Callable[[int, Draw], Rows]) -> None:
    rows = model(400, np.random.default_rng(5))
    sure = np.eye(len(rows.classes))[rows.truth]
    found = expected(Answered.of(rows), sure, EXPECTED)
    for name, each in estimates(rows, [metric(name) for name in EXPECTED]).items():
        assert value_of(found[name]) == pytest.approx(each.value, abs=1e-12), name


@pytest.mark.parametrize("name", EXPECTED)
def test_influences_sum_to_nothing_and_say_which_way_a_row_moves_the_figure(name: str) -> None:
    rows = honest(300, np.random.default_rng(8))
    assert rows.scores is not None
    said = Answered.of(rows)
    found = expected(said, rows.scores, [name])[name]
    assert isinstance(found, Foretold)
    whole = found.reading
    assert float(whole.influence.mean()) == pytest.approx(0.0, abs=0.02)
    for row in (0, 100, 299):
        kept = np.arange(300) != row
        without = value_of(expected(said.take(kept), rows.scores[kept], [name])[name])
        assert (whole.value - without) * 300 == pytest.approx(float(whole.influence[row]), abs=0.06)


def test_figures_without_a_value_say_why() -> None:
    said = Answered(Task.BINARY, np.zeros(20, np.int64), np.tile([1.0, 0.0], (20, 1)), CLASSES)
    assert said.scores is not None
    found = expected(said, said.scores, EXPECTED)
    assert found["precision"] == Undefined("no row was predicted positive")
    assert found["recall"] == Undefined("no row is expected to be positive")
    assert found["auc"] == Undefined("rows with and without the positive class must be expected")
    assert value_of(found["accuracy"]) == 1.0


def test_one_row_of_which_every_class_is_unlikely_has_no_macro_average() -> None:
    said = Answered(Task.MULTICLASS, np.array([-1]), np.full((1, 3), 1 / 3), ("a", "b", "c"))
    assert said.scores is not None
    found = expected(said, said.scores, ["f1", "accuracy"])
    assert found["f1"] == Undefined("no class is expected or predicted")
    assert value_of(found["accuracy"]) == 0.0


def test_an_answer_that_is_no_class_is_expected_to_be_wrong() -> None:
    said = Answered(Task.BINARY, np.array([-1, 1]), np.array([[0.5, 0.5], [0.0, 1.0]]), CLASSES)
    assert said.scores is not None
    assert value_of(expected(said, said.scores, ["accuracy"])["accuracy"]) == 0.5


def test_a_model_that_only_scores_has_no_expected_accuracy() -> None:
    scores = np.array([[0.5, 0.5]])
    found = expected(Answered(Task.BINARY, None, scores, CLASSES), scores, ["accuracy", "f1", "brier"])
    assert found["accuracy"] == found["f1"] == Undefined("the model gives no predictions")
    assert value_of(found["brier"]) == 0.25


def published(chance: Floats, scores: Floats, called: NDArray[np.bool_]) -> dict[str, float]:
    """The estimates as NannyML documents them: expected counts, and a curve of expected rates, ranked by the score."""
    tp, fp = chance[called].sum(), (1 - chance)[called].sum()
    fn, tn = chance[~called].sum(), (1 - chance)[~called].sum()
    order = np.argsort(-scores)
    hits = np.append(0.0, np.cumsum(chance[order]))
    misses = np.arange(len(hits)) - hits
    return {
        "accuracy": (tp + tn) / len(chance),
        "precision": tp / (tp + fp),
        "recall": tp / (tp + fn),
        "f1": 2 * tp / (2 * tp + fp + fn),
        "auc": auc(misses / misses[-1], hits / hits[-1]),
    }


def test_figures_of_two_classes_are_those_of_the_published_formulas() -> None:
    draw = np.random.default_rng(9)
    rows = honest(2000, draw)
    assert rows.scores is not None
    assert rows.predicted is not None
    chance = 0.9 * draw.random(2000)
    found = expected(Answered.of(rows), np.column_stack((1 - chance, chance)), EXPECTED)
    for name, value in published(chance, rows.scores[:, 1], rows.predicted == 1).items():
        assert value_of(found[name]) == pytest.approx(value), name
