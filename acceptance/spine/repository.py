"""Item 1: a repository people want to pick up."""

import json
import re
import tomllib
from pathlib import Path
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite
from acceptance.spine.flights import story

SUITE = Suite()
TARGETS: Final = ("demo", "test", "test-full", "check", "accept", "bench", "bench-peers", "shape")
PAGE_LINES: Final = 60
SCREEN_LINES: Final = 40


@SUITE.row(
    "1-project", "src layout, package headgate, Python 3.11 or newer, Apache-2.0", "pip show headgate, pyproject.toml"
)
def project(bench: Bench) -> None:
    probe = (
        "import importlib.metadata as m, json, headgate; d = m.metadata('headgate'); "
        "print(json.dumps([d['Requires-Python'], d['License-Expression'], headgate.__file__]))"
    )
    needs, licence, file = json.loads(bench.run(bench.python, "-c", probe).splitlines()[-1])
    if (needs, licence) != (">=3.11", "Apache-2.0"):
        raise Red(f"the metadata says {needs}, {licence}")
    if Path(file) != bench.clone / "src" / "headgate" / "__init__.py":
        raise Red("the package is not imported from src")
    if "Apache License" not in (bench.clone / "LICENSE").read_text():
        raise Red("LICENSE is another")


SUITE.tests(
    "1-rooms",
    "every room of the layers exists with a paragraph of its own, and no other",
    "tests/architecture/test_layers.py::test_every_room_says_what_it_is",
    "tests/architecture/test_layers.py::test_every_room_has_a_paragraph",
)


@SUITE.row("1-rooms-design", "the rooms of the design are there", "src/headgate")
def rooms(bench: Bench) -> Measured:
    named = [
        *("contracts", "evidence", "registry", "journal", "traffic", "runtimes", "monitors", "rollouts"),
        *("retraining", "gateway", "controller", "store", "console", "cli", "testing"),
    ]
    there = [name for name in named if (bench.clone / "src" / "headgate" / name / "__init__.py").is_file()]
    return Measured(len(there), len(named), at_least=True)


SUITE.tests(
    "1-imports",
    "import contracts are enforced, exhaustively and without exemptions",
    "tests/architecture/test_layers.py::test_contracts_hold",
    "tests/architecture/test_layers.py::test_nothing_is_exempt",
)


@SUITE.row(
    "1-imports-red",
    "an import that goes up turns the import check red",
    "lint-imports after adding `import headgate.cli.main` to vocabulary.py",
)
def imports_red(bench: Bench) -> None:
    tool = str(Path(bench.python).with_name("lint-imports"))
    with bench.fresh() as clone:
        file = clone / "src" / "headgate" / "vocabulary.py"
        file.write_text(file.read_text() + "\nimport headgate.cli.main\n")
        bench.run(tool, "--no-cache", cwd=clone, env={"PYTHONPATH": str(clone / "src"), "PATH": "/usr/bin"}, status=1)


@SUITE.row(
    "1-readme",
    "the README's first screen says what it is, shows the two commands and the demo's real output",
    "README.md beside headgate demo --json",
)
def readme(bench: Bench) -> Measured:
    text = (bench.clone / "README.md").read_text()
    screen = "\n".join(text.splitlines()[:SCREEN_LINES])
    for words in ("# Headgate", "pip install", "headgate demo", "```text"):
        if words not in screen:
            raise Red(f"its first {SCREEN_LINES} lines lack {words}")
    shown = 0
    for month in story(bench).told["months"]:
        # The months' volumes are the data's own, their figures the model's: both must be of the demo as it is now.
        line = re.search(rf"^\W*{month['month']}\b.*$", text, re.MULTILINE)
        if line is None or f"{month['flights']:,}" not in line[0] or f"{month['auc']:.3f}" not in line[0]:
            raise Red(f"the line of {month['month']} is not what the demo prints")
        shown += 1
    return Measured(shown, 10, at_least=True)


@SUITE.row("1-contributing", "CONTRIBUTING.md is one page", "CONTRIBUTING.md")
def contributing(bench: Bench) -> Measured:
    text = (bench.clone / "CONTRIBUTING.md").read_text()
    if "make check" not in text or "make test" not in text:
        raise Red("it names neither make check nor make test")
    return Measured(len(text.splitlines()), PAGE_LINES)


