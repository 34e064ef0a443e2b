"""Rates per group and the distances between groups, against tables counted by hand and Fairlearn's definitions."""

import numpy as np
import pytest
from tests.monitors.fairness.counted import BY_HAND, CLASSES, Column, group_of, measured, table

from headgate.errors import BadInput
from headgate.monitors.answered import Answered
from headgate.monitors.fairness.gaps import GAPS, Method
from headgate.monitors.fairness.measure import fairness
from headgate.monitors.standing import Shortfall, Standing
from headgate.vocabulary import Task


def test_rates_are_those_counted_by_hand() -> None:
    found = measured(BY_HAND)
    men = group_of(found, "m")
    assert (men.rows, men.labelled) == (100, 100)
    assert men.selection_rate.value == 0.65
    assert (men.true_positive_rate.value, men.true_positive_rate.rows) == (0.9, 50)
    assert (men.false_positive_rate.value, men.false_positive_rate.rows) == (0.4, 50)
    assert men.selection_rate.low is not None
    assert men.selection_rate.low < 0.65
    assert found.treated.overall.selection_rate.value == pytest.approx(130 / 300)


def test_gaps_are_those_counted_by_hand() -> None:
    found = {name: each.estimate.value for name, each in measured(BY_HAND).gaps.items()}
    assert found == pytest.approx(
        {
            "demographic_parity_difference": 0.65 - 0.25,
            "demographic_parity_ratio": 0.25 / 0.65,
            "equal_opportunity_difference": 0.9 - 0.5,
            "equal_opportunity_ratio": 0.5 / 0.9,
            "equalized_odds_difference": max(0.9 - 0.5, 20 / 50 - 5 / 60),
            "equalized_odds_ratio": min(0.5 / 0.9, (5 / 60) / (20 / 50)),
        }
    )
    parity = measured(BY_HAND).gaps["demographic_parity_difference"]
    assert (parity.lowest, parity.highest) == ("x", "m")


def by_definition(truth: Column, called: Column, group: Column, method: Method) -> dict[str, float]:
    """Fairlearn's MetricFrame, difference and ratio, written out."""

    def frame(chosen: Column) -> tuple[list[float], float]:
        rates = [float(called[chosen & (group == each)].mean()) for each in np.unique(group)]
        return rates, float(called[chosen].mean())

    def difference(chosen: Column) -> float:
        rates, overall = frame(chosen)
        if method is Method.BETWEEN_GROUPS:
            return max(rates) - min(rates)
        return max(abs(each - overall) for each in rates)

    def ratio(chosen: Column) -> float:
        rates, overall = frame(chosen)
        if method is Method.BETWEEN_GROUPS:
            return min(rates) / max(rates)
        return min(min(each / overall, overall / each) for each in rates)

    everyone = np.ones(len(truth), dtype=bool)
    positive, negative = truth == 1, truth == 0
    return {
        "demographic_parity_difference": difference(everyone),
        "demographic_parity_ratio": ratio(everyone),
        "equal_opportunity_difference": difference(positive),
        "equal_opportunity_ratio": ratio(positive),
        "equalized_odds_difference": max(difference(positive), difference(negative)),
        "equalized_odds_ratio": min(ratio(positive), ratio(negative)),
    }


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_fairlearns(method: Method, seed: int) -> None:
    draw = np.random.default_rng(seed)
    cells = {str(each): tuple(draw.integers(15, 60, 4).tolist()) for each in range(2 + seed)}
    assert measured(cells, method).gaps.keys() == set(GAPS)
    found = {name: each.estimate.value for name, each in measured(cells, method).gaps.items()}
    assert found == pytest.approx(by_definition(*table(cells), method))


@pytest.mark.parametrize("alike", [True, False])
def test_intervals_cover_at_least_as_often_as_they_say(alike: bool) -> None:
    draw = np.random.default_rng(61)
    rates = np.array([0.3, 0.3, 0.3, 0.3] if alike else [0.2, 0.35, 0.3, 0.5])
    least, most = float(rates.min()), float(rates.max())
    true = {"demographic_parity_difference": most - least, "demographic_parity_ratio": least / most}
    group = np.repeat(["a", "b", "c", "d"], 150)
    covered, runs = dict.fromkeys(true, 0), 200
    for _ in range(runs):
        called = (draw.random(600) < np.repeat(rates, 150)).astype(np.int64)
        found = fairness(Answered(Task.BINARY, called, None, CLASSES), None, {"g": group})
        assert not isinstance(found, Shortfall)
        for name, value in true.items():
            each = found[0].gaps[name].estimate
            assert each.low is not None
            assert each.high is not None
            covered[name] += each.low <= value <= each.high
    assert min(covered.values()) >= 0.95 * runs


def test_a_limit_is_decided_by_the_interval() -> None:
    wide = measured(BY_HAND).gaps["demographic_parity_difference"]
    assert wide.within(0.1) is False
    assert wide.within(0.4) is None
    assert wide.within(0.9) is True


def test_crossed_fields_and_groups_that_are_too_small() -> None:
    draw = np.random.default_rng(62)
    said = Answered(Task.BINARY, draw.integers(0, 2, 500), None, CLASSES)
    sex, region = np.repeat(["f", "m"], 250), np.array(["n"] * 490 + ["s"] * 10)
    found = fairness(said, None, {"sex": sex, "region": region})
    assert not isinstance(found, Shortfall)
    assert [each.field for each in found] == ["sex", "region", "sex and region"]
    assert [each.name for each in found[2].treated.groups] == ["sex=f, region=n", "sex=m, region=n"]
    assert found[2].treated.too_small == (("sex=m, region=s", 10),)
    lone = found[1].gaps["demographic_parity_difference"].estimate
    assert lone.value is None
    assert lone.reason == "fewer than two groups are large enough for their selection rate"


