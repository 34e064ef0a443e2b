"""Fields that go together otherwise than they did, though each is what it was: found, and what cannot be is told."""

import numpy as np
import pyarrow as pa
import pytest
from tests.monitors.joined import Row, moment, table
from tests.monitors.watch.rows import OUTPUT, SOURCE, VERSION

from headgate.alerts.finding import Finding, checked
from headgate.monitors.standing import Standing
from headgate.monitors.watch.drift import Drift, DriftState
from headgate.monitors.watch.monitor import Portion, Told
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import HOUR, Micros

MONDAY = moment("2013-03-04")
KIND = pa.struct([("km", pa.float64()), ("hours", pa.float64())])


def flights(rows: int, seed: int, *, turned: bool = False) -> pa.Table:
    """Two fields of the same distribution; they rise together, or one falls as the other rises."""
    draw = np.random.default_rng(seed)
    km = draw.normal(size=rows)
    hours = (-km if turned else km) + 0.2 * draw.normal(size=rows)
    return pa.table({"km": km, "hours": hours})


def watched(rows: pa.Table) -> Drift:
    found = {each.name: each for each in roster(EndpointSpec("f", "f"), VERSION, OUTPUT, None, rows)}
    monitor = found["reconstruction"]
    assert isinstance(monitor, Drift)
    return monitor


def hour(number: int, rows: pa.Table) -> Portion:
    start = MONDAY + number * HOUR
    made = table([Row(at=start + place) for place in range(len(rows))])
    whole = made.append_column("features", pa.chunked_array([pa.array(rows.to_pylist(), KIND)]))
    return next(iter(Scene(SOURCE, VERSION, OUTPUT).hours(whole, Micros(start), Micros(start + HOUR))))


def fed(monitor: Drift, portions: list[Portion]) -> tuple[DriftState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    return state, told


def test_what_no_field_shows_by_itself_is_found() -> None:
    monitor = watched(flights(3000, 1))
    quiet = [hour(each, flights(60, 100 + each)) for each in range(24)]
    state, told = fed(monitor, quiet)
    assert (told, monitor.says(state).standing) == ([], Standing.STEADY)
    state, told = fed(monitor, [*quiet, *(hour(each, flights(60, 200 + each, turned=True)) for each in range(24, 34))])
    assert isinstance(told[0], Finding)
    assert checked(told[0]) is told[0]
    assert "how the fields go together" in told[0].what
    assert monitor.says(state).standing is Standing.ALARM


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (pa.table({"km": [1.0] * 500, "hours": [2.0] * 500}), "every field of the reference is constant"),
        (flights(6, 1), "the reference has 3 rows; 10 are needed"),
        (pa.table({"km": [1e300, -1e300] * 300, "hours": [1.0, 2.0] * 300}), "too large to be squared"),
    ],
)
def test_a_reference_that_cannot_be_rebuilt_is_told(rows: pa.Table, says: str) -> None:
    monitor = watched(rows)
    state, told = fed(monitor, [hour(0, flights(60, 5))])
    assert told == []
    assert says in monitor.says(state).what
