"""Rows: what a suite is made of, how one is run, and what it leaves behind."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ROW_SECONDS = 1800
"""Longest a command of a row may take when the row names no limit of its own."""


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
    """Where rows work: a fresh clone, and what earlier rows of the same run have made there."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.notes: dict[str, str] = {}
        """What one row leaves for a later one, by name."""

    @property
    def python(self) -> str:
        """The interpreter the clone's own Makefile installed."""
        return str(self.clone / ".venv" / "bin" / "python")

    def run(self, *command: str, timeout: float = ROW_SECONDS) -> str:
        """What a command printed, run in the clone; Red when it fails or takes too long."""
        try:
            done = subprocess.run(
                command,
                cwd=self.clone,
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
        if done.returncode != 0:
            raise Red(f"ended with {done.returncode}: {done.stdout.strip()[-600:]}")
        return done.stdout

    def tests(self, *chosen: str, timeout: float = ROW_SECONDS) -> Measured:
        """How many of the chosen tests passed, at least one; Red when one fails or is skipped."""
        said = self.run(self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, timeout=timeout)
        closing = said.strip().splitlines()[-1]
        counts = {word.rstrip(","): int(number) for number, word in zip(*_pairs(closing), strict=True)}
        if counts.get("skipped"):
            raise Red(f"not all ran: {closing}")
        return Measured(counts.get("passed", 0), 1, at_least=True)


Body = Callable[[Bench], Measured | None]


@dataclass(frozen=True)
class Row:
    """One promise: where it is written, what it says, what shows it."""

    id: str
    says: str
    shown_by: str
    body: Body


@dataclass(frozen=True)
class Result:
    """What became of a row; the JSON has exactly these keys."""

    id: str
    says: str
    command: str
    value: float | str | None
    limit: str | None
    ok: bool
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The fields by name."""
        return asdict(self)


class Suite:
    """The rows of one capability, in the order they are run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, name: str, says: str, shown_by: str) -> Callable[[Body], Body]:
        """Registers a function as the row `name`; it returns a measurement or None, and raises when red."""

        def register(body: Body) -> Body:
            if any(each.id == name for each in self.rows):
                raise ValueError(f"two rows are called {name}")
            self.rows.append(Row(name, says, shown_by, body))
            return body

        return register


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


def _pairs(closing: str) -> tuple[list[str], list[str]]:
    """Numbers and the words after them in pytest's closing line."""
    words = closing.replace("=", " ").split(" in ")[0].split()
    return words[::2], words[1::2]