def test_without_labels_only_selection_is_known() -> None:
    said = Answered(Task.BINARY, np.tile([0, 1], 100), None, CLASSES)
    found = fairness(said, np.full(200, -2), {"sex": ["f"] * 100 + ["m"] * 100})
    assert not isinstance(found, Shortfall)
    assert found[0].treated.groups[0].true_positive_rate.value is None
    assert found[0].gaps["demographic_parity_difference"].estimate.value == 0.0
    assert found[0].gaps["equalized_odds_ratio"].estimate.value is None


def test_a_rate_of_nought_everywhere_has_no_ratio() -> None:
    said = Answered(Task.BINARY, np.zeros(200, np.int64), None, CLASSES)
    found = fairness(said, None, {"sex": ["f"] * 100 + ["m"] * 100})
    assert not isinstance(found, Shortfall)
    assert found[0].gaps["demographic_parity_difference"].estimate.value == 0.0
    ratio = found[0].gaps["demographic_parity_ratio"].estimate
    assert ratio.value is None
    assert ratio.reason == "the rate is 0 in every group"


def test_a_group_that_is_overrated_shows_in_its_calibration() -> None:
    draw = np.random.default_rng(63)
    stated = draw.beta(2, 2, 4000)
    first = np.arange(4000) < 2000
    truth = (draw.random(4000) < np.where(first, stated, 0.7 * stated)).astype(np.int64)
    said = Answered(Task.BINARY, (stated > 0.5).astype(np.int64), np.column_stack((1 - stated, stated)), CLASSES)
    found = fairness(said, truth, {"first": first})
    assert not isinstance(found, Shortfall)
    other, own = found[0].treated.groups
    assert own.calibration_gap.low is not None
    assert own.calibration_gap.high is not None
    assert own.calibration_gap.low < 0 < own.calibration_gap.high
    assert other.calibration_gap.value == pytest.approx(0.15, abs=0.03)


def test_a_group_whose_labels_are_all_alike_is_not_calibrated_for_sure() -> None:
    said = Answered(Task.BINARY, np.ones(100, np.int64), np.tile([0.05, 0.95], (100, 1)), CLASSES)
    found = fairness(said, np.ones(100, np.int64), {"sex": ["f", "m"] * 50})
    assert not isinstance(found, Shortfall)
    gap = found[0].treated.groups[0].calibration_gap
    assert gap.value == pytest.approx(-0.05)
    assert gap.low == pytest.approx(-0.05)
    assert gap.high is not None
    # Wilson: of 50 that are all positive, 92.9 % or more are.
    assert gap.high == pytest.approx(0.95 - 50 / (50 + 1.96**2), abs=1e-4)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    scores = np.tile([0.3, 0.9], (100, 1))
    said = Answered(Task.BINARY, np.ones(100, np.int64), scores, CLASSES)
    found = fairness(said, np.tile([0, 1], 50), {"sex": ["f", "m"] * 50})
    assert not isinstance(found, Shortfall)
    gap = found[0].treated.groups[0].calibration_gap
    assert (gap.value, gap.reason) == (None, "the scores are not probabilities: some rows do not sum to 1")
    scores[:60] = np.nan
    scores[60:] = 0.5
    found = fairness(said, np.tile([0, 1], 50), {"sex": ["f", "m"] * 50})
    assert not isinstance(found, Shortfall)
    assert found[0].treated.groups[0].calibration_gap.rows == 20


def test_one_class_of_many_can_be_the_one_that_counts() -> None:
    said = Answered(Task.MULTICLASS, np.tile([0, 1, 2, 2], 50), None, ("a", "b", "c"))
    found = fairness(said, None, {"sex": ["f", "m"] * 100}, positive=2)
    assert not isinstance(found, Shortfall)
    assert [each.selection_rate.value for each in found[0].treated.groups] == [0.5, 0.5]
    with pytest.raises(BadInput, match="say which of the 3 classes"):
        fairness(said, None, {"sex": ["f", "m"] * 100})


def test_what_cannot_be_compared_says_why() -> None:
    number = Answered(Task.REGRESSION, np.zeros(3), None)
    empty = Answered(Task.BINARY, np.zeros(0, np.int64), None, CLASSES)
    silent = Answered(Task.BINARY, None, np.full((3, 2), 0.5), CLASSES)
    cases: list[tuple[Answered, dict[str, list[str]], Standing]] = [
        (number, {"sex": ["f"] * 3}, Standing.UNDECIDED),
        (empty, {"sex": []}, Standing.UNDECIDED),
        (silent, {"sex": ["f"] * 3}, Standing.BROKEN),
        (Answered(Task.BINARY, np.zeros(3, np.int64), None, CLASSES), {}, Standing.UNDECIDED),
    ]
    for said, fields, standing in cases:
        found = fairness(said, None, fields)
        assert isinstance(found, Shortfall)
        assert found.standing is standing
        assert found.reason
    with pytest.raises(BadInput, match="between 0 and 1"):
        fairness(Answered(Task.BINARY, np.zeros(3, np.int64), None, CLASSES), None, {"sex": ["f"] * 3}, confidence=95)
    with pytest.raises(BadInput, match="2 values for 3 answers"):
        fairness(Answered(Task.BINARY, np.zeros(3, np.int64), None, CLASSES), None, {"sex": ["f", "m"]})
