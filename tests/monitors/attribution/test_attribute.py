"""Which drift is named, which remedy, what the parts sum to, and what is said of a field that arrives broken."""

import numpy as np
import pytest
from tests.monitors.attribution.said import PARTS, assert_says_something
from tests.monitors.attribution.windows_of import Chance, chance_of, flipped, numbers, sample, with_fields

from headgate.monitors.attribution.attribute import attribute, attributions
from headgate.monitors.attribution.faults import FaultKind
from headgate.monitors.attribution.kinds import Drift, Remedy


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


@pytest.mark.parametrize(("metric", "drop"), [("mae", 2.2), ("rmse", 2.16)])
def test_numbers_have_a_drop_in_their_own_unit(metric: str, drop: float) -> None:
    found = attribute(*numbers(4, 2000, cost=3.0), metric)
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
    assert found.reasons[-1] == "x alone tells the windows apart; leave it out if it counts or is a clock"
    assert found.drop.known
    assert not found.concept.known
    assert_says_something(found)


def test_rows_without_a_counterpart_are_named() -> None:
    found = attribute(sample(1, 4000), sample(2, 4000, shift=2.0), "log_loss")
    assert found.checks is not None
    assert 0.05 < 1 - found.checks.current_share < 0.5
    assert found.gaps[0].field == "x"
    assert found.gaps[0].unshared > 2 * (1 - found.checks.current_share)
    assert f"have no counterpart in the reference, above all where x is {found.gaps[0].value}" in found.reasons[0]
    assert attribute(sample(11), sample(12), "log_loss").gaps == ()


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


def test_texts_in_place_of_numbers_are_a_fault() -> None:
    before, now = sample(1), sample(2)
    spelled = [f"{each:.3f}" for each in np.asarray(now.fields["x"])]
    found = attribute(before, with_fields(now, x=spelled), "accuracy")
    assert (found.drift, found.remedy) == (Drift.DATA, Remedy.FIX_FIELD)
    assert found.faults[0].kind is FaultKind.TYPE
    assert found.reasons[0] == "x holds texts where it held numbers"
    assert_says_something(found)
