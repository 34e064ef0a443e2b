"""Speed and judgement: every line of the issue, from the reports the benchmarks write."""

from typing import Any, Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Red, Suite, tally

SUITE = Suite()
DECISIONS: Final = "make bench-decisions"
EVIDENCE: Final = "python -m benchmarks.evidence"
ROLLBACK: Final = "python -m benchmarks.rollback"
SHADOW: Final = "python -m benchmarks.shadow"
SUBSET: Final = "tests/benchmarks/test_decisions.py::test_twenty_cells_keep_what_is_promised"
UNKIND: Final = "tests/faults/test_shadows.py::test_no_caller_notices_and_the_guard_ends_it"
NULLS: Final = ("splits:", "pairs:", "pairs, promoting:", "latency:")


def decisions(bench: Bench) -> dict[str, Any]:
    """What `make bench-decisions` wrote down."""
    return report(bench, "decisions", "decisions.json")


@SUITE.row("speed-grid", "the whole grid takes under five minutes, s", DECISIONS)
def grid(bench: Bench) -> Measured:
    if "-m benchmarks.decisions" not in bench.run("make", "--dry-run", "bench-decisions"):
        raise Red("make bench-decisions runs something else")
    return gate(decisions(bench), "seconds for all of it", limit=300)


@SUITE.row("speed-subset", "a subset of 20 cells under 30 s in the tests", SUBSET)
def subset(bench: Bench) -> Measured:
    counts, seconds = tally(bench.run(bench.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", SUBSET))
    if counts != {"passed": 1}:
        raise Red(str(counts))
    return Measured(seconds, 30)


@SUITE.row(
    "speed-null",
    "every null cell that meets the assumptions is rolled back, or promoted, at most alpha and three standard errors: "
    "under continuous looking, drift and bursts; the nearest to what it may not exceed, as a share of that",
    DECISIONS,
)
def null(bench: Bench) -> Measured:
    found = decisions(bench)
    return max((gate(found, each, "most wrong", limit=1.0) for each in NULLS), key=lambda each: each.value)


@SUITE.row("speed-found-10", "requests to catch 1.5 x at a canary of 10 %, censored at the horizon", DECISIONS)
def found_10(bench: Bench) -> Measured:
    return gate(decisions(bench), "requests until 1.5 x", "10%", limit=13_500)


@SUITE.row("speed-found-50", "and at 50 %", DECISIONS)
def found_50(bench: Bench) -> Measured:
    return gate(decisions(bench), "requests until 1.5 x", "50%", limit=5_200)


@SUITE.row("speed-power", "power beside them: the smaller share of runs in which 1.5 x was found", DECISIONS)
def power(bench: Bench) -> Measured:
    rows = decisions(bench)["tables"]["splits"]
    calm = {"rate": "5.0%", "ratio": 1.5, "drift": "no", "routing": "per request"}
    shares = ("10%", "50%", "ramp")
    chosen = [each for each in rows if each["share"] in shares and all(each[name] == calm[name] for name in calm)]
    if len(chosen) != len(shares):
        raise Red(f"{len(chosen)} cells")
    return Measured(min(each["rolled_back"] for each in chosen), 0.99, at_least=True)


@SUITE.row("speed-served", "errors served by a bad canary on the ramp, of 1.5 x", DECISIONS)
def served(bench: Bench) -> Measured:
    return gate(decisions(bench), "errors served", "1.5 x", limit=120)


@SUITE.row("speed-served-4", "and of 4 x", DECISIONS)
def served_4(bench: Bench) -> Measured:
    return gate(decisions(bench), "errors served", "4 x", limit=15)


@SUITE.row("speed-paired", "labels until a paired shadow finds one point worse", DECISIONS)
def paired(bench: Bench) -> Measured:
    return gate(decisions(bench), "1 point worse", limit=10_500)


@SUITE.row(
    "speed-sticky",
    "sticky routing at 200 users stays within alpha, counting entities; the nearest as a share of what is allowed",
    DECISIONS,
)
def sticky(bench: Bench) -> Measured:
    return gate(decisions(bench), "sticky users", limit=1.0)


@SUITE.row(
    "speed-rare",
    "a 5 x regression at an error rate of 0.5 %, where the candidate has 10 % or more, or the ramp: share of runs in "
    "which it is found",
    DECISIONS,
)
def rare(bench: Bench) -> Measured:
    return gate(decisions(bench), "5 x at a rate of 0.5 %", limit=1.0, at_least=True)


@SUITE.row("speed-update", "an evidence update for one million events, s", DECISIONS)
def update(bench: Bench) -> Measured:
    return gate(decisions(bench), "a million events", limit=1.0)


@SUITE.row("speed-update-guards", "the same for the usual guards, of a shadow and of a split: the slowest, s", EVIDENCE)
def update_guards(bench: Bench) -> Measured:
    found = report(bench, "evidence", "evidence.json")["gates"]
    values = [each["value"] for each in found if "1,000,000 events" in each["says"]]
    if len(values) != 2:
        raise Red(f"{len(values)} gates speak of a million events: {[each['says'] for each in found]}")
    return Measured(max(values), 1.0)


@SUITE.row(
    "speed-look", "a look at a million inputs counted before, beside one at ten thousand: times as long", EVIDENCE
)
def look(bench: Bench) -> Measured:
    return gate(report(bench, "evidence", "evidence.json"), "times as long", limit=2.0)


@SUITE.row(
    "speed-rollback",
    "from the event that crosses the line to the last worker obeying, s: the slowest of several rollouts, with "
    "few rows behind them and with many",
    ROLLBACK,
)
def rollback(bench: Bench) -> Measured:
    return gate(report(bench, "rollback", "rollback.json"), "crosses the line", limit=2.0)


@SUITE.row(
    "speed-shadow",
    "shadowing at 30 % of capacity, open loop, on and off in pairs: upper 90 % bound of the p99 ratio",
    SHADOW,
)
def shadow(bench: Bench) -> Measured:
    found = report(bench, "shadow", "shadow.json")
    if not gate(found, "left late", limit=2.0).kept:
        raise Red("the machine was busy with something else: requests left late without a shadow too")
    return gate(found, "p99 with a shadow", limit=1.15)


@SUITE.row("speed-shadow-executed", "meanwhile shadows were executed for this share of the rows", SHADOW)
def executed(bench: Bench) -> Measured:
    return gate(report(bench, "shadow", "shadow.json"), "the shadow answered", limit=0.99, at_least=True)


@SUITE.row("speed-shadow-answered", "and requests that were not answered", SHADOW)
def answered(bench: Bench) -> Measured:
    return gate(report(bench, "shadow", "shadow.json"), "not answered", limit=0)


SUITE.tests("speed-hangs", "no failed request when the candidate hangs", f"{UNKIND}[hanging]")
SUITE.tests("speed-crashes", "or crashes", f"{UNKIND}[dying]")
SUITE.tests("speed-huge", "or answers 10 MB", f"{UNKIND}[huge]")
SUITE.tests(
    "speed-fifty",
    "fifty successive challengers, each 0.5 points worse: the cumulative loss stays inside the margin",
    "tests/rollouts/test_budget.py::test_fifty_challengers_half_a_point_worse_each_stay_inside_the_margin",
)
