"""Whatever one feeds it: no exception, no NaN, no "fine" for want of a figure, but a reason in plain words."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.monitors.attribution.said import assert_says_something
from tests.monitors.attribution.windows_of import flipped, numbers, sample, with_fields

from headgate.errors import BadInput
from headgate.evaluation.rows import Column, Rows
from headgate.monitors.attribution.attribute import attribute
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.attribution.samples import MOST, Sample
from headgate.vocabulary import Task

ODD: dict[str, Column] = {
    "constant": [1.0] * 2000,
    "all missing": [None] * 2000,
    "huge": [10**400 + each for each in range(2000)],
    "infinite": [math.inf if each % 2 else float(each) for each in range(2000)],
    "mixed": [each if each % 3 else str(each) for each in range(2000)],
    "ids": [f"user-{each}" for each in range(2000)],
    "lists": [[each] for each in range(2000)],
    "matrix": np.zeros((2000, 2)),
    "flags": [bool(each % 2) for each in range(2000)],
    "moments": np.arange(2000).astype("datetime64[s]"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_columns_change_nothing_that_the_others_say(name: str) -> None:
    before, now = (with_fields(each, odd=ODD[name]) for each in (sample(11), sample(12)))
    found = attribute(before, now, "accuracy")
    assert_says_something(found)
    assert found.drift is Drift.NONE
    moved = attribute(with_fields(sample(11), odd=ODD["constant"]), now, "accuracy")
    assert_says_something(moved)


def test_tens_of_thousands_of_categories_are_no_drift() -> None:
    random = np.random.default_rng(6)
    before, now = (with_fields(sample(seed), who=random.integers(30_000, size=2000).astype(str)) for seed in (11, 12))
    found = attribute(before, now, "accuracy")
    assert (found.drift, found.faults) == (Drift.NONE, ())


def test_nothing_but_constant_fields_leaves_the_relation_to_the_answers() -> None:
    before, now = sample(11, 4000), sample(12, 4000, relation=flipped)
    still, later = (Sample({"one": np.ones(4000)}, each.rows) for each in (before, now))
    assert attribute(still, later, "accuracy").drift is Drift.CONCEPT
    mute, silent = (Sample(each.fields, replace(each.rows, scores=None)) for each in (still, later))
    assert attribute(mute, silent, "accuracy").drift is Drift.CONCEPT


def test_one_class_has_no_auc_and_its_inputs_are_told_all_the_same() -> None:
    now = sample(2, shift=1.0)
    ones = Sample(now.fields, replace(now.rows, truth=np.ones(2000, np.int64)))
    found = attribute(sample(1), ones, "auc")
    assert (found.drift, found.reference.known, found.current.known) == (Drift.UNDECIDED, True, False)
    assert "auc has no value on the current window" in found.reasons[0]
    assert found.shifts[0].field == "x"
    assert_says_something(found)


@pytest.mark.parametrize("rows", [0, 1, 150])
def test_too_few_rows_are_too_few(rows: int) -> None:
    found = attribute(sample(1), sample(2, rows), "accuracy")
    assert found.drift is Drift.UNDECIDED
    assert found.reasons == (f"the current window has {rows} labelled rows; 200 are needed",)
    assert_says_something(found)


def test_a_reference_smaller_than_the_window_is_one_all_the_same() -> None:
    found = attribute(sample(11, 600), sample(12, 6000, relation=flipped), "log_loss")
    assert found.drift is Drift.CONCEPT
    assert_says_something(found)


def test_of_very_many_rows_some_are_looked_at() -> None:
    now = sample(2, MOST + 5000)
    found = attribute(sample(1), with_fields(now, odd=[[1]] * len(now.rows)), "accuracy")
    assert found.current.rows == MOST + 5000
    assert found.drop.rows == MOST + 2000
    assert found == attribute(sample(1), with_fields(now, odd=[[1]] * len(now.rows)), "accuracy")


def test_a_model_that_is_always_right_has_nothing_to_explain() -> None:
    given = (sample(11), sample(12))
    before, now = (Sample(each.fields, replace(each.rows, truth=np.asarray(each.rows.predicted))) for each in given)
    found = attribute(before, now, "accuracy")
    assert found.drift is Drift.NONE
    assert_says_something(found)


def test_what_cannot_be_compared_is_broken_and_says_why() -> None:
    before, now = sample(1), sample(2)
    other_task = Rows(Task.REGRESSION, np.zeros(2000), np.zeros(2000), None)
    others = replace(now.rows, classes=("no", "yes"))
    for strange, reason in (
        (Sample(now.fields, other_task), "a regression one"),
        (Sample(now.fields, others), "different classes"),
        (with_fields(now, x=[1.0]), "field x of the current window has 1 values for 2000 labelled rows"),
        (Sample({"other": np.zeros(2000)}, now.rows), "no field that both windows have"),
    ):
        found = attribute(before, strange, "accuracy")
        assert found.drift is Drift.BROKEN
        assert reason in found.reasons[0]
        assert_says_something(found)


def test_a_field_of_one_window_alone_is_named_and_left_out() -> None:
    found = attribute(sample(1), with_fields(sample(2), new=np.zeros(2000)), "accuracy")
    assert found.reasons[-1] == "only one window has new; not compared"


def test_a_metric_that_is_no_mean_has_a_drop_and_no_parts() -> None:
    found = attribute(sample(11, 4000), sample(12, 4000, relation=flipped), "average_precision")
    assert (found.drift, found.remedy) == (Drift.UNDECIDED, Remedy.WAIT)
    assert found.reasons == ("average_precision is no mean of losses and is not measured under weights",)
    assert found.drop.low is not None
    assert found.drop.low > 0
    assert found.slices[0].drop.name == "accuracy"
    assert_says_something(found)


@pytest.mark.parametrize(("size", "reason"), [(1e200, "too large for an interval"), (1e307, "too large")])
def test_numbers_beyond_a_float_are_undecided_and_no_peace(size: float, reason: str) -> None:
    found = attribute(*numbers(4, 2000, cost=3.0, size=size), "mae")
    assert found.drift is Drift.UNDECIDED
    assert reason in found.reasons[0]
    assert_says_something(found)


def test_losses_as_small_as_one_likes_are_told_apart() -> None:
    found = attribute(*numbers(4, 2000, cost=3.0, size=1e-12), "mae")
    assert found.drift is Drift.CONCEPT
    assert found.concept.value == pytest.approx(2.2e-12, rel=0.1)


def test_what_is_asked_wrongly_is_refused() -> None:
    with pytest.raises(BadInput, match="metric"):
        attribute(sample(1), sample(2), "mae")
    with pytest.raises(BadInput, match="confidence"):
        attribute(sample(1), sample(2), "auc", confidence=1.0)
    with pytest.raises(BadInput, match="tolerance"):
        attribute(sample(1), sample(2), "auc", tolerance=math.nan)
