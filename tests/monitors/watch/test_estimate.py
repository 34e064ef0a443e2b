"""Figures before labels are there, what labels make of them, and that they alarm no more often than was said."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.watch.answers import BINARY, MONDAY, VERSION, answered, day, hour, last_hour

from headgate.alerts.finding import Finding, checked
from headgate.contracts.contract import Output
from headgate.evaluation.rows import Rows
from headgate.monitors.alarms.terms import Budget, Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.estimate import ESTIMATE, Estimate, EstimateState
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.monitor import Over, Portion, Told
from headgate.vocabulary import DAY, HOUR, Micros, Task

TERMS = Terms(Budget.of("at most one per 90 days", (ESTIMATE,)))
NUMBER = Output(Task.REGRESSION)


def logistic(values: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-values))


def drawn(random: np.random.Generator, rows: int, spread: float = 2.0, centre: float = 0.0) -> Any:
    """What the model reads and the chance it states, which is right."""
    x = random.normal(centre, spread, rows)
    return x, logistic(x)


def known(seed: int = 0, rows: int = 3000, *, digest: str = "a") -> Known:
    random = np.random.default_rng(seed)
    x, chance = drawn(random, rows)
    truth = (random.random(rows) < chance).astype(np.int64)
    scores = np.column_stack((1 - chance, chance))
    said = Rows(Task.BINARY, truth, (chance > 0.5).astype(np.int64), scores, BINARY.classes)
    return Known(said, pa.table({"x": x, "kind": np.where(x > 0, "high", "low")}), digest)


KNOWN = known()
MONITOR = Estimate("default", "churn", VERSION, KNOWN, TERMS)


def hours_of(number: int, random: np.random.Generator, rows: int, spread: float, cuts: int = 1) -> list[Portion]:
    """The last hours of a day, so many rows each."""
    found = []
    for each in range(cuts):
        start = last_hour(number) - (cuts - 1 - each) * HOUR
        x, chance = drawn(random, rows, spread)
        table = pa.table({"x": x, "kind": np.where(x > 0, "high", "low")})
        found.append(hour(answered(start, chance, features=table), start))
    return found


def labelled(number: int, random: np.random.Generator, rows: int, spread: float, share: float = 1.0) -> Portion:
    _, chance = drawn(random, rows, spread)
    truth = np.where(random.random(rows) < chance, "yes", "no").tolist()
    known = random.random(rows) < share
    label = [each if here else None for each, here in zip(truth, known, strict=True)]
    return day(answered(MONDAY + number * DAY, chance, label=label), number)


def fed(monitor: Estimate, portions: list[Portion]) -> tuple[EstimateState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    return state, told


def test_a_day_is_expected_to_be_what_it_turns_out_to_be() -> None:
    random = np.random.default_rng(1)
    state, told = fed(MONITOR, hours_of(0, random, 400, 2.0, cuts=3))
    assert told == []
    accuracy = state.days[0].figures["accuracy"]
    assert (accuracy.source.value, state.days[0].rows) == ("estimated", 1200)
    stated = logistic(random.normal(0, 2.0, 100_000))
    truth = float(np.maximum(stated, 1 - stated).mean())
    assert accuracy.estimate.low is not None
    assert accuracy.estimate.high is not None
    assert accuracy.estimate.low < truth < accuracy.estimate.high
    says = MONITOR.says(state)
    assert "estimated" in says.what


def test_inputs_of_which_the_model_is_less_sure_are_found_before_any_label() -> None:
    random = np.random.default_rng(2)
    quiet = [each for number in range(7) for each in hours_of(number, random, 600, 2.0)]
    state, told = fed(MONITOR, quiet)
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.STEADY)
    assert "at most 1 per 90 days" in says.certainty
    moved = [each for number in range(7, 14) for each in hours_of(number, random, 600, 0.5)]
    state, told = fed(MONITOR, [*quiet, *moved])
    [found] = told
    assert isinstance(found, Finding)
    assert checked(found).at == MONDAY + 14 * DAY
    assert "is probably worse than it was evaluated" in found.what
    assert state.days[-1].figures["accuracy"].source.value == "reweighted"
    says = MONITOR.says(state)
    assert (says.standing, says.since) == (Standing.ALARM, MONDAY + 14 * DAY)
    back = [each for number in range(14, 21) for each in hours_of(number, random, 600, 2.0)]
    _, told = fed(MONITOR, [*quiet, *moved, *back])
    assert isinstance(told[-1], Over)


def test_days_that_differ_among_themselves_are_no_change() -> None:
    random = np.random.default_rng(6)
    spreads = np.tile([2.0, 3.0, 1.2, 2.5, 1.0, 3.5, 2.0], 4)
    _, told = fed(
        MONITOR, [each for number, spread in enumerate(spreads) for each in hours_of(number, random, 300, spread)]
    )
    assert told == []


def test_as_labels_come_the_figures_are_measured() -> None:
    random = np.random.default_rng(3)
    expected = hours_of(0, random, 600, 2.0)
    state, _ = fed(MONITOR, [*expected, labelled(0, random, 600, 2.0)])
    assert {each.source.value for each in state.days[0].figures.values()} == {"realised"}
    assert any(each.name == "labels" and "600 of 600" in each.value for each in MONITOR.says(state).figures)
    state, told = fed(MONITOR, [*expected, labelled(0, random, 600, 2.0, 0.3)])
    assert told == []
    assert {each.source.value for each in state.days[0].figures.values()} == {"corrected"}
    assert any(each.name == "labels are there" for each in MONITOR.says(state).figures)
    later, _ = MONITOR.take(state, labelled(9, random, 600, 2.0))
    assert later == state, "of a day that was not expected labels say nothing here"


def test_inputs_too_far_away_to_be_weighed_are_told_and_tried_again_in_a_week() -> None:
    random = np.random.default_rng(8)
    state = MONITOR.start(Micros(MONDAY))
    rests = []
    for number in range(9):
        start = last_hour(number)
        _, chance = drawn(random, 200, 1.0)
        features = pa.table({"x": random.normal(9.0, 0.1, 200), "kind": ["high"] * 200})
        state, _ = MONITOR.take(state, hour(answered(start, chance, features=features), start))
        rests.append(state.rest)
    assert rests == [6, 5, 4, 3, 2, 1, 0, 6, 5]
    assert all("overlap" in each.far for each in state.days)
    assert {each.figures["accuracy"].source.value for each in state.days} == {"estimated"}
    assert any("overlap" in each.value for each in MONITOR.says(state).figures if each.name == "mind")


def test_with_too_few_labels_to_correct_by_a_day_stays_as_it_was_expected() -> None:
    random = np.random.default_rng(5)
    expected = hours_of(0, random, 600, 2.0)
    before, _ = fed(MONITOR, expected)
    state, _ = MONITOR.take(before, labelled(0, random, 600, 2.0, 0.02))
    assert state.days[0].figures == before.days[0].figures
    assert any(each.name == "labels" for each in MONITOR.says(state).figures)


def test_errors_of_numbers_are_foretold_from_inputs() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=2000)
    truth = random.normal(0.0, 1.0 + 2.0 * (x > 0))
    rows = Rows(Task.REGRESSION, truth, np.zeros(2000), None)
    monitor = replace(MONITOR, known=Known(rows, pa.table({"x": x}), "b"))
    portions = []
    for number in range(7):
        start, inputs = last_hour(number), pa.table({"x": np.abs(random.normal(size=400))})
        portions.append(hour(answered(start, np.zeros(400), features=inputs, prediction=[0.0] * 400), start, NUMBER))
    state, told = fed(monitor, portions)
    mae = state.days[0].figures["mae"].estimate
    assert mae.value == pytest.approx(3.0 * np.sqrt(2 / np.pi), rel=0.15)
    assert len(told) == 1, "all inputs are of the kind with which the model is off"
    label = random.normal(0.0, 3.0, 400).tolist()
    table = answered(MONDAY, np.zeros(400), prediction=[0.0] * 400, label=label)
    state, _ = monitor.take(state, day(table, 0, NUMBER))
    assert state.days[0].figures["mae"].source.value == "realised"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 9)))
def test_whoever_begins_anew_between_two_portions_says_the_same(seed: int, restarts: set[int]) -> None:
    random = np.random.default_rng(seed)
    portions = [*hours_of(0, random, 60, 2.0, 3), *hours_of(1, random, 60, 0.5, 3), labelled(0, random, 180, 2.0, 0.5)]
    portions += hours_of(2, random, 60, 0.5, 3)
    whole, told = fed(MONITOR, portions)
    state, again = MONITOR.start(Micros(MONDAY)), list[Told]()
    for place, each in enumerate(portions):
        if place in restarts:
            state = msgspec.json.decode(msgspec.json.encode(state), type=EstimateState)
        state, said = MONITOR.take(state, each)
        again += said
    assert (msgspec.json.encode(state), again) == (msgspec.json.encode(whole), told)


def test_without_drift_no_more_weeks_alarm_than_was_said() -> None:
    """A budget of one false alarm in ten weeks; forty weeks, of four references."""
    terms = Terms(Budget.of("at most one per 70 days", (ESTIMATE,)))
    false = 0
    for seed in range(4):
        monitor = Estimate("default", "churn", VERSION, known(seed, 1000, digest=str(seed)), terms)
        random = np.random.default_rng(100 + seed)
        portions = [each for number in range(70) for each in hours_of(number, random, 60, 2.0)]
        false += sum(isinstance(each, Finding) for each in fed(monitor, portions)[1])
    assert false <= 4 + 3 * np.sqrt(4)


@pytest.mark.parametrize(
    ("chance", "reason"),
    [
        (np.full(60, np.nan), "no scores"),
        (np.full(60, 3.0), "not probabilities"),
    ],
)
def test_scores_that_say_nothing_are_told_so(chance: Any, reason: str) -> None:
    start = last_hour(0)
    table = answered(start, chance, prediction=["no"] * 60)
    state, told = fed(MONITOR, [hour(table, start)])
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.BROKEN)
    assert reason in says.what


@pytest.mark.parametrize("rows", [1, 49])
def test_few_answers_are_shown_and_not_judged(rows: int) -> None:
    state, told = fed(MONITOR, hours_of(0, np.random.default_rng(0), rows, 0.1))
    assert (told, state.tests) == ([], 0)
    assert MONITOR.says(state).standing is Standing.UNDECIDED


def test_a_reference_that_says_nothing_is_told_so() -> None:
    rows = KNOWN.rows
    one_class = replace(rows, truth=np.zeros_like(rows.truth))
    for bad, word in ((one_class, "one class"), (rows.take(np.arange(40)), "40 labelled rows")):
        features = KNOWN.features.slice(0, len(bad))
        monitor = replace(MONITOR, known=Known(bad, features, "c"))
        state, told = fed(monitor, hours_of(0, np.random.default_rng(0), 100, 2.0))
        says = monitor.says(state)
        assert (told, says.standing) == ([], Standing.UNDECIDED)
        assert word in says.what
        assert "headgate evaluate" in says.advice


def test_inputs_that_say_nothing_are_not_weighed_by() -> None:
    random, start = np.random.default_rng(0), last_hour(0)
    _, chance = drawn(random, 200)
    nothing = pa.array([None] * 200, pa.float64())
    huge = pa.array([2**62] * 200, pa.int64())
    for features in (pa.table({"x": nothing, "kind": ["low"] * 200}), pa.table({"other": huge}), None):
        state, _ = fed(MONITOR, [hour(answered(start, chance, features=features), start)])
        assert state.days[0].figures["accuracy"].estimate.known
    wide = pa.table({"x": random.normal(size=3000), "kind": [f"k{each}" for each in range(3000)]})
    monitor = replace(MONITOR, known=Known(KNOWN.rows, wide, "d"))
    state, _ = fed(monitor, [hour(answered(start, chance, features=wide.slice(0, 200)), start)])
    assert state.days[0].figures["accuracy"].estimate.known
