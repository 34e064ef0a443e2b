"""Windows part the events: in every zone, through every change of clocks, each event lies in exactly one of them."""

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.monitors.joined import Row, moment, table

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.monitors import status
from headgate.monitors.calendars import check_zone, moment_of, wall_clock, wall_clocks
from headgate.monitors.status import Share, as_text, endpoint_status, notes_on, title
from headgate.monitors.windows import MOST, Window, windows
from headgate.traffic.endpoint import Slo
from headgate.vocabulary import DAY, SECOND, Micros, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",  # its clocks go back from one o'clock to midnight
    "America/Sao_Paulo",  # some of its days began at one o'clock
    "Asia/Kathmandu",
    "America/St_Johns",  # its clocks once changed a minute after midnight
    "Australia/Lord_Howe",  # they change by half an hour
)
MOMENTS = st.integers(moment("2005-01-01"), moment("2015-12-31"))


def at_wall(zone: str, year: int, month: int, day: int, hour: int = 0) -> int:
    """The moment at which the clocks of a zone show that hour."""
    return int(datetime(year, month, day, hour, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


@settings(max_examples=80)
@given(
    begin=MOMENTS,
    steps=st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=12),
    every=st.sampled_from(["month", "week", "day", "hour", 90.0]),
    zone=st.sampled_from(ZONES),
)
@example(moment("2013-11-03T03:30"), [SECOND, 3600 * SECOND], "day", "America/Havana")
@example(moment("2012-10-21T02:30"), [SECOND, 3600 * SECOND], "day", "America/Sao_Paulo")
@example(moment("2006-10-29T02:00"), [60 * SECOND] * 3, "day", "America/St_Johns")
@example(moment("2013-03-30T22:59:59"), [SECOND, 3600 * SECOND], "day", "Europe/Berlin")
def test_every_event_lies_in_exactly_one_window(begin: int, steps: list[int], every: Any, zone: str) -> None:
    if every in ("hour", 90.0):
        steps = [each % (3 * 3600 * SECOND) for each in steps]
    moments = [begin]
    for step in steps:
        moments.append(moments[-1] + step)
    found = windows(table([Row(at=each) for each in moments]), OUTPUT, every=every, zone=zone)
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(each.start < each.end for each in found)
    assert found[0].start <= moments[0]
    assert moments[-1] < found[-1].end
    assert [each.volume for each in found] == [
        sum(each.start <= moment < each.end for moment in moments) for each in found
    ]


@settings(max_examples=60)
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(["month", "week", "day"]))
def test_a_window_begins_where_the_clocks_say_so(event: int, zone: str, every: str) -> None:
    [window] = windows(table([Row(at=event)]), OUTPUT, every=every, zone=zone)
    mine = datetime.fromtimestamp(event // SECOND, ZoneInfo(zone)).date()
    begins = datetime.fromtimestamp(window.start // SECOND, ZoneInfo(zone))
    first = {"month": mine.replace(day=1), "day": mine}.get(every)
    if first is not None:
        assert begins.date() == first
    else:
        assert begins.weekday() == 0
    assert begins.hour in (0, 1), "midnight, or the hour after a midnight that was skipped"
    assert wall_clock(window.start, zone) % DAY in (0, 3600 * SECOND)
    before = datetime.fromtimestamp(window.start // SECOND - 1, ZoneInfo(zone)).date()
    assert before < begins.date() or zone in ("America/Havana", "America/St_Johns")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2013, 3, 31), 23),
        ("Europe/Berlin", (2013, 10, 27), 25),
        ("America/Havana", (2013, 11, 3), 25),
        ("Australia/Lord_Howe", (2013, 10, 6), 23.5),
        ("UTC", (2013, 3, 31), 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(zone: str, day: tuple[int, int, int], hours: float) -> None:
    [window] = windows(table([Row(at=at_wall(zone, *day, hour=12))]), OUTPUT, every="day", zone=zone)
    assert (window.end - window.start) / (3600 * SECOND) == hours
    assert title(window) == "-".join(f"{each:02}" for each in day)


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.builds(
            Row,
            at=st.integers(0, 10 * DAY),
            role=st.sampled_from(["live", "pinned"]),
            label=st.sampled_from([None, "yes", "no", "elsewhere"]),
        ),
        min_size=1,
        max_size=15,
    ),
    maturity=st.sampled_from([0.0, 86_400.0, 3 * 86_400.0]),
    now=st.integers(0, 14 * DAY),
)
def test_due_covered_and_pending_are_what_one_counts_by_hand(rows: list[Row], maturity: float, now: int) -> None:
    """A label may come before it is due, late, or never; each judged input is one of these."""
    found = windows(table(rows), OUTPUT, every="day", maturity_s=maturity, now=Micros(now))
    for window in found:
        judged = [each for each in rows if window.start <= each.at < window.end and each.role != "pinned"]
        due = [each for each in judged if each.at <= now - maturity * SECOND]
        known = [each for each in judged if each.label in ("yes", "no")]
        assert (window.due, window.labelled) == (len(due), len(known))
        assert window.coverage == (None if not due else pytest.approx(sum(each in known for each in due) / len(due)))
        assert window.pending == sum(each not in due and each not in known for each in judged)


def test_a_year_by_the_hour_is_not_too_much_and_a_little_more_is() -> None:
    rows = [Row(at=0), Row(at=(MOST - 1) * SECOND)]
    assert len(windows(table(rows), OUTPUT, every=1.0)) == MOST
    with pytest.raises(BadInput, match=f"would make {MOST + 1:d} windows") as refused:
        windows(table([Row(at=0), Row(at=MOST * SECOND)]), OUTPUT, every=1.0)
    assert (refused.value.field, refused.value.rule) == ("every", "range")


