"""Groups that come to be treated unlike are found, those that always were are shown, and of people nothing is kept."""

from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.watch.answers import BINARY, MONDAY, VERSION, answered, day

from headgate.alerts.finding import Finding, checked
from headgate.contracts.contract import Output
from headgate.monitors.alarms.terms import Budget, Terms
from headgate.monitors.answered import Answered
from headgate.monitors.fairness.measure import fairness
from headgate.monitors.standing import Standing
from headgate.monitors.watch.fairness import FAIRNESS, WEEKS, Fairness, FairnessState
from headgate.monitors.watch.gaps import JUDGED, gaps_of
from headgate.monitors.watch.monitor import Portion, Told
from headgate.vocabulary import DAY, Micros, Task

TERMS = Terms(Budget.of("at most one per 90 days", (FAIRNESS,)))
MONITOR = Fairness("default", "churn", VERSION, BINARY, ("sex",), TERMS, 0.01)


def portion(
    number: int, random: np.random.Generator, rows: int = 300, *, apart: float = 0.0, age: bool = False
) -> Portion:
    """A day; women are selected less often, by so much, than they ought to be."""
    sex = random.choice(["f", "m"], rows)
    chance = random.uniform(0.05, 0.95, rows)
    stated = np.clip(chance - np.where(sex == "f", apart, 0.0), 0.01, 0.99)
    label = np.where(random.random(rows) < chance, "yes", "no").tolist()
    groups = pa.table({"sex": sex.tolist(), "age": random.uniform(18, 80, rows)})
    groups = groups if age else groups.select(["sex"])
    return day(answered(MONDAY + number * DAY, stated, label=label, groups=groups), number)


def fed(monitor: Fairness, portions: list[Portion]) -> tuple[FairnessState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    return state, told


def weeks(random: np.random.Generator, first: int, count: int, apart: float = 0.0, rows: int = 300) -> list[Portion]:
    return [portion(each, random, rows, apart=apart) for each in range(7 * first, 7 * (first + count))]


def test_a_gap_that_grows_is_found_with_its_groups() -> None:
    random = np.random.default_rng(1)
    state, told = fed(MONITOR, weeks(random, 0, WEEKS + 1))
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.STEADY)
    state, told = fed(MONITOR, [*weeks(random, 0, WEEKS), *weeks(random, WEEKS, 1, apart=0.3)])
    [found] = told
    assert isinstance(found, Finding)
    assert checked(found).at == MONDAY + (WEEKS + 1) * 7 * DAY
    assert "demographic parity of sex: f and m" in found.what
    names = " ".join(each.name for each in found.evidence)
    assert "equal opportunity of sex" in names
    assert "calibration of sex" in names
    assert MONITOR.says(state).standing is Standing.ALARM


def test_a_gap_that_always_was_is_shown_week_by_week_and_no_alarm() -> None:
    state, told = fed(MONITOR, weeks(np.random.default_rng(2), 0, WEEKS + 2, apart=0.3))
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.STEADY)
    shown = {each.name: each for each in says.figures}
    assert "in the first 4 weeks" in shown["demographic parity of sex"].limit
    assert len(shown["  week by week"].value.split()) == WEEKS + 2
    assert "rows" in shown["  sex: f"].limit


def test_before_the_first_weeks_are_over_nothing_is_said() -> None:
    assert MONITOR.says(FairnessState()).standing is Standing.UNDECIDED
    state, told = fed(MONITOR, weeks(np.random.default_rng(3), 0, 1, apart=0.5))
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.UNDECIDED)
    assert "first 4 weeks" in says.what


