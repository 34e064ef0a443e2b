"""Which labels are there: how many, and whether for other inputs than those they are missing for."""

import msgspec
import numpy as np
import pytest

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate
from headgate.monitors.estimation.coverage import LabelCoverage, label_coverage
from headgate.monitors.standing import Shortfall, undecided

NUMBER = np.array([False])
DUE = np.ones(1000, dtype=np.bool_)


def covered(labelled: np.ndarray[tuple[int], np.dtype[np.bool_]], features: object) -> LabelCoverage:
    found = label_coverage(labelled, DUE[: len(labelled)], np.asarray(features, dtype=np.float64), NUMBER)
    assert isinstance(found, LabelCoverage)
    return found


def test_labels_for_one_kind_of_input_are_selective() -> None:
    feature = np.random.default_rng(111).normal(size=(1000, 1))
    found = covered(feature[:, 0] > 0.5, feature)
    assert found.selective is True
    assert isinstance(found.selection, Estimate)
    assert found.selection.value is not None
    assert found.selection.value > 0.95
    assert msgspec.json.decode(msgspec.json.encode(found.share), type=Estimate) == found.share


def test_labels_that_chance_chose_are_not() -> None:
    draw = np.random.default_rng(112)
    selective = 0
    for _ in range(5):
        found = covered(draw.random(1000) < 0.4, draw.normal(size=(1000, 1)))
        assert found.share.value == pytest.approx(0.4, abs=0.06)
        selective += found.selective is True
    assert selective == 0


def test_labels_that_are_not_due_do_not_count() -> None:
    due = np.arange(400) < 300
    found = label_coverage(np.arange(400) >= 150, due, np.zeros((400, 1)), NUMBER)
    assert isinstance(found, LabelCoverage)
    assert (found.share.value, found.share.rows) == (0.5, 300)
    assert label_coverage(due, np.zeros(400, dtype=np.bool_), np.zeros((400, 1)), NUMBER) == undecided(
        "no label is due yet"
    )


def test_too_few_with_or_without_a_label_are_undecided() -> None:
    whole = covered(DUE, np.zeros((1000, 1)))
    assert whole.share.value == 1.0
    assert whole.selection == undecided("every label that is due is there")
    assert whole.selective is None
    few = covered(np.arange(1000) < 950, np.zeros((1000, 1)))
    assert few.selection == undecided("50 rows without a label are due; 100 are needed to tell who has one")
    rare = covered(np.arange(1000) < 5, np.zeros((1000, 1)))
    assert isinstance(rare.selection, Shortfall)
    assert rare.selection.reason.startswith("5 rows with a label")


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(BadInput, match="1,000, 1,000 and 3 rows"):
        label_coverage(DUE, DUE, np.zeros((3, 1)), NUMBER)