@pytest.mark.parametrize("every", [0, -1.0, float("nan"), float("inf"), 1e-9])
def test_a_width_that_is_none_is_out_of_range(every: float) -> None:
    with pytest.raises(BadInput) as refused:
        windows(table([Row()]), OUTPUT, every=every)
    assert (refused.value.field, refused.value.rule) == ("every", "range")
    with pytest.raises(BadInput) as unknown:
        windows(table([Row()]), OUTPUT, every="decade")
    assert (unknown.value.field, unknown.value.rule) == ("every", "unknown")


def test_a_zone_matters_to_the_calendar_alone() -> None:
    """Hours and seconds are counted from 1970 wherever one lives, so nobody need know the zone."""
    plain = windows(table([Row(at=5 * DAY)]), OUTPUT, every="hour")
    assert windows(table([Row(at=5 * DAY)]), OUTPUT, every="hour", zone="Asia/Kathmandu")[0].start == plain[0].start
    assert windows(table([Row(at=5 * DAY)]), OUTPUT, every="hour", zone="no/where")[0].start == plain[0].start


# --- the status drawn from them


def a_window(**more: Any) -> Window:
    words: dict[str, Any] = {
        "start": Micros(0), "end": Micros(DAY), "volume": 0, "answered": 0, "refused": (), "fallbacks": 0, "errors": 0,
        "flagged": 0, "judged": 0, "labelled": 0, "due": 0, "coverage": None, "latency_ms": None, "compute_ms": None,
        "metrics": {}, "versions": (),
    }  # fmt: skip
    return Window(**(words | more))


@given(st.floats(0, 1))
def test_a_share_is_never_rounded_to_all_or_to_nothing(share: float) -> None:
    text = status._percent(share)
    assert text.endswith(" %")
    assert (text == "0 %") == (share == 0)
    assert (text == "100 %") == (share == 1)
    assert float(text[:-2]) == pytest.approx(share * 100, abs=0.1 + share * 0.5)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=10))
def test_silent_windows_are_named_once_together(volumes: list[int]) -> None:
    made = [
        a_window(start=Micros(at * DAY), end=Micros((at + 1) * DAY), volume=volume, answered=volume)
        for at, volume in enumerate(volumes)
    ]
    silent = [each for each in notes_on(made) if each.startswith("no requests at all in ")]
    quiet = volumes.count(0)
    assert len(silent) == (1 if quiet else 0)
    if silent:
        named = silent[0].removeprefix("no requests at all in ").partition(" and ")[0].split(", ")
        assert len(named) == min(quiet, 6)
        assert (f"and {quiet - 6} more windows" in silent[0]) == (quiet > 6)


LATER = "1970-01-01: labels still due for {} of {} rows"


@pytest.mark.parametrize(
    ("more", "notes"),
    [
        ({"volume": 5, "errors": 2}, ["1970-01-01: 2 of 5 requests ended in an error"]),
        ({"volume": 5, "fallbacks": 1}, ["1970-01-01: 1 of 5 were answered by another version"]),
        (
            {"volume": 9, "judged": 9, "due": 8, "labelled": 3, "coverage": 0.375},
            ["1970-01-01: label coverage 37.5 %; its metrics rest on 3 of 9 rows", LATER.format(1, 9)],
        ),
        ({"volume": 9, "judged": 9, "due": 4, "labelled": 2, "coverage": 0.5}, [LATER.format(5, 9)]),
        ({"volume": 9, "judged": 9, "due": 9, "labelled": 9, "coverage": 1.0}, []),
        ({"volume": 9, "judged": 9, "due": 8, "labelled": 9, "coverage": 1.0}, []),
        ({"volume": 4, "judged": 4}, [LATER.format(4, 4)]),
        ({"volume": 4, "refused": (("range", 3), ("type", 1))}, ["rows refused by rule: range 3, type 1"]),
    ],
)
def test_a_note_is_written_where_a_reader_must_know(more: dict[str, Any], notes: list[str]) -> None:
    assert list(notes_on([a_window(**more)])) == notes
    unmeasured = [each for each in notes if "label" not in each]
    assert list(notes_on([a_window(**more)], measured=False)) == unmeasured


def test_refusals_of_all_windows_are_counted_together() -> None:
    first = a_window(volume=4, refused=(("range", 3), ("type", 1)))
    second = a_window(volume=4, refused=(("type", 2),))
    assert notes_on([first, second])[-1] == "rows refused by rule: range 3, type 3"


def test_an_objective_without_answers_says_so() -> None:
    found = endpoint_status(
        "late",
        task="binary",
        versions=[Share("m:1", 1.0), Share("m:2", 0.0, "shadow")],
        windows=[a_window(volume=3)],
        slo=Slo(latency_p99_ms=50, requests_per_second=20),
    )
    text = as_text(found)
    assert "objective: p99 within 50 ms, no answers yet" in text
    assert "objective: 20 requests per second" in text
    assert "m:2  shadow, answers nobody" in text
    quiet = endpoint_status("late", task="binary", versions=[], windows=[], slo=Slo())
    assert quiet.objective is None
    assert "objective" not in as_text(quiet)


@pytest.mark.parametrize("zone", ["Nowhere/City", "", "../etc/passwd"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_zone(zone)
    assert (refused.value.field, refused.value.rule) == ("zone", "unknown")


@given(MOMENTS, st.sampled_from(ZONES))
def test_clocks_show_the_same_of_one_moment_and_of_many_and_lead_back(event: int, zone: str) -> None:
    shown = wall_clock(event, zone)
    assert wall_clocks(np.array([event, event]), zone).tolist() == [shown, shown]
    # Where clocks go back they show an hour twice, and the first time counts.
    assert event - moment_of(shown, zone) in (0, 1800 * SECOND, 3600 * SECOND)
