"""Rows: what a suite is made of, how one is run, and what it leaves behind."""

import json
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")

ROW_SECONDS = 1800
"""Longest a command of a row may take when the row names no limit of its own."""
REASONS = 3
"""Most tests of a row whose failures it tells."""
REASON_LETTERS = 400


class Red(Exception):
    """A row found that what it says is not so; the message says what was seen instead."""


@dataclass(frozen=True)
class Measured:
    """A figure and the limit it must keep: at most `limit`, or with `at_least` no less than it."""

    value: float
    limit: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the value is a number on the right side of its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def limit_text(self) -> str:
        """The limit with its direction."""
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


class Bench:
    """Where rows work: a fresh clone, and what earlier rows of the same run have found out there."""

    def __init__(self, clone: Path, *, source: Path | None = None, prepared: bool = False) -> None:
        """`source` is what further clones are made of; a prepared tree is used with the environment it has."""
        self.clone = clone
        self._source = source or clone
        self._made = {".venv/.dev", ".venv/.full"} if prepared else set()
        self._together: list[str] = []
        self._found: dict[str, tuple[Any, Exception | None]] = {}

    @property
    def python(self) -> str:
        """The interpreter the clone's own Makefile installed."""
        self.make(".venv/.dev")
        return str(self.clone / ".venv" / "bin" / "python")

    @property
    def headgate(self) -> str:
        """The command the clone's own Makefile installed."""
        return str(Path(self.python).with_name("headgate"))

    def make(self, target: str) -> None:
        """A target of the Makefile, once per run."""
        if target not in self._made:
            self.run("make", target)
            self._made.add(target)

    def once(self, name: str, find: Callable[[], T]) -> T:
        """What `find` found, or the error it raised, the first time it was asked for under this name."""
        if name not in self._found:
            try:
                self._found[name] = (find(), None)
            except Exception as error:  # every row that builds on it is as red as the first
                self._found[name] = (None, error)
        value, problem = self._found[name]
        if problem is not None:
            raise problem
        return cast(T, value)

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """Another clone, in which no command was ever typed; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="headgate-first-") as folder:
            target = Path(folder) / "clone"
            subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(self._source), str(target)], check=True)
            yield target

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty directory outside the clone; gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="headgate-row-") as folder:
            yield Path(folder)

    def run(
        self,
        *command: str,
        timeout: float = ROW_SECONDS,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        status: int | None = 0,
    ) -> str:
        """What a command printed, run in the clone; Red when it ends with another status or takes too long.

        With `status` None any will do: the row looks at what the command left behind.
        """
        try:
            done = subprocess.run(
                command,
                cwd=cwd or self.clone,
                env=env,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise Red(f"took longer than {timeout:g} s") from error
        if status is not None and done.returncode != status:
            raise Red(f"ended with {done.returncode}: {done.stdout.strip()[-600:]}")
        return done.stdout

    def tests(self, *chosen: str, timeout: float = ROW_SECONDS) -> Measured:
        """How many of the chosen tests passed, at least one of each; Red when one fails or is skipped."""
        said = self.run(self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, timeout=timeout)
        counts, _ = tally(said)
        if counts.get("skipped") or counts.get("xfailed"):
            raise Red(f"not all hold: {', '.join(f'{number} {word}' for word, number in counts.items())}")
        named = [each for each in chosen if each.startswith("tests/")]
        return Measured(counts.get("passed", 0), max(1, len(named)), at_least=True)

    def gather(self, tests: Iterable[str]) -> None:
        """Name the tests that rows will ask `shared` for, so that one run of pytest answers for all of them."""
        self._together = sorted(set(tests))

    def shared(self, *chosen: str) -> Measured:
        """As `tests`, from the one run that all gathered tests share; every row still counts its own alone."""
        if not set(chosen) <= set(self._together):
            return self.tests(*chosen)
        ended, why = self.once("tests", self._outcomes)
        counts: Counter[str] = Counter()
        said = []
        for each in chosen:
            names = [name for name in ended if covers(each, name)]
            if not names:
                raise Red(f"no test ran for {each}")
            counts.update(ended[name] for name in names)
            said += [f"{name}: {why[name]}" for name in names if name in why]
        if set(counts) != {"passed"}:
            numbers = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
            raise Red("; ".join([f"not all hold: {numbers}", *said[:REASONS]]))
        return Measured(counts["passed"], len(chosen), at_least=True)

    def _outcomes(self) -> tuple[dict[str, str], dict[str, str]]:
        """What became of each test, and why those that failed did."""
        self.make(".venv/.full")
        self.run(self.python, "tools/real_parts.py")
        report = self.clone / "build" / "accept" / "tests.xml"
        report.parent.mkdir(parents=True, exist_ok=True)
        # One that is not there yet would keep all others from running; its own row finds that it did not run.
        together = [each for each in self._together if is_there(each, self.clone)]
        words = ("-q", "-p", "no:cacheprovider", "-n", "2", f"--junit-xml={report}", *together)
        said = self.run(self.python, "-m", "pytest", *words, status=None, timeout=3600)
        if not report.is_file():
            raise Red(f"no test ran: {said.strip()[-600:]}")
        text = report.read_text()
        return outcomes(text), reasons(text)


Body = Callable[[Bench], Measured | None]


@dataclass(frozen=True)
class Row:
    """One promise: where it is written, what it says, what shows it."""

    id: str
    says: str
    shown_by: str
    body: Body
    shares: tuple[str, ...] = ()
    """Tests it takes from the run that rows share."""


@dataclass(frozen=True)
class Result:
    """What became of a row."""

    id: str
    says: str
    shown_by: str
    value: float | str | None
    limit: str | None
    ok: bool
    seconds: float

    def as_json(self) -> dict[str, object]:
        """id, says, `test` or `command` as the case may be, value, limit, ok and seconds."""
        return {
            "id": self.id,
            "says": self.says,
            "test" if self.shown_by.startswith("tests/") else "command": self.shown_by,
            "value": self.value,
            "limit": self.limit,
            "ok": self.ok,
            "seconds": self.seconds,
        }


class Suite:
    """The rows of one capability, in the order they are run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, name: str, says: str, shown_by: str) -> Callable[[Body], Body]:
        """Registers a function as the row `name`; it returns a measurement or None, and raises when red."""

        def register(body: Body) -> Body:
            self.add(Row(name, says, shown_by, body))
            return body

        return register

    def tests(self, name: str, says: str, *chosen: str, alone: bool = False) -> None:
        """Registers a row shown by tests of the repository, named as pytest names them.

        Rows share one run of pytest; `alone` is for tests that load the machine, and for those chosen by options.
        """
        alone = alone or any(each.startswith("-") for each in chosen)
        if alone:
            self.add(Row(name, says, " ".join(chosen), lambda bench: bench.tests(*chosen)))
        else:
            self.add(Row(name, says, " ".join(chosen), lambda bench: bench.shared(*chosen), chosen))

    def add(self, row: Row) -> None:
        """Takes a row that has a name of its own."""
        if any(each.id == row.id for each in self.rows):
            raise ValueError(f"two rows are called {row.id}")
        self.rows.append(row)

    def join(self, *others: "Suite") -> "Suite":
        """This suite with the rows of others behind its own."""
        for other in others:
            for row in other.rows:
                self.add(row)
        return self


