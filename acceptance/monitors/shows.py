"""What is shown: the tables of the benchmark, no-drift replays, and an alert that arrives once."""

from typing import Final

from acceptance.figures import PERFORMANCE, gate, shown
from acceptance.monitors.speed import FALSE_ALARMS, false_alarms
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
PARTS: Final = ("columns", "estimates", "agreement", "calibration", "false_alarms", "diagnosis", "ticks")
TOLD: Final = ("sketched: seconds", "exact: seconds", "as fast as evidently", "as fast as nannyml", "CBPE", "endpoints")


@SUITE.row(
    "show-bench",
    "make bench-monitors runs every part, prints their tables and says how long all of it took: parts",
    "make bench-monitors",
)
def parts(bench: Bench) -> Measured:
    if "-m benchmarks.monitors" not in bench.run("make", "--dry-run", "bench-monitors"):
        raise Red("make bench-monitors runs something else")
    said = bench.run(bench.python, "-m", "benchmarks.monitors", "--help")
    if missing := [each for each in PARTS if each not in said]:
        raise Red(f"it has no {', '.join(missing)}")
    return Measured(len(PARTS), len(PARTS), at_least=True)


@SUITE.row(
    "show-quiet",
    "lives without a change, 20 features and 5 segments, at the default: the share that alarms within 30 days",
    FALSE_ALARMS,
)
def quiet(bench: Bench) -> Measured:
    found = false_alarms(bench)
    if found["tables"]["nothing"][0]["lives"] < 200:
        raise Red("fewer than 200 lives")
    return gate(found, "share that alarms within 30 days", limit=0.43)


@SUITE.row("show-first", "days to the first alarm, at least 90 less three standard errors", FALSE_ALARMS)
def first(bench: Bench) -> Measured:
    found = false_alarms(bench)
    least = 90 - 3 * found["tables"]["nothing"][0]["standard_error"]
    return gate(found, "days to the first alarm", limit=round(least, 1), at_least=True)


@SUITE.row(
    "show-certain",
    "in the certain mode the share that alarms within a year, 5 % and three standard errors at most",
    FALSE_ALARMS,
)
def certain(bench: Bench) -> Measured:
    found = false_alarms(bench)
    lives = found["tables"]["nothing"][1]["lives"]
    return gate(found, "share that alarms within a year", limit=round(0.05 + 3 * (0.05 * 0.95 / lives) ** 0.5, 3))


@SUITE.row(
    "show-performance",
    f"speed beside Evidently and NannyML, their figures beside ours and what a look costs stand in {PERFORMANCE}, with "
    "how to repeat them, and no gate was missed",
    PERFORMANCE,
)
def performance(bench: Bench) -> Measured:
    modules = (f"monitors.{each}" for each in ("columns", "estimates", "agreement", "ticks"))
    return shown(bench, {"bench-monitors": TOLD}, *modules)


SUITE.tests(
    "show-webhook",
    "an alert reaches a webhook receiver once, its signature verified, through a restart",
    "tests/lives/test_alerts.py::test_an_alert_arrives_once_through_a_killed_controller",
    "tests/controller/test_delivering.py::test_a_receiver_hears_once_through_failures_and_a_restart",
)


SUITE.tests(
    "show-page",
    "docs/monitoring.md leads to a paragraph, with its formula and source, for every number that is shown",
    "tests/monitors/test_pages.py",
)