def test_figures_are_those_of_one_window_of_the_same_rows() -> None:
    each = portion(0, np.random.default_rng(4), 2000, apart=0.2)
    state, _ = MONITOR.take(MONITOR.start(Micros(MONDAY)), each)
    rows = each.rows
    said = Answered(Task.BINARY, rows.predicted, rows.scores, ("no", "yes"))
    sex = each.table["groups"].combine_chunks().field("sex").to_pylist()
    whole = fairness(said, rows.truth, {"sex": sex})
    assert isinstance(whole, tuple)
    mine = gaps_of(state.week["sex"])
    for name in JUDGED[:3]:
        assert mine[name].estimate == whole[0].gaps[name].estimate
    apart = [group.calibration_gap.value or 0.0 for group in whole[0].treated.groups]
    assert abs((mine["calibration_difference"].estimate.value or 0.0) - (max(apart) - min(apart))) < 1e-12


def test_numbers_are_cut_once_and_fields_are_crossed() -> None:
    monitor = replace(MONITOR, fields=("sex", "age"))
    random = np.random.default_rng(5)
    state, _ = fed(monitor, [portion(each, random, age=True) for each in range(3)])
    assert len(state.cuts["age"]) == 3
    assert len(state.week["age"]) == 4
    assert len(state.week["sex and age"]) == 8
    assert sum(each.rows for each in state.week["sex and age"].values()) == 900
    assert any(each.startswith("sex=f, age=below") for each in state.week["sex and age"])


def test_where_there_are_no_two_classes_nothing_is_compared() -> None:
    monitor = replace(MONITOR, output=Output(Task.REGRESSION))
    says = monitor.says(monitor.start(Micros(MONDAY)))
    assert says.standing is Standing.UNDECIDED
    assert "two classes" in says.what


def test_small_groups_and_tens_of_thousands_are_not_told_by_name() -> None:
    random = np.random.default_rng(6)
    rows = 3000
    groups = pa.table({"sex": [f"person {each}" for each in range(rows)]})
    table = answered(MONDAY, random.uniform(size=rows), label=["no"] * rows, groups=groups)
    state, _ = fed(MONITOR, [day(table, 0), *(day(table.slice(0, 0), each) for each in range(1, 7))])
    assert len(state.last["sex"]) == 50
    assert not any("person" in each.name for each in MONITOR.says(state).figures)


def test_inputs_of_which_nothing_was_kept_make_no_week() -> None:
    random = np.random.default_rng(8)
    table = answered(MONDAY, random.uniform(size=20), label=["no"] * 20, groups=pa.table({"sex": ["f"] * 20}))
    none = pa.StructArray.from_arrays([pa.nulls(20)], names=["sex"], mask=pa.array([True] * 20))
    table = table.set_column(table.column_names.index("groups"), "groups", none)
    state, told = fed(MONITOR, [day(table, 0), *(day(table.slice(0, 0), each) for each in range(1, 7))])
    assert (state, told) == (FairnessState(), [])


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 41)))
def test_whoever_begins_anew_between_two_portions_says_the_same(seed: int, restarts: set[int]) -> None:
    random = np.random.default_rng(seed)
    portions = [*weeks(random, 0, WEEKS, rows=40), *weeks(random, WEEKS, 2, apart=0.4, rows=40)]
    whole, told = fed(MONITOR, portions)
    state, again = MONITOR.start(Micros(MONDAY)), list[Told]()
    for place, each in enumerate(portions):
        if place in restarts:
            state = msgspec.json.decode(msgspec.json.encode(state), type=FairnessState)
        state, said = MONITOR.take(state, each)
        again += said
    assert (state, again) == (whole, told)


def test_without_a_change_no_more_weeks_alarm_than_was_said() -> None:
    """A budget of one false alarm in three weeks, and nothing borne."""
    terms = Terms(Budget.of("at most one per 21 days", (FAIRNESS,)))
    monitor = replace(MONITOR, terms=terms, tolerance=0.0)
    _, told = fed(monitor, weeks(np.random.default_rng(7), 0, WEEKS + 30, rows=60))
    assert sum(isinstance(each, Finding) for each in told) <= 10 + 3 * np.sqrt(10)