def judge(row: Row, bench: Bench) -> Result:
    """Runs a row; whatever it raises makes it red, nothing stops the suite."""
    begun = time.monotonic()
    value: float | str | None
    try:
        measured = row.body(bench)
    except Exception as error:  # whatever goes wrong is a red row, not the end of the suite
        value, limit, ok = f"{type(error).__name__}: {error}", None, False
    else:
        value = None if measured is None else measured.value
        limit = None if measured is None else measured.limit_text
        ok = measured is None or measured.kept
    return Result(row.id, row.says, row.shown_by, value, limit, ok, round(time.monotonic() - begun, 1))


def covers(chosen: str, name: str) -> bool:
    """Whether a test is among those `chosen` names: a folder, a file, a function or one case of it.

    >>> covers("tests/a.py::test_x", "tests/a.py::test_x[1]"), covers("tests/a.py::test_x", "tests/a.py::test_xy")
    (True, False)
    """
    return name == chosen or name.startswith((chosen + "/", chosen + "::", chosen + "["))


def is_there(chosen: str, root: Path) -> bool:
    """Whether a test, a file or a folder of tests that a row names has been written.

    >>> is_there("acceptance/rows.py::is_there[1]", Path()), is_there("acceptance/rows.py::is_nowhere", Path())
    (True, False)
    """
    path, _, inside = chosen.partition("::")
    name = inside.rpartition("::")[2].partition("[")[0]
    file = root / path
    return file.is_dir() or (file.is_file() and (not name or f"def {name}(" in file.read_text()))


