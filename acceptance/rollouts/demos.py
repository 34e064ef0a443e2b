"""Items 9 and 10, and what is shown of them: the inspection of surfaces, and two more acts of the flights."""

import shutil
from itertools import groupby
from typing import Any, Final

from acceptance.rows import Bench, Measured, Red, Suite, last_object

SUITE = Suite()
INSPECTION: Final = "headgate demo inspection --json"
FLIGHTS: Final = "headgate demo rollouts --json"
LONGEST_S: Final = 180
WEIGHTS: Final = [0.0, 0.05, 0.25, 0.5, 1.0]
"""What a model that relieves people decides, from one move to another."""
MISSED: Final = 3.0
"""How many times as many flights as foretold one run may touch, or as few: what is foretold is a mean of many."""


def told(bench: Bench, verb: str) -> dict[str, Any]:
    """What a demo told programs, run once however many rows ask for it."""

    def run() -> dict[str, Any]:
        home = bench.clone / "build" / f"demo-{verb}"
        shutil.rmtree(home, ignore_errors=True)
        return last_object(bench.run(bench.headgate, "demo", verb, "--json", "--home", str(home), timeout=900))

    return bench.once(f"demo {verb}", run)


def act(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The one act of the flights of that name."""
    fitting = [each for each in found["acts"] if each["act"] == name]
    if len(fitting) != 1:
        raise Red(f"{len(fitting)} acts are called {name}")
    one: dict[str, Any] = fitting[0]
    return one


def ended(seen: dict[str, Any], wanted: str, key: str) -> None:
    """Red unless an act ended so, by the evidence, at the alphas a plan has that states none."""
    if seen[key] != wanted:
        raise Red(f"it ended {seen[key]}: {seen['why']}")
    if not 0 < seen["alpha"]["roll_back"] < seen["alpha"]["promote"] <= 0.05:
        raise Red(f"its alphas are {seen['alpha']}")
    if not seen["moves"]:
        raise Red("no move is told")


@SUITE.row("9-drawn", "the pictures are drawn by the project, and it says so", INSPECTION)
def drawn(bench: Bench) -> None:
    pictures = told(bench, "inspection")["pictures"]
    if "drawn" not in pictures:
        raise Red(f"it says of its pictures: {pictures}")


@SUITE.row(
    "9-people",
    "a person's decisions come in with a realistic error rate: share of pieces people were wrong on",
    INSPECTION,
)
def people(bench: Bench) -> Measured:
    decided = told(bench, "inspection")["decided"]
    by_people = [each for who, each in decided.items() if ":" not in who]
    pieces, wrong = (sum(each[name] for each in by_people) for name in ("pieces", "wrong"))
    if not wrong:
        raise Red("people were never wrong")
    return Measured(round(wrong / pieces, 4), 0.25)


@SUITE.row(
    "9-beside-people",
    "shadow against the inspector, then 5 %, then a ramp of 25 and 50 %: promoted by itself",
    INSPECTION,
)
def beside_people(bench: Bench) -> Measured:
    first = told(bench, "inspection")["acts"][0]
    ended(first, "promoted", "verdict")
    if first["beside"] != "human":
        raise Red(f"it stood beside {first['beside']}")
    if (went := [weight for weight, _ in groupby(each["weight"] for each in first["moves"])]) != WEIGHTS:
        raise Red(f"it decided {', '.join(f'{each:.0%}' for each in went)} of the pieces")
    return Measured(first["touched"], 1, at_least=True)


@SUITE.row("9-bad", "a bad version that passed its gate is caught: rolled back, and pieces it decided", INSPECTION)
def bad(bench: Bench) -> Measured:
    acts = told(bench, "inspection")["acts"]
    if len(acts) != 2:
        raise Red(f"{len(acts)} acts")
    ended(acts[1], "rolled_back", "verdict")
    return Measured(acts[1]["touched"], 0)


@SUITE.row(
    "9-report",
    "it ends with the report: agreement with its interval, errors of both against the truth, and the page",
    INSPECTION,
)
def ends_with_report(bench: Bench) -> Measured:
    first = told(bench, "inspection")["acts"][0]
    agreement = first["agreement"]
    if not agreement["low"] <= agreement["value"] <= agreement["high"]:
        raise Red(f"agreement {agreement}")
    if not 0 < first["errors"]["live"] < 1 or not 0 < first["errors"]["candidate"] < 1:
        raise Red(f"errors {first['errors']}")
    page = (bench.clone / first["page"]).read_text()
    if not page.startswith("<!doctype html>"):
        raise Red("the page is none")
    return Measured(first["labelled"], 100, at_least=True)


SUITE.tests(
    "9-surfaces",
    "scratches, stains, dents, dust that is no defect, and lighting that changes between shifts; people who err",
    "tests/demo/inspection",
)
SUITE.tests(
    "9-images",
    "any folder of images with labels works in its place: --images DIR, one sub-folder for each class",
    "tests/demo/test_inspection.py::test_somebodys_own_pictures_do_as_well",
)


@SUITE.row("9-seconds", "the inspection ends within three minutes on 2 cores", INSPECTION)
def inspection_seconds(bench: Bench) -> Measured:
    return Measured(told(bench, "inspection")["seconds"], LONGEST_S)


@SUITE.row(
    "show-inspection",
    "headgate demo inspection --json ends as told, with verdicts, alphas and traffic touched; no piece failed",
    INSPECTION,
)
def show_inspection(bench: Bench) -> Measured:
    found = told(bench, "inspection")
    for each, verdict in zip(found["acts"], ("promoted", "rolled_back"), strict=True):
        ended(each, verdict, "verdict")
    return Measured(found["failed"], 0)


@SUITE.row("10-better", "a good new version is promoted by itself: flights it answered on the way", FLIGHTS)
def better(bench: Bench) -> Measured:
    seen = act(told(bench, "rollouts"), "good")
    ended(seen, "promoted", "phase")
    return Measured(seen["touched"], 1, at_least=True)


@SUITE.row(
    "10-bug-unseen",
    "a version with a bug in its own preprocessing is rolled back by itself; with a shadow first it touched no flight",
    FLIGHTS,
)
def bug_unseen(bench: Bench) -> Measured:
    seen = act(told(bench, "rollouts"), "bug_behind_shadow")
    ended(seen, "rolled_back", "phase")
    return Measured(seen["touched"], 0)


@SUITE.row(
    "10-bug-met",
    "with the shadow off: flights it touched against what the planning helper foretold, the larger over the smaller",
    FLIGHTS,
)
def bug_met(bench: Bench) -> Measured:
    seen = act(told(bench, "rollouts"), "bug_met_by_callers")
    ended(seen, "rolled_back", "phase")
    foretold = seen["foretold"]["touched_until_found"]
    if not seen["touched"] or not foretold:
        raise Red(f"touched {seen['touched']}, foretold {foretold}")
    ratio = seen["touched"] / foretold
    return Measured(round(max(ratio, 1 / ratio), 2), MISSED)


@SUITE.row(
    "10-gate",
    "the bug passed its offline gate, because its sample had the same bug: its figure less the good version's",
    FLIGHTS,
)
def gate_passed(bench: Bench) -> Measured:
    good, bugged = (each["auc"] for each in told(bench, "rollouts")["versions"][1:3])
    return Measured(round(bugged - good, 3), -0.02, at_least=True)


@SUITE.row("10-seconds", "the acts end within three minutes on 2 cores", FLIGHTS)
def flights_seconds(bench: Bench) -> Measured:
    return Measured(told(bench, "rollouts")["seconds"], LONGEST_S)


@SUITE.row(
    "show-flights",
    "the flights' acts end as told, with verdicts, alphas and traffic touched; no request failed",
    FLIGHTS,
)
def show_flights(bench: Bench) -> Measured:
    found = told(bench, "rollouts")
    ends = [each["phase"] for each in found["acts"]]
    if ends != ["promoted", "rolled_back", "rolled_back"]:
        raise Red(f"they ended {ends}")
    for each in found["acts"]:
        ended(each, each["phase"], "phase")
    return Measured(found["failed"], 0)


SUITE.tests(
    "9-10-seen",
    "a person who types the commands sees every move, tables and the report, on fewer flights and pictures",
    "tests/demo/test_acts.py",
    "tests/demo/test_inspection.py",
    alone=True,
)
