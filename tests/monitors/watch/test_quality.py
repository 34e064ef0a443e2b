"""What is not whole is named by field and rule, once, and an ordinary day is none of it."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.watch.answers import BINARY, MONDAY, answered, hour, last_hour

from headgate.alerts.finding import Finding, checked
from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.evaluation.rows import Rows
from headgate.monitors.alarms.terms import Budget, Terms
from headgate.monitors.standing import Standing
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.monitor import Over, Portion, Told
from headgate.monitors.watch.quality import QUALITY, Quality, QualityState
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.traffic import Capture
from headgate.vocabulary import HOUR, Micros, Task

TERMS = Terms(Budget.of("at most one per 90 days", (QUALITY,)))
SPEC = EndpointSpec("churn", "churn")
CONTRACT = Contract(
    (
        Field("km", Kind.NUMBER, nullable=True, minimum=-9.0, maximum=9.0),
        Field("kind", Kind.CATEGORY, nullable=True, domain=("high", "low")),
        Field("name", Kind.TEXT, sensitivity=Sensitivity.PERSONAL),
    ),
    BINARY,
)


def inputs(random: np.random.Generator, rows: int, *, missing: float = 0.1, kinds: Any = ("high", "low")) -> pa.Table:
    km = [None if random.random() < missing else float(each) for each in random.normal(size=rows)]
    return pa.table({"km": pa.array(km, pa.float64()), "kind": pa.array(random.choice(kinds, rows).tolist())})


def known() -> Known:
    table = inputs(np.random.default_rng(0), 2000)
    truth = np.arange(2000) % 2
    return Known(Rows(Task.BINARY, truth, truth, None, ("no", "yes")), table, "a")


MONITOR = Quality.of(SPEC, CONTRACT, TERMS, known())


def portion(number: int, table: pa.Table, **others: Any) -> Portion:
    """The last hour of a day."""
    start = last_hour(number)
    return hour(answered(start, np.full(len(table), 0.4), features=table, **others), start)


def fed(monitor: Quality, portions: list[Portion]) -> tuple[QualityState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    return state, told


def quiet(random: np.random.Generator, days: int, rows: int = 200) -> list[Portion]:
    return [portion(number, inputs(random, rows)) for number in range(days)]


def test_an_ordinary_day_is_no_alarm_and_says_what_it_was() -> None:
    state, told = fed(MONITOR, quiet(np.random.default_rng(1), 5))
    says = MONITOR.says(state)
    assert (told, says.standing) == ([], Standing.STEADY)
    assert "at most 1 per 90 days" in says.certainty
    assert "10" in next(each.limit for each in says.figures if each.name == "km without a value")


def found_in(table: pa.Table, **others: Any) -> str:
    """What is found on a ninth day with these inputs."""
    state, told = fed(MONITOR, [*quiet(np.random.default_rng(1), 8), portion(8, table, **others)])
    [found] = told
    assert isinstance(found, Finding)
    assert checked(found).at == last_hour(8) + HOUR
    assert MONITOR.says(state).standing is Standing.ALARM
    return " ".join(each.name for each in found.evidence)


def test_planted_faults_are_found_by_field_and_rule() -> None:
    random = np.random.default_rng(2)
    assert "km without a value" in found_in(inputs(random, 200, missing=0.4))
    assert "km without a value" in found_in(inputs(random, 400, missing=0.0)), "holes that are filled are a change too"
    assert "km is gone" in found_in(inputs(random, 200, missing=1.0))
    assert "kind stands still" in found_in(inputs(random, 200, kinds=("low",)))
    unseen = [["domain:kind"] if each % 5 == 0 else [] for each in range(200)]
    assert "kind breaks its domain" in found_in(inputs(random, 200), flags=unseen)
    far = [["range:km"] if each % 5 == 0 else [] for each in range(200)]
    assert "km breaks its range" in found_in(inputs(random, 200), flags=far)
    twice = inputs(random, 100, missing=0.1)
    assert "inputs like one of the same hour" in found_in(pa.concat_tables([twice, twice, twice]))


def test_what_is_found_is_over_with_the_next_ordinary_day() -> None:
    random = np.random.default_rng(3)
    bad = portion(8, inputs(random, 200, missing=0.9))
    state, told = fed(MONITOR, [*quiet(random, 8), bad, portion(9, inputs(random, 200))])
    assert [type(each) for each in told] == [Finding, Over]
    assert MONITOR.says(state).standing is Standing.STEADY


def test_refused_inputs_are_named_and_alarm_nobody_here() -> None:
    random = np.random.default_rng(4)
    refused = ["unknown:colour" if each % 4 == 0 else None for each in range(200)]
    state, told = fed(MONITOR, [portion(0, inputs(random, 200), refused=refused)])
    assert told == []
    [figure] = [each for each in MONITOR.says(state).figures if each.name == "refused: unknown of colour"]
    assert figure.value.startswith("50 of 200")


def test_flags_are_a_share_of_all_inputs_although_of_few_features_are_kept() -> None:
    random = np.random.default_rng(7)
    rows = 300
    start = last_hour(8)
    table = answered(start, np.full(rows, 0.4), features=inputs(random, rows), flags=[["domain:kind"]] * rows)
    held = table["features"].combine_chunks()
    kept = pa.StructArray.from_arrays(held.flatten(), names=["km", "kind"], mask=pa.array(np.arange(rows) >= 60))
    state, told = fed(
        MONITOR,
        [*quiet(random, 8), hour(table.set_column(table.column_names.index("features"), "features", kept), start)],
    )
    [found] = told
    assert isinstance(found, Finding)
    assert state.last.kept == 60
    assert found.evidence[0].value.startswith("300 of 300")


def test_silence_is_told_by_the_end_of_the_day() -> None:
    random = np.random.default_rng(5)
    busy = []
    for number in range(20):
        for each in range(24):
            start = last_hour(number) - (23 - each) * HOUR
            busy.append(hour(answered(start, np.full(3, 0.4), features=inputs(random, 3)), start))
    start = last_hour(20)
    empty = hour(answered(start, np.zeros(0)), start)
    _, told = fed(MONITOR, [*busy, empty])
    [found] = told
    assert isinstance(found, Finding)
    assert "nothing comes (for 24 hours)" in found.what


def test_few_inputs_and_none_say_nothing() -> None:
    assert MONITOR.says(QualityState()).standing is Standing.UNDECIDED
    state, told = fed(MONITOR, [portion(0, inputs(np.random.default_rng(0), 1, missing=1.0))])
    assert (told, MONITOR.says(state).standing) == ([], Standing.UNDECIDED)


def test_without_evaluated_rows_the_contract_says_what_is_usual() -> None:
    monitor = Quality.of(SPEC, CONTRACT, TERMS, None)
    random = np.random.default_rng(0)
    assert [each.name for each in monitor.usual] == ["km", "kind"]
    before = [portion(each, inputs(random, 200, missing=0.0)) for each in range(8)]
    _, told = fed(monitor, before)
    assert told == []
    _, told = fed(monitor, [*before, portion(8, inputs(random, 200, missing=0.5))])
    assert len(told) == 1
    hidden = EndpointSpec("churn", "churn", capture=Capture(redact=["km"]))
    assert [each.name for each in Quality.of(hidden, CONTRACT, TERMS, None).usual] == ["kind"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([None] * 200, pa.float64()),
        pa.array([float("nan")] * 200),
        pa.array([2**62 + each for each in range(200)]),
        pa.array([f"k{each}" for each in range(200)]),
        pa.array([True, False] * 100),
        pa.array([float("inf"), -float("inf")] * 100),
    ],
)
def test_columns_of_any_kind_are_counted(column: pa.Array) -> None:
    table = inputs(np.random.default_rng(0), 200).set_column(0, "km", column)
    state, _ = fed(MONITOR, [portion(0, table)])
    assert state.last.kept == 200
    assert checked_json(state)


def checked_json(state: QualityState) -> bool:
    return msgspec.json.decode(msgspec.json.encode(state), type=QualityState) == state


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 11)))
def test_whoever_begins_anew_between_two_portions_says_the_same(seed: int, restarts: set[int]) -> None:
    random = np.random.default_rng(seed)
    portions = [portion(each, inputs(random, 60, missing=0.9 if each > 8 else 0.1)) for each in range(12)]
    whole, told = fed(MONITOR, portions)
    state, again = MONITOR.start(Micros(MONDAY)), list[Told]()
    for place, each in enumerate(portions):
        if place in restarts:
            state = msgspec.json.decode(msgspec.json.encode(state), type=QualityState)
        state, said = MONITOR.take(state, each)
        again += said
    assert (state, again) == (whole, told)


def test_without_change_no_more_days_alarm_than_was_said() -> None:
    """A budget of one false alarm in ten days, and nothing borne but what the rule bears."""
    monitor = Quality.of(SPEC, CONTRACT, Terms(Budget.of("at most one per 10 days", (QUALITY,))), known())
    days = 120
    _, told = fed(monitor, quiet(np.random.default_rng(6), days, 100))
    false = sum(isinstance(each, Finding) for each in told)
    assert false <= days / 10 + 3 * np.sqrt(days / 10)
