"""What is shown: the table of decisions, kills, machines, and a runbook for each strategy."""

import re
from typing import Final

from acceptance.figures import PERFORMANCE, shown
from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
LIVES: Final = "tests/lives/test_rollouts.py"
PAGE: Final = "docs/decisions-benchmark.md"
HOW_TO: Final = "docs/how-to/rollouts.md"
RULES: Final = ("headgate", "peeking z-test", "z-test of a fixed size", "Flagger", "Argo", "Kayenta", "mixture SPRT",
                "group-sequential")  # fmt: skip
MACHINES: Final = ("tests/rollouts/test_machine.py", "tests/controller/test_killed.py")
RUNBOOKS: Final = {
    "shadow": ("test_shadow_a_person_reads_the_report_and_decides",),
    "canary": (
        "test_canary_a_good_version_is_promoted_by_itself",
        "test_canary_a_bad_version_never_meets_a_caller",
        "test_canary_without_a_shadow_a_failing_version_costs_nobody_an_answer",
    ),
    "blue-green": (
        "test_blue_green_all_at_once_and_back_within_a_second",
        "test_blue_green_switches_by_itself_once_its_guards_have_decided",
        "test_blue_green_a_guard_takes_every_caller_back_while_the_way_back_is_open",
    ),
    "ab-test": ("test_ab_test_ends_when_a_guard_has_decided",),
    "all-at-once": ("test_all_at_once_is_at_once",),
}


@SUITE.row(
    "show-decisions",
    f"the table of make bench-decisions stands in {PAGE}: our row beside each baseline, and every gate is met",
    PAGE,
)
def decisions(bench: Bench) -> Measured:
    text = (bench.clone / PAGE).read_text()
    found = re.search(r"<!-- begin bench-decisions -->(.*?)<!-- end bench-decisions -->", text, re.DOTALL)
    if found is None:
        raise Red("it has no table")
    lines = [line for line in found[1].splitlines() if re.match(r"\|.*\d", line)]
    if missing := [rule for rule in RULES if not any(line.startswith(f"| {rule}") for line in lines)]:
        raise Red(f"no row of {', '.join(missing)}")
    gates = found[1].partition("### Gates")[2]
    if "MISSED" in gates or len(re.findall(r"\| ok \|$", gates, re.MULTILINE)) < 10:
        raise Red("not every gate is met")
    if "make bench-decisions" not in text:
        raise Red("it does not say how to repeat it")
    return Measured(len(lines), 200, at_least=True)


@SUITE.row(
    "show-performance",
    f"what a shadow costs and how soon a rollback is obeyed stand in {PERFORMANCE} with how to repeat them, and no "
    "gate was missed",
    PERFORMANCE,
)
def performance(bench: Bench) -> Measured:
    return shown(bench, {"bench-rollouts": ("p99 with a shadow", "crosses the line")}, "shadow", "rollback", "evidence")


SUITE.tests(
    "show-kills",
    "SIGKILL of the controller at random moments of a rollout, twenty times: state, history, traffic and callers as if "
    "nothing had happened",
    f"{LIVES}::test_controllers_killed_at_random_moments_change_nothing[20]",
    alone=True,
)


@SUITE.row("show-machines", "the Hypothesis machines run in make test", "make test")
def machines(bench: Bench) -> Measured:
    marks = re.search(r'-m "([^"]+)"', bench.run("make", "--dry-run", "test"))
    if marks is None:
        raise Red("make test chooses no tests")
    words = ("-q", "--collect-only", "-p", "no:cacheprovider", "-m", marks[1])
    said = bench.run(bench.python, "-m", "pytest", *words, *MACHINES)
    if missing := [each for each in MACHINES if not re.search(rf"^{each}::\w+::runTest", said, re.MULTILINE)]:
        raise Red(f"not chosen: {', '.join(missing)}")
    return bench.tests(*MACHINES)


for strategy, names in RUNBOOKS.items():
    SUITE.tests(
        f"show-runbook-{strategy}",
        f"given, when, then: a runbook of {strategy.replace('-', ' ')}",
        *(f"{LIVES}::{name}" for name in names),
    )


@SUITE.row("show-how-to", "the page on rollouts, executed", f"python tools/rundocs.py {HOW_TO}")
def how_to(bench: Bench) -> Measured:
    said = bench.run(bench.python, "tools/rundocs.py", HOW_TO)
    found = re.search(r"rollouts\.md: (\d+) blocks ran", said)
    if found is None:
        raise Red(said[-400:])
    return Measured(int(found[1]), 6, at_least=True)
