"""A served endpoint that is made up, with its journal of some days: callers, labels, and one day that goes wrong."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from headgate.contracts.contract import Output
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Role, Task

VERSION, OTHER = "late:1", "late:2"
FIELDS: Final = (SchemaField("amount", "number", "public"),)
SCHEMA: Final = Schema("default", "late", "sha256:1", FIELDS, "binary", "text", ("no", "yes"))
OUTPUT: Final = Output(Task.BINARY, classes=("no", "yes"), probability=True)
SOURCE: Final = Source("default", "late", SERVED)
MONDAY: Final = Micros(20_003 * DAY)
DAYS: Final = 4
END: Final = Micros(MONDAY + DAYS * DAY)
MATURITY_S: Final = 6 * 3600.0


def ident(number: int) -> bytes:
    """The id of an input or of a label."""
    return number.to_bytes(16, "big")


@dataclass(frozen=True)
class Written:
    """What becomes readable at a moment."""

    at: Micros
    block: Block


@dataclass
class World:
    """A journal that somebody writes, as far as time has come."""

    folder: Path
    coming: list[Written]
    """By moment."""
    source: MemorySegments = field(default_factory=MemorySegments)
    sequence: int = 1
    schema: Schema = SCHEMA

    def __post_init__(self) -> None:
        self.lake = Lake(self.folder)
        self.reader, self.sealer = Reader(self.lake, self.source), Sealer(self.source, self.lake)

    def until(self, now: Micros) -> None:
        """Everything that is readable by `now` is written."""
        due = [each for each in self.coming if each.at <= now]
        self.coming = self.coming[len(due) :]
        for each in due:
            self.write(each.block)

    def write(self, block: Block) -> None:
        """Readable from now on."""
        self.source.write("here-0", self.sequence, [(self.schema, block)], closed=False)

    def seal(self, *, compact: bool = False) -> None:
        """The segment is closed and moved into the lake."""
        if not self.source.segments():
            return
        self.source.write("here-0", self.sequence, [], closed=True)
        self.sequence += 1
        self.sealer.seal()
        if compact:
            self.sealer.compact(grace_hours=0)


def story(seed: int, inputs: int = 240) -> list[Written]:
    """Inputs of four days, on the third of which much fails; some are asked again, labels come late, twice or never."""
    random = np.random.default_rng(seed)
    moments = np.sort(random.integers(MONDAY, END, inputs)).tolist()
    found = []
    for number, at in enumerate(moments):
        wrong = MONDAY + 2 * DAY <= at < MONDAY + 3 * DAY
        readable = Micros(at + int(random.integers(0, 20 * SECOND)))
        found.append(Written(readable, asked(random, number, at, wrong=wrong)))
        found += labels(random, number, at)
    return sorted(found, key=lambda each: each.at)


def asked(random: np.random.Generator, number: int, at: int, *, wrong: bool) -> Block:
    """One input with its answer, if it got one; some ask again what was asked up to three days before."""
    request = f"r{number}"
    if number and random.random() < 0.1:
        request = f"r{int(random.integers(max(0, number - 150), number))}"
    kind = float(random.random())
    refusal = Refusal("row", "runtime", "failed") if kind < (0.4 if wrong else 0.001) else None
    refusal = Refusal("amount", "range", "too large") if kind > 0.95 else refusal
    features = None if refusal else (float(number % 7),)
    block = Block([Input(ident(number), at, features, request, 0, refusal=refusal)], [], [])
    if refusal is None:
        canary = random.random() < 0.1
        fallback = "failed" if canary and random.random() < 0.3 else ""
        assigned = OTHER if canary else VERSION
        answered = VERSION if fallback else assigned
        sure = round(float(random.uniform(0.5, 1.0)), 3)
        role = Role.CANARY if canary else Role.LIVE
        took = int(random.lognormal(6.0, 0.5))
        share = 0.1 if canary else 0.9
        times = took, took + 200
        said = Answer(ident(number), assigned, answered, role, share, "yes", [1 - sure, sure], *times, fallback)
        block.answers.append(said)
        if random.random() < 0.3:
            unseen = Answer(ident(number), OTHER, OTHER, Role.SHADOW, 1.0, "no", [sure, 1 - sure], took, took)
            block.answers.append(unseen)
    return block


def labels(random: np.random.Generator, number: int, at: int) -> list[Written]:
    """What turned out to be true of an input, up to ten hours later, now and then revised."""
    if random.random() < 0.15:
        return []
    known = Micros(at + int(random.integers(SECOND, 10 * HOUR)))
    found = [_label(2 * number, number, known, "yes" if random.random() < 0.7 else "no")]
    if random.random() < 0.2:
        later = Micros(known + int(random.integers(SECOND, 10 * HOUR)))
        found.append(_label(2 * number + 1, number, later, "no"))
    return found


def _label(id_: int, number: int, known: Micros, value: str) -> Written:
    return Written(known, Block([], [], [Label(ident(10**6 + id_), known, known, value, input_id=ident(number))]))
