"""Inputs and outputs beside the reference: which fields have moved, told once, and what cannot be compared."""

from typing import Any

import numpy as np
import pyarrow as pa
from tests.monitors.joined import Row, moment, refused, table
from tests.monitors.watch.rows import OUTPUT, SOURCE, VERSION

from headgate.alerts.finding import checked
from headgate.monitors.alarms.drift import InputDrift, ScoreDrift
from headgate.monitors.alarms.terms import INPUT, SCORE, Budget, Terms
from headgate.monitors.columns import Ints
from headgate.monitors.standing import Standing
from headgate.monitors.watch.drift import Drift, DriftState, features_of
from headgate.monitors.watch.monitor import Over, Portion, Told
from headgate.monitors.watch.scene import Scene
from headgate.vocabulary import HOUR, Micros

MONDAY = moment("2013-03-04")
TERMS = Terms(Budget.of("at most one per 90 days", (INPUT, SCORE)))


def features(random: np.random.Generator, rows: int, *, moved: float = 0.0) -> pa.Table:
    return pa.table({"km": random.normal(moved, 1.0, rows), "kind": random.choice(["a", "b"], rows)})


def hour(number: int, rows: pa.Table, *, bare: int = 0) -> Portion:
    """An hour of rows with these features, then some that were refused and have none."""
    start = MONDAY + number * HOUR
    made = [Row(at=start + place) for place in range(len(rows))]
    made += [refused("range", start + len(rows) + place) for place in range(bare)]
    told = [*rows.to_pylist(), *([None] * bare)]
    struct = pa.struct([("km", pa.float64()), ("kind", pa.string())])
    whole = table(made).append_column("features", pa.chunked_array([pa.array(told, struct)]))
    scene = Scene(SOURCE, VERSION, OUTPUT)
    return next(iter(scene.hours(whole, Micros(start), Micros(start + HOUR))))


def watched(rows: int = 2000) -> Drift:
    machine = InputDrift.of(features(np.random.default_rng(0), rows), TERMS)
    return Drift("default", "flights", machine, features_of, "fields")


def fed(monitor: Drift, portions: list[Portion]) -> tuple[DriftState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    return state, told


def test_the_field_that_moves_is_named_and_over_when_it_is_back() -> None:
    random, monitor = np.random.default_rng(1), watched()
    quiet = [hour(each, features(random, 60), bare=3) for each in range(24)]
    state, told = fed(monitor, quiet)
    assert (told, monitor.says(state).standing) == ([], Standing.STEADY)
    moved = [hour(each, features(random, 60, moved=1.0)) for each in range(24, 30)]
    state, told = fed(monitor, [*quiet, *moved])
    says = monitor.says(state)
    assert (says.standing, says.since) == (Standing.ALARM, told[0].at)
    assert "km" in says.what
    assert "kind" not in says.what
    assert all(checked(each) is each for each in told if not isinstance(each, Over))
    assert "at most 1 per 90 days" in says.certainty
    back = [hour(each, features(random, 60)) for each in range(30, 80)]
    state, told = fed(monitor, [*quiet, *moved, *back])
    assert isinstance(told[-1], Over)
    assert monitor.says(state).standing is Standing.STEADY


def test_rows_without_features_say_nothing() -> None:
    monitor = watched()
    state, told = fed(monitor, [hour(0, features(np.random.default_rng(1), 0), bare=50)])
    says = monitor.says(state)
    assert (told, says.standing) == ([], Standing.UNDECIDED)
    assert says.what == "there were no rows yet whose features are kept"


def test_a_reference_that_is_too_small_and_a_field_that_is_gone_are_told() -> None:
    random = np.random.default_rng(1)
    small = watched(100)
    state, _ = fed(small, [hour(0, features(random, 60))])
    says = small.says(state)
    assert says.standing is Standing.UNDECIDED
    assert "the reference has 100 rows" in says.what
    both = features(random, 2000).append_column("age", [random.normal(size=2000)])
    monitor = Drift("default", "flights", InputDrift.of(both, TERMS), features_of, "fields")
    state, _ = fed(monitor, [hour(0, features(random, 60))])
    says = monitor.says(state)
    assert says.standing is Standing.STEADY
    assert "age" in {each.name for each in says.figures}


def test_a_monitor_of_outputs_fits_the_same_port() -> None:
    random = np.random.default_rng(1)
    machine = ScoreDrift.of({"yes": random.uniform(0.5, 0.9, 2000)}, TERMS)

    def scores(portion: Portion) -> tuple[Ints, dict[str, Any]]:
        assert portion.rows.scores is not None
        return portion.rows.at, {"yes": portion.rows.scores[:, 1]}

    monitor = Drift("default", "flights", machine, scores, "outputs")
    state, told = fed(monitor, [hour(each, features(random, 60)) for each in range(3)])
    assert told, "all scores are 0.2, and none of the reference was"
    assert "1 of 1 outputs are not what the reference was: yes" in monitor.says(state).what
