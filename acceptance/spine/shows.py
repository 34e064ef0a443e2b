"""What is shown: kills, traces, neighbours, a newcomer's path, and the tables of figures."""

import re
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
KILLS: Final = "tests/faults/test_kills.py"
PEERS: Final = ("MLServer", "BentoML", "LitServe", "MLflow")

SUITE.tests(
    "show-kill-parts",
    "worker, runtime host and controller each SIGKILLed under load ten times: every acknowledged record is there "
    "exactly once",
    f"{KILLS}::test_no_promise_is_lost_when_workers_hosts_and_the_controller_are_killed[10]",
    alone=True,
)
SUITE.tests(
    "show-kill-supervisor",
    "the supervisor SIGKILLed under load ten times: every acknowledged record is there exactly once",
    f"{KILLS}::test_no_promise_is_lost_when_the_supervisor_is_killed[10]",
    alone=True,
)
SUITE.tests(
    "show-disk",
    "the Disk double fails at every call, by power loss and by kill: every acknowledged record is there exactly once",
    "tests/journal/test_committer.py::test_the_story_is_shorter_than_the_faults",
    "tests/journal/test_committer.py::test_a_fault_at_every_call",
    "tests/journal/test_committer.py::test_any_faults_any_lives",
    "tests/journal/test_segment.py::test_recovery_can_die_anywhere_and_be_done_again",
    "tests/journal/test_blobs.py::test_a_fault_at_every_call_leaves_the_blob_whole_or_absent",
    "tests/registry/test_packages.py::test_a_fault_at_any_call_leaves_all_or_nothing",
)


@SUITE.row(
    "show-trace",
    "a trace of system calls shows no reply before its fdatasync, and finds fault where that is switched off",
    "tests/faults/test_trace.py",
)
def trace(bench: Bench) -> Measured:
    bench.make(".venv/.full")
    bench.run(bench.python, "tools/real_parts.py")
    return bench.tests("tests/faults/test_trace.py")


SUITE.tests(
    "show-neighbours",
    "64 connections with distinct rows, mean batch at least 4, two versions live, a bad row in every request: no "
    "answer belongs to another row or version",
    "tests/gateway/test_versions.py::test_no_answer_belongs_to_another_row_or_version",
)


@SUITE.row(
    "show-newcomer",
    "a newcomer's path, as executed documentation: register the README's pipeline, up, curl a prediction, post its "
    "label, see it in status",
    "python tools/rundocs.py README.md",
)
def newcomer(bench: Bench) -> None:
    text = (bench.clone / "README.md").read_text()
    ran = "\n".join(re.findall(r"^```(?:bash|python)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    steps = (
        "make_pipeline(",
        "headgate register",
        "headgate evaluate",
        "headgate apply",
        "headgate up",
        "/predict",
        "/labels",
        "headgate status",
    )
    places = [ran.find(step) for step in steps]
    if -1 in places or places != sorted(places):
        raise Red(
            f"not all steps are among the blocks that run, in their order: {dict(zip(steps, places, strict=True))}"
        )
    said = bench.run(bench.python, "tools/rundocs.py", "README.md")
    if not re.search(r"README\.md: [1-9]\d* blocks ran", said):
        raise Red(said[-400:])


@SUITE.row(
    "show-newcomer-sees",
    "what the newcomer sees at the end: status with the one request and its label",
    "the README's blocks in one shell",
)
def newcomer_sees(bench: Bench) -> None:
    with bench.folder() as folder:
        page = folder / "page.md"
        text = (bench.clone / "README.md").read_text()
        # The same blocks, and two more lines at the end that hold what status says to what was done.
        page.write_text(
            text
            + "\n```bash\nheadgate status churn --json > told.json\n```\n\n```python\nimport json\n"
            + "told = json.load(open('told.json'))['windows']\n"
            + "assert sum(w['answered'] for w in told) == 1, told\n"
            + "assert sum(w['labelled'] for w in told) == 1, told\n```\n"
        )
        bench.run(bench.python, "tools/rundocs.py", str(page))


@SUITE.row(
    "show-tables",
    "the benchmark tables stand in docs/performance.md with how to repeat them",
    "docs/performance.md",
)
def tables(bench: Bench) -> Measured:
    text = (bench.clone / "docs" / "performance.md").read_text()
    for command in ("make bench", "make bench-peers"):
        if command not in text:
            raise Red(f"it does not say how to repeat: {command}")
    rows = 0
    for name, servers in (("bench", ("bare", "fastapi", "buffered", "durable")), ("bench-peers", PEERS)):
        part = re.search(rf"<!-- begin {name} -->(.*?)<!-- end {name} -->", text, re.DOTALL)
        lines = [line for line in (part[1].splitlines() if part else ()) if re.match(r"\|.*\d", line)]
        for server in servers:
            if not any(server.lower() in line.lower() for line in lines):
                raise Red(f"the table of make {name} has no figure of {server}")
        rows += len(lines)
    for fact in ("fdatasync", "cpu"):
        if fact not in text.lower():
            raise Red(f"it does not record {fact}")
    return Measured(rows, 20, at_least=True)
