"""Which field's shift costs how much: shares that sum to the whole, and none for what did not matter."""

import itertools
import math

import numpy as np
import pytest
from tests.monitors.attribution.windows_of import CURRENT, ROWS, normal, sample, with_fields

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.metrics import metric
from headgate.evaluation.weighted import reweighable
from headgate.monitors.attribution.attribute import attribute
from headgate.monitors.attribution.basis import JOINT, basis, moved
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.attribution.ranking import PLAYERS, Ratios, shapley, shifts
from headgate.monitors.attribution.split import worse


def test_shapley_values_sum_to_the_worth_of_all_and_treat_equals_alike() -> None:
    players = "abc"
    worth = {
        frozenset(each): float(len(each) ** 2) for size in range(4) for each in itertools.combinations(players, size)
    }
    assert shapley(players, worth) == pytest.approx(dict.fromkeys(players, 3.0))
    assert shapley("", {frozenset(): 1.0}) == {}


def test_the_field_whose_shift_costs_is_ranked_first() -> None:
    """Losses depend on x and not on z; both move as far."""
    before, now = sample(1, 4000), sample(2, 4000, shift=-0.8)
    shifted = with_fields(now, z=np.asarray(now.fields["z"]) + 0.8)
    found = attribute(before, shifted, "log_loss")
    costs = {each.field: each.cost for each in found.shifts}
    assert set(costs) == {"x", "z"}
    assert found.shifts[0].field == "x"
    assert costs["z"] == pytest.approx(0.0, abs=0.03)
    assert costs["x"] == pytest.approx(found.data.value, abs=0.03)


def test_fields_beyond_the_players_are_named_without_a_cost() -> None:
    fields = [Field(str(place), normal(place, shift=0.4)) for place in range(PLAYERS + 2)]
    columns = basis(fields)
    measure = reweighable(metric("accuracy"), sample(1, ROWS).rows)
    assert not isinstance(measure, Undefined)
    sure = [each for each in moved(columns, CURRENT) if each.log_p < math.log(0.01)]
    found = shifts(sure, Ratios(columns, CURRENT), worse(metric("accuracy"), measure))
    own = [each for each in found if each.field != JOINT]
    assert [each.cost is None for each in own] == [False] * PLAYERS + [True] * 2
    assert all(each.reason for each in own if each.cost is None)
    silent = shifts(sure, Ratios(columns, CURRENT), Undefined("no labels"))
    reasons = [each.reason for each in silent if each.field != JOINT]
    assert reasons.count("no labels") == PLAYERS
