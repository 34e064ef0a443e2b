"""Journals of worlds that change where a test says: two numbers, a category, a truth, and a model of the old one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from headgate.contracts.contract import Contract, Field, Kind, Output, Sensitivity
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.retraining.datasets.wanted import Wanted
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import DAY, HOUR, Micros, Task

FIELDS = (
    Field("x", Kind.NUMBER), Field("y", Kind.NUMBER), Field("carrier", Kind.CATEGORY),
    Field("passenger", Kind.TEXT, sensitivity=Sensitivity.PERSONAL),
)  # fmt: skip
OUTPUT = Output(Task.BINARY, "late", (False, True), probability=True)
CONTRACT = Contract(FIELDS, OUTPUT)
SCHEMA = Schema(
    "default", "flights", "sha256:1", tuple(SchemaField(f.name, f.kind, f.sensitivity) for f in FIELDS), "binary",
    "boolean", (False, True),
)  # fmt: skip
START = 1_362_096_000_000_000
LATE = HOUR
"""How long labels take."""


def ident(number: int, kind: int = 0) -> bytes:
    return (number + 1).to_bytes(15) + bytes([kind])


@dataclass(frozen=True)
class World:
    """Rows of a journal."""

    at: np.ndarray
    x: np.ndarray
    y: np.ndarray
    truth: np.ndarray
    chance: np.ndarray
    """That the model said."""


def world(rows: int, changed: int | None = None, *, days: float = 20.0, shift: float = 0.0, seed: int = 1) -> World:
    """`rows` in so many days; from row `changed` on `x` means the opposite, or comes elsewhere by `shift`."""
    random = np.random.default_rng(seed)
    at = np.sort(START + random.integers(0, int(days * DAY), rows))
    is_new = np.arange(rows) >= (rows if changed is None else changed)
    x, y = random.normal(size=rows) + shift * is_new, random.normal(size=rows)
    slope = np.where(is_new & (shift == 0), -1.0, 1.0)
    truth = random.random(rows) < 1 / (1 + np.exp(-3 * x * slope))
    return World(at, x, y, truth, 1 / (1 + np.exp(-3 * x)))


def block(made: World, first: int, last: int) -> Block:
    found = Block([], [], [])
    for place in range(first, last):
        at, chance = int(made.at[place]), float(made.chance[place])
        cells = (float(made.x[place]), float(made.y[place]), "UA" if place % 3 else "AA", "Ann")
        found.inputs.append(Input(ident(place), at, cells, f"r{place}", 0))
        said = Answer(ident(place), "late:1", "late:1", "live", 1.0, chance > 0.5, [1 - chance, chance], 1, 1)
        found.answers.append(said)
        truth = bool(made.truth[place])
        found.labels.append(Label(ident(place, 1), at + LATE, at + LATE, truth, input_id=ident(place)))
    return found


def journal(folder: Path, blocks: Sequence[Block], schema: Schema = SCHEMA, *, sealed: int | None = None) -> Reader:
    """A reader of these blocks, a segment each, the first `sealed` of which are in the lake, or half of them."""
    source, lake = MemorySegments(), Lake(folder / "lake")
    half = len(blocks) // 2 if sealed is None else sealed
    for number, each in enumerate(blocks):
        source.write("a-0", number + 1, [(schema, each)], closed=number < half)
        if number == half - 1:
            Sealer(source, lake).seal()
    return Reader(lake, source)


def journalled(folder: Path, made: World, *, pieces: int = 4, sealed: int | None = None) -> Reader:
    """A reader of a world in so many segments, half of them in the lake where nobody says how many."""
    edges = np.linspace(0, len(made.at), pieces + 1).astype(int).tolist()
    return journal(folder, [block(made, first, last) for first, last in pairwise(edges)], sealed=sealed)


def wanted(made: World | None = None, **more: object) -> Wanted:
    """Everything of a world, known a day after its last row."""
    as_of = Micros(int(made.at[-1]) + DAY) if made is not None else Micros(START + 400 * DAY)
    words: dict[str, object] = {"as_of": as_of, **more}
    return Wanted("default", "flights", CONTRACT, **words)  # type: ignore[arg-type]  # words are those of the value
