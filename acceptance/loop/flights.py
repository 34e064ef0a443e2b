"""Item 9, and what the flights are to show: the whole loop beside a judge that shares no code with it."""

import json
import shutil
import time
from typing import Any, Final

from acceptance.rows import Bench, Measured, Red, Suite, last_object
from acceptance.spine.flights import FLIGHTS, Story

SUITE = Suite()
DEMO: Final = "headgate demo --json"
JUDGE: Final = "python -m benchmarks.loop.reference --home HOME"
POLICIES: Final = ("static", "always-latest", "Headgate")
MONTHS: Final = [f"2013-{month:02}" for month in range(3, 13)]


def story(bench: Bench) -> Story:
    """The whole loop, run once however many rows ask for it; its home stays in the clone for later rows."""

    def run() -> Story:
        home, headgate = bench.clone / "build" / "loop-home", bench.headgate
        shutil.rmtree(home, ignore_errors=True)
        begun = time.monotonic()
        said = bench.run(headgate, "demo", "--json", "--home", str(home), timeout=1800)
        return Story(last_object(said), round(time.monotonic() - begun, 1), home)

    return bench.once("loop", run)


def loop(bench: Bench) -> dict[str, Any]:
    """What the demo says became of the model."""
    found: dict[str, Any] = story(bench).told["loop"]
    return found


def judged(bench: Bench) -> dict[str, Any]:
    """What the judge says of the same demo, from the raw data."""

    def run() -> dict[str, Any]:
        home = story(bench).home
        (home / "told.json").write_text(json.dumps(story(bench).told))
        out = bench.clone / "build" / "bench"
        (out / "loop_flights.json").unlink(missing_ok=True)
        words = ("-m", "benchmarks.loop.reference", "--home", str(home), "--out", str(out))
        said = bench.run(bench.python, *words, timeout=1800, status=None)
        if not (out / "loop_flights.json").is_file():
            raise Red(f"no report: {said.strip()[-500:]}")
        found: dict[str, Any] = json.loads((out / "loop_flights.json").read_text())
        return found

    return bench.once("judge", run)


def of(bench: Bench, words: str, limit: float, *, at_least: bool = False) -> Measured:
    """The judge's promise that says `words`, to the row's own limit."""
    found = [each for each in judged(bench)["gates"] if words in each["says"]]
    if len(found) != 1:
        raise Red(f"{len(found)} promises say {words}")
    return Measured(found[0]["value"], limit, at_least=at_least)


@SUITE.row(
    "9-table",
    "the demo is the whole loop and ends with the table static / always-latest / Headgate by month: cells",
    DEMO,
)
def table(bench: Bench) -> Measured:
    rows = loop(bench)["months"]
    if [each["month"] for each in rows] != MONTHS:
        raise Red(f"months {[each['month'] for each in rows]}")
    cells = [each["auc"][policy] for each in rows for policy in POLICIES if each["auc"][policy] is not None]
    return Measured(len(cells), 30, at_least=True)


@SUITE.row("9-whole", "March to December, every flight, none failed, all journalled, all labels joined", DEMO)
def whole(bench: Bench) -> Measured:
    told = story(bench).told
    if told["failed"] or told["journalled"] != told["requests"] or told["labels_joined"] != told["labels_posted"]:
        raise Red("its account does not add up")
    return Measured(told["requests"], FLIGHTS, at_least=True)


@SUITE.row(
    "9-defaults",
    "hands off, with shipped defaults only: words of `retraining` in the endpoint's file beside the recipe and where "
    "its first rows lie",
    "the demo's endpoint file",
)
def defaults(bench: Bench) -> Measured:
    text = bench.run(bench.python, "-c", "from headgate.demo.loop import ENDPOINT_YAML as text; print(text)")
    lines = [line for line in text.partition("retraining:")[2].splitlines() if line.startswith("  ")]
    words = {line.strip().partition(":")[0] for line in lines}
    if not words >= {"recipe", "original"}:
        raise Red(f"no recipe, or no first rows, in {text}")
    return Measured(len(words - {"recipe", "original"}), 0)


