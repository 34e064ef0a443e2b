"""Truths of very many rows are those that the journal's join tells of the same rows."""

from pathlib import Path

import numpy as np
import pytest

from headgate.journal import truths as room
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader, View
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField, Source
from headgate.journal.sealer import Sealer
from headgate.journal.tables import Table
from headgate.journal.truths import Truths, truths
from headgate.retraining.datasets.labelled import id_texts
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import SECOND, Micros

SCHEMA = Schema("default", "flights", "sha256:1", (SchemaField("x", "number", "public"),), "regression", "number")
END = 10_000
"""Seconds."""


def ident(number: int) -> bytes:
    return number.to_bytes(16)


def blocks(seed: int, rows: int = 400) -> list[Block]:
    """Retries, revisions, labels ahead of their rows, and all three ways to name an input."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(rows):
        at = int(random.integers(0, 1000)) * SECOND
        again = number and random.random() < 0.1
        request = f"r{number - 1 if again else number}" if random.random() < 0.9 else ""
        asked = Input(ident(number), at, (1.0,), request, 0, entity=f"e{number % 37}")
        made = Block([asked], [Answer(ident(number), "m:1", "m:1", "live", 1.0, 0.5, None, 1, 1)], [])
        for revision in range(int(random.integers(0, 3))):
            observed = at + int(random.integers(-20, 200)) * SECOND
            about = [
                {"input_id": ident(number)}, {"request_id": request, "row": 0},
                {"entity": f"e{number % 37}", "entity_at": at + 5 * SECOND},
            ][int(random.choice(3, p=[0.6, 0.2, 0.2]))]  # fmt: skip
            value = None if random.random() < 0.1 else float(random.integers(0, 100))
            source = Source.HUMAN if random.random() < 0.2 else Source.LABEL
            name = ident(10_000 + 10 * number + revision)
            label = Label(name, observed + 3 * SECOND, observed, value, source=source, **about)  # type: ignore[arg-type]
            made.labels.append(label)
        found.append(made)
    return found


def reader_of(folder: Path, made: list[Block]) -> Reader:
    source, lake = MemorySegments(), Lake(folder / "lake")
    half = len(made) // 2
    source.write("a-0", 1, [(SCHEMA, each) for each in made[:half]])
    Sealer(source, lake).seal()
    source.write("a-0", 2, [(SCHEMA, each) for each in made[half:]], closed=False)
    return Reader(lake, source)


def known(reader: Reader, folder: Path, start: int | None, end: int, as_of: int) -> Truths:
    def look(view: View) -> Truths:
        window = {"start": None if start is None else Micros(start), "end": Micros(end)}
        return truths(view, folder / "aside", as_of=Micros(as_of), **window)  # type: ignore[arg-type]

    return reader.looked("default", "flights", (Table.INPUTS, Table.LABELS), look)


@pytest.mark.parametrize(
    ("start", "end", "as_of"), [(None, END, END), (200, 800, 900), (None, 500, 450), (300, 301, 9000)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_they_are_those_of_the_join(seed: int, start: int | None, end: int, as_of: int, tmp_path: Path) -> None:
    reader = reader_of(tmp_path, blocks(seed))
    first = None if start is None else start * SECOND
    last, moment = end * SECOND, as_of * SECOND
    found = known(reader, tmp_path, first, last, moment)
    window = {"start": None if first is None else Micros(first), "end": Micros(last), "as_of": Micros(moment)}
    rows = reader.joined("default", "flights", **window).to_pylist()  # type: ignore[arg-type]
    said = {each["input_id"]: each for each in rows if each["label"] is not None}
    fair = [each for each in said.values() if each["label_observed_at"] >= each["at"]]
    fair.sort(key=lambda each: (each["at"], each["input_id"]))
    assert id_texts(found.ids).to_pylist() == [each["input_id"] for each in fair]
    assert found.values.to_pylist() == [each["label"] for each in fair]
    assert found.at.tolist() == [round(each["at"].timestamp() * 1e6) for each in fair]
    assert found.leaked == len(said) - len(fair)
    assert len(fair) > 20 or end == 301


def test_revisions_that_lie_in_two_batches_are_of_one_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reader_of(tmp_path, blocks(3, rows=60))
    whole = known(reader, tmp_path, None, END * SECOND, END * SECOND)
    monkeypatch.setattr(room, "BATCH", 1)
    piecewise = known(reader, tmp_path, None, END * SECOND, END * SECOND)
    assert np.array_equal(whole.ids, piecewise.ids)
    assert whole.values.to_pylist() == piecewise.values.to_pylist()
    assert whole.leaked == piecewise.leaked


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's one of them"
    assert len(known(reader_of(folder, blocks(1, rows=40)), tmp_path, None, END * SECOND, END * SECOND)) > 5


def test_nothing_is_known_of_nothing(tmp_path: Path) -> None:
    found = known(Reader(Lake(tmp_path), MemorySegments()), tmp_path, None, END * SECOND, END * SECOND)
    assert (len(found), found.ids.shape, len(found.values), found.leaked) == (0, (0, 16), 0, 0)


def test_a_file_that_is_gone_is_told_as_readers_understand_it(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, blocks(1, rows=40))

    def look(view: View) -> Truths:
        for path in (tmp_path / "lake").rglob("labels/**/*.parquet"):
            path.unlink()
        with pytest.raises(FileNotFoundError):
            truths(view, tmp_path, start=None, end=Micros(END), as_of=Micros(END))
        raise KeyError("looked")

    with pytest.raises(KeyError, match="looked"):
        reader.looked("default", "flights", (Table.INPUTS, Table.LABELS), look)
