"""One group against another by AIF360's measures, with their sign, and intervals against published ones."""

import numpy as np
import pytest
from tests.monitors.fairness.counted import BY_HAND, CLASSES, group_of, measured

from headgate.monitors.answered import Answered
from headgate.monitors.fairness.measure import fairness
from headgate.monitors.fairness.signed import signed
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task


def test_aif360s_measures_are_signed_by_the_privileged_group() -> None:
    found = measured(BY_HAND)
    made = signed(group_of(found, "f"), group_of(found, "m"))
    assert made.statistical_parity_difference.value == pytest.approx(-0.25)
    assert made.disparate_impact.value == pytest.approx(0.4 / 0.65)
    assert made.equal_opportunity_difference.value == pytest.approx(0.75 - 0.9)
    assert made.average_odds_difference.value == pytest.approx(((10 / 60 - 20 / 50) + (0.75 - 0.9)) / 2)
    turned = signed(group_of(found, "m"), group_of(found, "f"))
    assert turned.statistical_parity_difference.low == pytest.approx(-(made.statistical_parity_difference.high or 0))


def test_newcombes_own_example() -> None:
    # Newcombe 1998, table II: 56/70 less 48/80 by method 10 is 0.0524 to 0.3339.
    called = np.concatenate([np.repeat([1, 0], [56, 14]), np.repeat([1, 0], [48, 32])])
    said = Answered(Task.BINARY, called, None, CLASSES)
    found = fairness(said, None, {"arm": np.repeat(["a", "b"], [70, 80])})
    assert not isinstance(found, Shortfall)
    each = signed(*found[0].treated.groups).statistical_parity_difference
    assert each.low == pytest.approx(0.0524, abs=5e-5)
    assert each.high == pytest.approx(0.3339, abs=5e-5)


def test_a_ratio_of_nobody_is_bounded_above() -> None:
    called = np.concatenate([np.zeros(100, np.int64), np.tile([1, 0], 50)])
    found = fairness(Answered(Task.BINARY, called, None, CLASSES), None, {"arm": np.repeat(["a", "b"], 100)})
    assert not isinstance(found, Shortfall)
    none, some = found[0].treated.groups
    nobody = signed(none, some).disparate_impact
    assert (nobody.value, nobody.low) == (0.0, 0.0)
    assert nobody.high is not None
    assert none.selection_rate.high is not None
    assert none.selection_rate.high < nobody.high < 0.1
    assert signed(some, none).disparate_impact.value is None
    assert signed(some, none).equal_opportunity_difference.value is None
    assert signed(some, none).average_odds_difference.reason
