"""Item 6: measured."""

import json
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite, last_object
from acceptance.spine.flights import story

SUITE = Suite()
BINARY: Final = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "calibration_error",
)


@SUITE.row(
    "6-status",
    "headgate status shows volume, latency, refusals, label coverage and metrics beside the reference figures",
    "headgate status flights --every month",
)
def status(bench: Bench) -> None:
    words = ("status", "flights", "--every", "month", "--home", str(story(bench).home))
    said = bench.run(bench.headgate, *words).lower()
    if missing := [
        word for word in ("refus", "p99", "label", "auc", "reference", "flight-delay:1") if word not in said
    ]:
        raise Red(f"it does not speak of {', '.join(missing)}")
    if missing := [f"2013-{each:02}" for each in range(3, 13) if f"2013-{each:02}" not in said]:
        raise Red(f"it has no line for {', '.join(missing)}")


@SUITE.row(
    "6-windows",
    "per window: volume, latency quantiles, error and refusal counts, label coverage, every task metric with its "
    "interval, and the reference figures",
    "headgate status flights --every month --json",
)
def windows(bench: Bench) -> Measured:
    words = ("status", "flights", "--every", "month", "--json", "--home", str(story(bench).home))
    told = last_object(bench.run(bench.headgate, *words))
    found = [each for each in told["windows"] if each["volume"] > 20_000]
    for window in found:
        if missing := {"refused", "errors", "latency_ms", "labelled", "coverage", "metrics"} - window.keys():
            raise Red(f"a window lacks {', '.join(sorted(missing))}")
        quantiles = window["latency_ms"]
        if not 0 < quantiles["p50"] <= quantiles["p99"]:
            raise Red("latency quantiles are not in order")
        for name in BINARY:
            metric = window["metrics"][name]
            if not metric["low"] <= metric["value"] <= metric["high"]:
                raise Red(f"{name} lies outside its interval")
    if "auc" not in json.dumps(told["reference"]):
        raise Red("no reference figures")
    return Measured(len(found), 10, at_least=True)


SUITE.tests(
    "6-counted",
    "windows count as one would by hand: every input answered, refused or an error, labels due once ripe",
    "tests/monitors/test_windows.py",
)
SUITE.tests("6-shown", "status fits a terminal and says what a reader must know", "tests/monitors/test_status.py")
SUITE.tests(
    "6-python",
    "hg.windows gives the same figures in Python",
    "tests/app/test_whole_path.py::test_a_model_from_object_to_windows",
)
