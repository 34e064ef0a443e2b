"""Columns, broken fields, the ranking of fields, the weakest slices, and the name that follows from all of it."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.monitors.attribution.windows_of import flipped, sample, with_fields

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.metrics import metric
from headgate.evaluation.weighted import reweighable
from headgate.monitors.attribution.attribute import attribute
from headgate.monitors.attribution.basis import JOINT, MOST, basis, moved
from headgate.monitors.attribution.faults import FaultKind, faults
from headgate.monitors.attribution.kinds import Drift, Findings, Remedy, named
from headgate.monitors.attribution.pooled import Field, pooled
from headgate.monitors.attribution.ranking import PLAYERS, shapley, shifts
from headgate.monitors.attribution.split import Effect, Split, worse
from headgate.monitors.attribution.weakness import losses

ROWS = 1500
CURRENT = np.arange(2 * ROWS) >= ROWS
Floats = NDArray[np.float64]


def normal(seed: int, shift: float = 0.0, spread: float = 1.0) -> Floats:
    values = np.random.default_rng(seed).normal(size=2 * ROWS)
    values[CURRENT] = spread * values[CURRENT] + shift
    return values


def surely_moved(*fields: Field) -> list[str]:
    return [each.field for each in moved(basis(fields), CURRENT) if each.log_p < math.log(0.01)]


def test_whatever_moves_in_a_field_is_seen() -> None:
    choice = np.random.default_rng(1).random(2 * ROWS)
    colours = np.where(choice < np.where(CURRENT, 0.35, 0.25), "red", "blue")
    holes = np.where(np.random.default_rng(2).random(2 * ROWS) < np.where(CURRENT, 0.1, 0.03), np.nan, normal(5))
    fields = {
        "mean": Field("mean", normal(1, shift=0.25)),
        "spread": Field("spread", normal(2, spread=1.3)),
        "colour": Field("colour", colours),
        "holes": Field("holes", holes),
        "still": Field("still", normal(3)),
    }
    assert sorted(surely_moved(*fields.values())) == ["colour", "holes", "mean", "spread"]


def test_fields_that_go_together_otherwise_are_seen_jointly() -> None:
    x = normal(1)
    y = np.where(CURRENT, -x, x) + normal(2)
    assert surely_moved(Field("x", x), Field("y", y)) == [JOINT]


def test_fields_that_did_not_move_hardly_ever_seem_to() -> None:
    seen = 0
    for seed in range(200):
        random = np.random.default_rng([7, seed])
        names = np.array(["a", "b", "c"])[random.integers(3, size=2 * ROWS)]
        numbers = (Field(str(place), random.normal(size=2 * ROWS)) for place in range(3))
        seen += bool(surely_moved(Field("names", names), *numbers))
    assert seen / 200 <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 200)


def test_numbers_are_seen_by_rank_alone() -> None:
    values = normal(1, shift=0.3)
    plain, bent = basis([Field("a", values)]), basis([Field("a", np.exp(3 * values))])
    assert plain.matrix == pytest.approx(bent.matrix)


def test_many_columns_are_cut_to_those_that_moved_most() -> None:
    fields = [Field(str(place), normal(place, shift=0.5 * (place == 40))) for place in range(41)]
    made = basis(fields)
    assert made.matrix.shape[1] == 41 * 4
    assert made.widest(CURRENT).shape[1] == MOST
    farthest = np.abs(made.distances(CURRENT)).max()
    assert np.abs(made.widest(CURRENT)[CURRENT].mean(axis=0) - made.widest(CURRENT)[~CURRENT].mean(axis=0)).max() == (
        pytest.approx(farthest)
    )


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (lambda x: np.where(np.arange(len(x)) % 2, np.nan, x), FaultKind.MISSING),
        (lambda x: np.where(np.arange(len(x)) % 2, 0.0, x), FaultKind.FILLED),
        (lambda x: np.full(len(x), 7.0), FaultKind.FILLED),
        (lambda x: 1000 * x, FaultKind.UNIT),
        (lambda x: 0.3048 * x, FaultKind.UNIT),
        (lambda x: 1.8 * x + 32, FaultKind.UNIT),
        (lambda x: x, None),
        (lambda x: 1.2 * x, None),
        (lambda x: x + 10, None),
    ],
)
def test_a_broken_number_is_told_from_one_that_drifts(now: Callable[[Floats], Floats], kind: FaultKind | None) -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(50, 10, ROWS), random.normal(50, 10, ROWS)
    found = faults([Field("x", np.concatenate((before, now(after))))], CURRENT)
    assert [each.kind for each in found] == ([] if kind is None else [kind])


def test_names_never_seen_are_a_fault_unless_they_never_repeat() -> None:
    random = np.random.default_rng(4)
    codes = random.integers(5, size=2 * ROWS)
    spoken = np.where(CURRENT, np.char.add("C", codes.astype(str)), np.char.add("c", codes.astype(str)))
    [found] = faults([Field("code", spoken)], CURRENT)
    assert found.kind is FaultKind.UNKNOWN
    assert found.says == "has values that the reference never had in 100% of the current rows"
    assert faults([Field("id", np.arange(2 * ROWS).astype(str))], CURRENT) == ()


def test_shapley_values_sum_to_the_worth_of_all_and_treat_equals_alike() -> None:
    players = "abc"
    worth: dict[frozenset[str], float | None] = {
        frozenset(each): float(len(each) ** 2) for size in range(4) for each in itertools.combinations(players, size)
    }
    assert shapley(players, worth) == pytest.approx(dict.fromkeys(players, 3.0))
    worth[frozenset("ab")] = None
    assert shapley(players, worth) == dict.fromkeys(players)
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
    found = shifts(sure, columns, CURRENT, worse(metric("accuracy"), measure))
    own = [each for each in found if each.field != JOINT]
    assert [each.cost is None for each in own] == [False] * PLAYERS + [True] * 2
    assert all(each.reason for each in own if each.cost is None)
    silent = shifts(sure, columns, CURRENT, Undefined("no labels"))
    assert {each.reason for each in silent if each.field != JOINT} == {"no labels"}


def test_the_slice_that_got_worse_comes_first() -> None:
    found = attribute(sample(11, 4000), sample(12, 4000, relation=flipped), "accuracy")
    worst = found.slices[0]
    assert worst.field == "y"
    assert worst.drop.low is not None
    assert worst.drop.low > 0.02
    assert worst.concept.value is not None
    assert worst.concept.value == pytest.approx(worst.drop.value, abs=0.05)
    lows = [each.drop.low for each in found.slices]
    assert lows == sorted(lows, key=lambda low: -(low or 0.0))


def test_slices_of_a_ranking_are_judged_by_how_often_they_are_right() -> None:
    before, now = sample(1), sample(2)
    told = losses(metric("auc"), before.rows, now.rows)
    assert not isinstance(told, Undefined)
    assert told[0] == "accuracy"
    assert set(np.unique(told[1])) == {-1.0, 0.0}
    assert isinstance(losses(metric("auc"), before.rows, replace(now.rows, predicted=None)), Undefined)


def effect(value: float, error: float) -> Effect:
    """An effect with that standard error."""
    return Effect(value, np.tile([error, -error], 500) * math.sqrt(999))


def divided(concept: float, data: float = 0.0, unshared: float = 0.0) -> Split:
    parts = [effect(each, 0.01) for each in (concept + data + unshared, data, concept, unshared)]
    return Split(*parts)


@pytest.mark.parametrize(
    ("findings", "drift", "remedy"),
    [
        (Findings(False, (), divided(0.0), (), 0.0), Drift.NONE, Remedy.NOTHING),
        (Findings(True, (), divided(0.0), (), 0.0), Drift.DATA, Remedy.NOTHING),
        (Findings(True, (), divided(0.0, data=0.1), (), 0.0), Drift.DATA, Remedy.REWEIGHT),
        (Findings(True, (), divided(0.0, unshared=0.1), (), 0.3), Drift.DATA, Remedy.COLLECT),
        (Findings(True, (), divided(0.0), (), 0.3), Drift.DATA, Remedy.NOTHING),
        (Findings(False, (), divided(0.1), (), 0.0), Drift.CONCEPT, Remedy.RELEARN),
        (Findings(False, (), divided(-0.1), (), 0.0), Drift.CONCEPT, Remedy.RELEARN),
        (Findings(True, (), divided(0.1), (), 0.0), Drift.BOTH, Remedy.RELEARN),
        (Findings(False, (), divided(0.0, data=0.1), (), 0.0), Drift.UNDECIDED, Remedy.WAIT),
        (Findings(True, (), divided(0.1), ("too few",), 0.0), Drift.UNDECIDED, Remedy.WAIT),
        (Findings(True, (), None, ("no value",), 0.9), Drift.UNDECIDED, Remedy.COLLECT),
    ],
)
def test_a_drift_follows_from_the_findings(findings: Findings, drift: Drift, remedy: Remedy) -> None:
    assert named(findings, 2.576, 0.0)[:2] == (drift, remedy)


def test_a_fault_is_the_first_thing_to_mend() -> None:
    [fault] = faults([Field("x", np.where(CURRENT, 1.0, normal(1)))], CURRENT)
    assert fault.hides_relation
    for split, against in ((divided(0.0), ()), (divided(0.1), ()), (None, ("it no longer means what it meant",))):
        drift, remedy, reasons = named(Findings(True, (fault,), split, against, 0.0), 2.576, 0.0)
        assert remedy is Remedy.FIX_FIELD
        assert drift in (Drift.DATA, Drift.BOTH)
        assert reasons[0].startswith("x has one and the same value")


def test_columns_of_any_type_come_under_each_other() -> None:
    [mixed] = pooled({"a": np.array([1, 2])}, {"a": np.array(["x"])})
    assert mixed.values.tolist() == ["1", "2", "x"]
    early, late = np.array(["2024-01-01", "NaT"], "datetime64[D]"), np.array(["2024-01-02"], "datetime64[s]")
    [days] = pooled({"a": early}, {"a": late})
    assert days.missing.tolist() == [False, True, False]
    assert days.values[2] - days.values[0] == 86_400 * 10**6
