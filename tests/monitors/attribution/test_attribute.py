"""Which drift is named, what the parts sum to, and that nothing one feeds it is ever an exception or a NaN."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.monitors.attribution.windows_of import Chance, chance_of, flipped, sample, with_fields

from headgate.errors import BadInput
from headgate.evaluation.estimate import Estimate
from headgate.evaluation.rows import Column, Rows
from headgate.monitors.attribution.attribute import Attribution, attribute, attributions
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.attribution.samples import MOST, Sample
from headgate.vocabulary import Task

PARTS = ("data", "concept", "unshared")


def figures(found: Attribution) -> list[Estimate]:
    slices = [each for part in found.slices for each in (part.drop, part.concept)]
    return [found.reference, found.current, found.drop, *(getattr(found, part) for part in PARTS), *slices]


def floats(value: Any) -> Iterator[float]:
    """Every float in nested lists and objects."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from floats(each)


def assert_says_something(found: Attribution) -> None:
    """No NaN anywhere, and a reason beside whatever is missing."""
    for figure in figures(found):
        numbers = [each for each in (figure.value, figure.low, figure.high) if each is not None]
        assert all(math.isfinite(each) for each in numbers), figure
        assert len(numbers) == 3 or figure.reason, figure
    if found.drift in (Drift.UNDECIDED, Drift.BROKEN):
        assert found.reasons
    assert all(math.isfinite(each) for each in floats(msgspec.to_builtins(found)))


@pytest.mark.parametrize(
    ("shift", "relation", "drift", "remedy"),
    [
        (0.0, chance_of, Drift.NONE, Remedy.NOTHING),
        (-0.7, chance_of, Drift.DATA, Remedy.NOTHING),
        (0.0, flipped, Drift.CONCEPT, Remedy.RELEARN),
        (0.7, flipped, Drift.BOTH, Remedy.RELEARN),
    ],
)
@pytest.mark.parametrize("metric", ["accuracy", "log_loss", "auc"])
def test_the_drift_that_was_planted_is_named(
    shift: float, relation: Chance, drift: Drift, remedy: Remedy, metric: str
) -> None:
    found = attribute(sample(11, 4000), sample(12, 4000, shift=shift, relation=relation), metric)
    assert_says_something(found)
    assert found.drift is drift
    if metric == "accuracy":
        assert found.remedy in (remedy, Remedy.REWEIGHT) if drift is Drift.DATA else found.remedy is remedy
    assert [each.field for each in found.shifts] == (["x"] if shift else [])


def test_parts_sum_to_the_drop_and_the_drop_to_the_figures() -> None:
    found = attribute(sample(1), sample(2, shift=1.5, relation=flipped), "auc")
    assert found.checks is not None
    assert found.checks.current_share < 1
    parts = [getattr(found, part).value for part in PARTS]
    assert sum(parts) == pytest.approx(found.drop.value)
    assert found.reference.value is not None
    assert found.current.value is not None
    assert found.reference.value - found.current.value == pytest.approx(found.drop.value)


def test_several_metrics_are_told_as_one_by_one() -> None:
    before, now = sample(1), sample(2, shift=0.5)
    together = attributions(before, now, ["accuracy", "brier"])
    assert together["brier"] == attribute(before, now, "brier")
    assert list(together) == ["accuracy", "brier"]


def test_numbers_have_a_drop_in_their_own_unit() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=4000)
    truth = 10 * x + random.normal(size=4000) + np.repeat((0.0, 3.0), 2000)
    rows = Rows(Task.REGRESSION, truth, 10 * x, None)
    early, now = np.arange(2000), np.arange(2000, 4000)
    for name, drop in (("mae", 2.2), ("rmse", 2.16)):
        found = attribute(Sample({"x": x[early]}, rows.take(early)), Sample({"x": x[now]}, rows.take(now)), name)
        assert found.drift is Drift.CONCEPT
        assert found.concept.value == pytest.approx(drop, abs=0.15)


def test_a_tolerance_is_a_cost_that_nobody_minds() -> None:
    before, now = sample(11, 4000), sample(12, 4000, relation=flipped)
    assert attribute(before, now, "accuracy").drift is Drift.CONCEPT
    assert attribute(before, now, "accuracy", tolerance=0.2).drift is Drift.NONE


def test_windows_without_a_common_row_leave_the_relation_open() -> None:
    found = attribute(sample(1), sample(2, shift=9.0), "accuracy")
    assert (found.drift, found.remedy) == (Drift.UNDECIDED, Remedy.COLLECT)
    assert "too little in common" in found.reasons[0]
    assert found.drop.known
    assert not found.concept.known
    assert_says_something(found)


def test_a_field_that_is_gone_is_mended_first() -> None:
    now = sample(2)
    found = attribute(sample(1), with_fields(now, x=np.full(2000, np.nan)), "accuracy")
    assert (found.drift, found.remedy) == (Drift.DATA, Remedy.FIX_FIELD)
    assert [(each.field, each.kind) for each in found.faults] == [("x", "missing")]
    assert "x is missing in 100% of the current rows, in 0% of the reference's" in found.reasons
    assert_says_something(found)


def test_a_field_missing_in_part_leaves_the_rest_to_be_judged() -> None:
    now = sample(2)
    holes = np.where(np.arange(2000) % 3 == 0, np.nan, np.asarray(now.fields["x"]))
    found = attribute(sample(1), with_fields(now, x=holes), "accuracy")
    assert (found.drift, found.remedy) == (Drift.DATA, Remedy.FIX_FIELD)
    assert found.concept.known
    assert found.checks is not None
    assert found.checks.current_share == pytest.approx(2 / 3, abs=0.02)


def test_another_unit_is_no_changed_relation() -> None:
    now = sample(2)
    before = with_fields(sample(1), t=20 + 8 * np.asarray(sample(1).fields["z"]))
    found = attribute(before, with_fields(now, t=68 + 14.4 * np.asarray(now.fields["z"])), "accuracy")
    assert (found.drift, found.remedy) == (Drift.DATA, Remedy.FIX_FIELD)
    assert "Fahrenheit" in found.reasons[0]


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
    before, now = (
        Sample(each.fields, replace(each.rows, truth=np.asarray(each.rows.predicted))) for each in (sample(11), sample(12))
    )
    found = attribute(before, now, "accuracy")
    assert found.drift is Drift.NONE
    assert_says_something(found)


def test_what_cannot_be_compared_is_broken_and_says_why() -> None:
    before, now = sample(1), sample(2)
    numbers = Rows(Task.REGRESSION, np.zeros(2000), np.zeros(2000), None)
    others = replace(now.rows, classes=("no", "yes"))
    for strange, reason in (
        (Sample(now.fields, numbers), "a regression one"),
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


def test_a_metric_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput):
        attribute(sample(1), sample(2), "mae")
