"""More inputs unlike the reference than was said: found, and not found where luck with the reference explains it."""

from dataclasses import replace

import numpy as np
import pytest
from tests.monitors.joined import Row, moment, refused
from tests.monitors.watch.rows import OUTPUT, VERSION, hour_of

from headgate.alerts.finding import Finding, checked
from headgate.monitors.standing import Standing
from headgate.monitors.watch.losses import LossState
from headgate.monitors.watch.monitor import AnyMonitor, Portion, Told
from headgate.monitors.watch.outlying import borne
from headgate.monitors.watch.roster import roster
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.outliers import OutlierWords
from headgate.vocabulary import HOUR, Micros

MONDAY = moment("2013-03-04")
SPEC = EndpointSpec("flights", "flight", outliers=OutlierWords(flag="1 in 100"))
FLAGGED = replace(Row(), flags=["range:fare", "outlier:row"])
REFUSED = refused("outlier")


def of(spec: EndpointSpec = SPEC, held_out: int = 2500) -> AnyMonitor:
    return next(each for each in roster(spec, VERSION, OUTPUT, None, held_out=held_out) if each.name == "outliers")


def hour(bad: Row, share: float, number: int, rows: int = 200) -> Portion:
    start = MONDAY + number * HOUR
    chosen = np.random.default_rng(number).random(rows) < share
    made = [replace(bad if each else Row(), at=start + place) for place, each in enumerate(chosen.tolist())]
    return hour_of(made, start)


def fed(monitor: AnyMonitor, portions: list[Portion]) -> tuple[LossState, list[Told]]:
    state, told = monitor.start(Micros(MONDAY)), list[Told]()
    for each in portions:
        state, said = monitor.take(state, each)
        told += said
    assert isinstance(state, LossState)
    return state, told


@pytest.mark.parametrize("bad", [FLAGGED, REFUSED])
def test_more_than_was_said_is_found(bad: Row) -> None:
    watched = of()
    quiet = [hour(bad, 0.01, number) for number in range(24)]
    state, told = fed(watched, quiet)
    assert told == []
    assert watched.says(state).standing is Standing.STEADY
    state, told = fed(watched, [*quiet, *(hour(bad, 0.1, number) for number in range(24, 34))])
    findings = [each for each in told if isinstance(each, Finding)]
    assert findings
    assert checked(findings[0]) is findings[0]
    assert "more than 1.73 % of inputs are unlike the rows the model was fitted on" in findings[0].what
    assert watched.says(state).standing is Standing.ALARM


def test_other_flags_and_refusals_are_not_its_own() -> None:
    flagged = replace(Row(), flags=["range:fare"])
    rows = [
        each
        for number in range(100)
        for each in (replace(flagged, at=MONDAY + number), refused("range", MONDAY + number))
    ]
    state, told = fed(of(), [hour_of(rows, MONDAY)])
    assert told == []
    assert (state.recent[0].count, state.recent[0].total) == (0, 100), (
        "rows refused for another rule were not looked at"
    )


def test_the_file_switches_it_on() -> None:
    names = {each.name for each in roster(EndpointSpec("f", "f"), VERSION, OUTPUT, None)}
    assert "outliers" not in names
    assert of(EndpointSpec("f", "f", outliers=OutlierWords(reject="1 in 100"))).name == "outliers"


def test_a_reference_too_small_to_say_is_told() -> None:
    monitor = of(held_out=50)
    state, told = fed(monitor, [hour(FLAGGED, 0.5, 0)])
    says = monitor.says(state)
    assert (told, says.standing) == ([], Standing.UNDECIDED)
    assert "the reference has 50 rows to set a threshold by" in says.what


@pytest.mark.parametrize(("rate", "rows"), [(0.01, 400), (0.001, 2500), (0.05, 100)])
def test_what_is_borne_is_what_luck_with_the_reference_may_do(rate: float, rows: int) -> None:
    draw = np.random.default_rng(9)
    place = int(np.ceil(round((rows + 1) * (1 - rate), 9)))
    shares = 1 - np.partition(draw.random((2000, rows)), place - 1, axis=1)[:, place - 1]
    assert rate < borne(rate, rows)
    # One in a thousand of 2,000 references: 2 on average.
    assert (shares > borne(rate, rows)).sum() <= 2 + 3 * 1.5
    assert shares.max() > borne(rate, rows) * 0.6