def outcomes(report: str) -> dict[str, str]:
    """What became of each test in a JUnit report: ``passed``, ``failed`` or ``skipped``, by the name pytest knows.

    >>> outcomes('<testsuites><testsuite><testcase classname="tests.a" name="test_x[1]"/></testsuite></testsuites>')
    {'tests/a.py::test_x[1]': 'passed'}
    """
    found = {}
    for name, case in _cases(report):
        bad = "failed" if case.find("failure") is not None or case.find("error") is not None else ""
        found[name] = bad or ("skipped" if case.find("skipped") is not None else "passed")
    return found


def reasons(report: str) -> dict[str, str]:
    """Why tests of a JUnit report failed: what was asserted or raised, and where.

    >>> said = "def test_x():\\nE  1 == 2\\na.py:3: "
    >>> case = f'<testcase classname="tests.a" name="test_x"><failure>{said}</failure></testcase>'
    >>> reasons(f"<testsuite>{case}</testsuite>")
    {'tests/a.py::test_x': 'E 1 == 2 a.py:3:'}
    """
    found = {}
    for name, case in _cases(report):
        for bad in (*case.iter("failure"), *case.iter("error")):
            lines = (bad.text or "").strip().splitlines() or [""]
            said = [*(line for line in lines if line.startswith("E ")), lines[-1]]
            found[name] = " ".join(" ".join(said).split())[-REASON_LETTERS:]
    return found


def _cases(report: str) -> Iterator[tuple[str, ET.Element]]:
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        yield name_of(case.get("classname", ""), case.get("name", "")), case


def name_of(where: str, name: str) -> str:
    """What pytest calls a test that a JUnit report keeps by the dotted name of its module or its class.

    >>> name_of("tests.a", "test_x[1]"), name_of("tests.a.TestMachine", "runTest")
    ('tests/a.py::test_x[1]', 'tests/a.py::TestMachine::runTest')
    """
    parts = where.split(".")
    module = [each for each in parts if not each[:1].isupper()]
    return "::".join([f"{'/'.join(module)}.py", *parts[len(module) :], name])


def last_object(said: str) -> dict[str, Any]:
    """The last line of what a program printed that is a JSON object; Red when there is none.

    >>> last_object("working\\n{\\"a\\": 1}\\na library says goodbye\\n")
    {'a': 1}
    """
    for line in reversed(said.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise Red(f"no JSON object: {said.strip()[-400:]}")


def tally(said: str) -> tuple[dict[str, int], float]:
    """Counts by outcome and seconds from what pytest printed, the last such line; Red when there is none.

    >>> tally("1 passed in 3.00s\\n=== 2 passed, 1 skipped in 61.50s (0:01:01) ===\\nlibraries may say more\\n")
    ({'passed': 2, 'skipped': 1}, 61.5)
    """
    closing = re.compile(r"^=*\s*(\d+ \w+(?:, \d+ \w+)*) in ([0-9.]+)s", re.MULTILINE)
    found = closing.findall(said)
    if not found:
        raise Red(f"pytest gave no account: {said.strip()[-300:]}")
    counts, seconds = found[-1]
    return {word: int(number) for number, word in (each.split() for each in counts.split(", "))}, float(seconds)
