"""The calibration table in its short form: others alarm as often as is known of them, and ours as often as it says."""

import numpy as np
import pytest
from benchmarks.monitors import calibration, rules

CASES = {(each.rule, each.setting): each for each in calibration.cases()}


def seen(rule: str, setting: str, runs: int = 150) -> tuple[float, float]:
    """How often their rule and ours alarm without drift."""
    return calibration.shares(CASES[rule, setting], np.random.default_rng(1), 0.0, runs)


@pytest.mark.parametrize(
    ("rule", "setting", "published"),
    [
        ("Evidently chi-square, p < 0.05", "k=3, 1000/1000", 0.24),
        ("Evidently chi-square, p < 0.05", "k=10, 1000/1000", 0.48),
        ("Evidently chi-square, p < 0.05", "k=10, 1000/200", 0.13),
        ("Evidently chi-square, p < 0.05", "k=10, 1000/5000", 0.97),
        ("Evidently Wasserstein >= 0.1", "5000/100", 0.71),
        ("Evidently Wasserstein >= 0.1", "5000/500", 0.06),
        ("Evidently Jensen-Shannon >= 0.1", "k=10, 5000/100", 0.59),
        ("Evidently Jensen-Shannon >= 0.1", "k=50, 5000/500", 0.93),
        ("PSI > 0.1", "10 deciles, 500/50", 0.86),
        ("PSI > 0.1", "10 deciles, 1000/100", 0.46),
    ],
)
def test_others_cry_wolf_as_often_as_known_and_ours_as_often_as_said(rule: str, setting: str, published: float) -> None:
    theirs, ours = seen(rule, setting)
    assert theirs == pytest.approx(published, abs=0.03 + 3 * (published * (1 - published) / 150) ** 0.5)
    assert ours <= rules.with_chance(rules.ALPHA, 150)


def test_of_twenty_columns_one_alarms_no_more_often_than_said() -> None:
    theirs, ours = seen("KS p < 0.05 on any", "20 columns, 2000/200", runs=40)
    assert theirs > 0.4
    assert ours <= rules.with_chance(rules.ALPHA, 40)


def test_beside_ten_chunks_of_a_reference_ours_keeps_what_three_deviations_promise() -> None:
    _, ours = seen("NannyML Jensen-Shannon, mean + 3 sd", "10 chunks of 1000", runs=20)
    assert ours <= rules.with_chance(rules.THREE_SIGMA, 20)


def test_what_has_moved_is_found() -> None:
    for each in (CASES["Evidently Wasserstein >= 0.1", "5000/500"], CASES["PSI > 0.1", "10 deciles, 5000/500"]):
        assert calibration.shares(each, np.random.default_rng(2), 0.5, 40)[1] == 1.0


def test_false_alarms_are_held_to_the_nominal_rate() -> None:
    row = {"rule": "r", "setting": "s", "nominal": 0.05, "runs": 2000}
    assert [each["ok"] for each in calibration.gates([{**row, "ours": 0.064}, {**row, "ours": 0.066}])] == [True, False]