@SUITE.row("1-changelog", "CHANGELOG.md tells what this version brings", "CHANGELOG.md")
def changelog(bench: Bench) -> None:
    version = tomllib.loads((bench.clone / "pyproject.toml").read_text())["project"]["version"]
    if not re.search(rf"^## .*{re.escape(version)}", (bench.clone / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise Red(f"it has no part for {version}")


@SUITE.row("1-docs", "docs has start, how-to, architecture, glossary and decisions, none of them empty", "docs/")
def docs(bench: Bench) -> Measured:
    folder = bench.clone / "docs"
    pages = [folder / f"{name}.md" for name in ("start", "architecture", "glossary")]
    how_to = [folder / "how-to.md", *folder.glob("how-to/*.md")]
    decisions = list(folder.glob("decisions/[0-9]*.md"))
    short = [page.name for page in pages if not page.is_file() or len(page.read_text()) < 1000]
    if short:
        raise Red(f"missing or hardly begun: {', '.join(short)}")
    if not any(page.is_file() for page in how_to) or not decisions:
        raise Red("no how-to or no decision")
    return Measured(len(decisions), 1, at_least=True)


SUITE.tests(
    "1-docs-complete",
    "every setting, verb, error, event and metric has its place in the documentation, and every link leads somewhere",
    "tests/architecture/test_documented.py",
)


@SUITE.row("1-makefile", "make lists every target with a word on each", "make")
def makefile(bench: Bench) -> Measured:
    said = bench.run("make")
    named = [name for name in TARGETS if re.search(rf"^make {name}\s+\S{{2,}}", said, re.MULTILINE)]
    return Measured(len(named), len(TARGETS), at_least=True)


@SUITE.row(
    "1-check",
    "make check holds: format, lint, strict types on source and tests, import contracts, executed examples",
    "make check",
)
def check(bench: Bench) -> Measured:
    said = bench.run("make", "check")
    held = set(re.findall(r"^ok +(\S+)", said, re.MULTILINE))
    wanted = {"format", "lint", "types", "imports", "examples", "docs"}
    if wanted - held:
        raise Red(f"not among what was checked: {', '.join(sorted(wanted - held))}")
    return Measured(len(held), len(wanted), at_least=True)


@SUITE.row("1-types", "types are strict, for tests as for source", "mypy --strict src tests")
def types(bench: Bench) -> None:
    bench.run(bench.python, "-m", "mypy", "--strict", "src", "tests")


@SUITE.row("1-constraints", "the constraints file pins versions and names no host", "constraints.txt")
def constraints(bench: Bench) -> Measured:
    lines = [
        line
        for line in (bench.clone / "constraints.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    if wrong := [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)]:
        raise Red(f"not NAME==VERSION: {wrong[0]}")
    return Measured(len(lines), 9, at_least=True)


@SUITE.row("1-pinned", "make installs the pinned versions and nothing that is not pinned", "pip freeze")
def pinned(bench: Bench) -> Measured:
    said = bench.run(bench.python, "-m", "pip", "--disable-pip-version-check", "freeze", "--exclude-editable")
    pins = {_name(line) for line in (bench.clone / "constraints.txt").read_text().splitlines() if "==" in line}
    installed = {_name(line) for line in said.splitlines() if line and not line.startswith("#")}
    if loose := sorted(installed - pins):
        raise Red(f"not as pinned: {', '.join(loose)}")
    return Measured(len(installed), 20, at_least=True)


@SUITE.row(
    "1-bench",
    "make bench runs the program of the benchmarks, which gathers what it found (here of its shortest part)",
    "make bench",
)
def bench_target(bench: Bench) -> None:
    if "-m benchmarks" not in bench.run("make", "--dry-run", "bench"):
        raise Red("make bench runs something else")
    gathered = bench.clone / "build" / "bench" / "bench.json"
    gathered.unlink(missing_ok=True)
    bench.run(bench.python, "-m", "benchmarks", "--quick", "--only", "startup", status=None)
    if not json.loads(gathered.read_text())["gates"]:
        raise Red("no promise was held against what was found")


@SUITE.row("1-bench-peers", "make bench-peers has its program", "make bench-peers")
def peers_target(bench: Bench) -> None:
    bench.run(bench.python, "-m", "benchmarks.peers", "--help")


@SUITE.row("1-shape", "make shape prints the size and shape of the source as a table", "make shape")
def shape(bench: Bench) -> None:
    said = bench.run("make", "shape")
    if "median" not in said:
        raise Red("no table")


def _name(line: str) -> str:
    """A pin as it is compared: one spelling of the name, no mark of who built the wheel."""
    name, _, version = line.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version.strip().partition('+')[0]}"