@SUITE.row("9-retrained", "monitors alarm and the model learns again by itself: runs that say why they began", DEMO)
def retrained(bench: Bench) -> Measured:
    runs = loop(bench)["runs"]
    if silent := [each["run"] for each in runs if not each["why"] or not each["said"]]:
        raise Red(f"runs {silent} do not say why")
    return Measured(len(runs), 1, at_least=True)


@SUITE.row("9-gates", "gates: runs that a proof, a rollout or a probation let pass or kept out, with its reason", DEMO)
def gates(bench: Bench) -> Measured:
    known = {"promoted", "kept_champion", "taken_back", None}
    runs = loop(bench)["runs"]
    if failed := [each["said"] for each in runs if each["outcome"] not in known]:
        raise Red(f"ended otherwise: {failed}")
    return Measured(len(runs), 1, at_least=True)


@SUITE.row("9-changes", "the number of model changes is told, and every one is a canary's promotion", DEMO)
def changes(bench: Bench) -> Measured:
    found = loop(bench)
    if found["promotions"] != len(found["promoted"]):
        raise Red("it counts otherwise than it lists")
    return Measured(found["promotions"], 1, at_least=True)


@SUITE.row("9-bad", "an injected bad version is stopped by guards: its rollout was rolled back", DEMO)
def bad(bench: Bench) -> None:
    found = loop(bench)["bad_version"]
    if found["phase"] != "rolled_back":
        raise Red(f"{found}")


@SUITE.row("9-false", "false rollbacks, counted as they are listed", DEMO)
def false(bench: Bench) -> Measured:
    found = loop(bench)
    if found["false_rollbacks"] != sum(each["false"] for each in found["rollbacks"]):
        raise Red("it counts otherwise than it lists")
    return of(bench, "false rollbacks", 0)


@SUITE.row("9-person", "minutes of a person's time: none", DEMO)
def person(bench: Bench) -> Measured:
    return of(bench, "minutes of a person", 0)


@SUITE.row("speed-demo", "the full demo under 6 minutes on 2 cores, s", DEMO)
def seconds(bench: Bench) -> Measured:
    return Measured(story(bench).seconds, 360)


@SUITE.row("speed-demo-quick", "--quick under 60 s", "headgate demo --quick --json")
def quick(bench: Bench) -> Measured:
    with bench.folder() as folder:
        said = bench.run(bench.headgate, "demo", "--quick", "--json", "--home", str(folder / "home"), timeout=600)
    return Measured(last_object(said)["seconds"], 60)


SUITE.tests(
    "speed-judge",
    "the judge shares no code with the product, and works out by hand what it says",
    "tests/benchmarks/test_loop_reference.py",
)


@SUITE.row("speed-gate", "AUC of Headgate beside the lagged gate, March to December, as the judge has it", JUDGE)
def beside_gate(bench: Bench) -> Measured:
    return of(bench, "AUC beside the lagged gate", -0.003, at_least=True)


@SUITE.row("speed-static", "and beside the static model", JUDGE)
def beside_static(bench: Bench) -> Measured:
    return of(bench, "AUC beside the static model, of the whole", 0.02, at_least=True)


@SUITE.row("speed-fewer", "promotions as a share of always-latest's, which learns every week", JUDGE)
def fewer(bench: Bench) -> Measured:
    return of(bench, "promotions as a share", 0.7)


@SUITE.row("speed-month", "no month worse than static by more than .015: the worst month", JUDGE)
def month(bench: Bench) -> Measured:
    return of(bench, "in the worst month", -0.015, at_least=True)


@SUITE.row("speed-touched", "the bad version reaches no live flight", JUDGE)
def touched(bench: Bench) -> Measured:
    return of(bench, "bad version touched", 0)


@SUITE.row("speed-agree", "the demo's own figures are the judge's: the largest difference in AUC", JUDGE)
def agree(bench: Bench) -> Measured:
    return of(bench, "the demo's own figures", 0.005)


@SUITE.row("show-demo", "`headgate demo --json` carries the table and meets the figures above: promises kept", JUDGE)
def meets(bench: Bench) -> Measured:
    found = judged(bench)["gates"]
    if missed := [each["says"] for each in found if not each["ok"]]:
        raise Red(f"missed: {missed}")
    return Measured(len(found), 9, at_least=True)
