"""Every record is handed out once, as soon as it is readable, whatever becomes of the file it is in."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from headgate.journal import news
from headgate.journal.lake import Lake
from headgate.journal.news import News, row_keys
from headgate.journal.places import keys_of
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema
from headgate.journal.sealer import Sealer
from headgate.journal.tables import Table
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import SECOND, Micros

SCHEMA = Schema("default", "late", "sha256:1", (), "binary", "text", ("no", "yes"))
START = Micros(10 * 86_400 * SECOND)
COLUMNS = {
    Table.INPUTS: ("input_id", "at"),
    Table.ANSWERS: ("input_id", "role", "assigned", "prediction"),
    Table.LABELS: ("label_id", "input_id", "value"),
}


class Told:
    """A journal, and what was handed out of it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.lake = MemorySegments(), Lake(folder)
        self.sealer = Sealer(self.source, self.lake)
        self.reader = Reader(self.lake, self.source)
        self.news = News(self.reader, "default", "late", START, COLUMNS)
        self.sequence = 1
        self.written: dict[Table, list[object]] = {table: [] for table in COLUMNS}
        self.told: dict[Table, list[object]] = {table: [] for table in COLUMNS}

    def write(self, number: int, at: int = START) -> None:
        id_ = number.to_bytes(16, "big")
        block = Block(
            [Input(id_, at, None, f"r{number}", 0)],
            [Answer(id_, each, each, "live", 1.0, "yes", None, 1, 1) for each in ("late:1", "late:2")],
            [Label(id_, at, at, "no", input_id=id_)],
        )
        self.source.write("here-0", self.sequence, [(SCHEMA, block)], closed=False)
        for table, count in ((Table.INPUTS, 1), (Table.ANSWERS, 2), (Table.LABELS, 1)):
            self.written[table] += [number] * count

    def close(self) -> None:
        self.source.write("here-0", self.sequence, [], closed=True)
        self.sequence += 1

    def take(self) -> None:
        for table, rows in self.news.take().items():
            name = "label_id" if table is Table.LABELS else "input_id"
            self.told[table] += [int(each.replace("-", ""), 16) for each in rows[name].to_pylist()]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_each_record_is_handed_out_once(told: Told, seed: int) -> None:
    random = np.random.default_rng(seed)
    for number in range(60):
        match int(random.integers(0, 6)):
            case 0:
                told.take()
            case 1:
                told.close()
            case 2:
                told.close()
                told.sealer.seal()
            case 3:
                told.sealer.compact(grace_hours=0)
        told.write(number)
    told.take()
    assert {table: sorted(map(str, each)) for table, each in told.told.items()} == {
        table: sorted(map(str, each)) for table, each in told.written.items()
    }
    assert not told.news.cut


def test_days_long_before_are_left_out(told: Told) -> None:
    told.write(1, START - 5 * 86_400 * SECOND)
    told.write(2, START - 3600 * SECOND)
    told.take()
    assert told.told[Table.INPUTS] == [2]


def test_what_its_writer_took_back_is_noticed(told: Told) -> None:
    told.write(1)
    size = told.source.segments()[0].size
    told.write(2)
    told.take()
    told.source.cut("here-0", 1, size)
    told.take()
    assert told.news.cut


def test_a_segment_taken_back_whole_is_noticed_too_and_a_sealed_one_is_none(told: Told) -> None:
    told.write(1)
    told.close()
    told.take()
    told.sealer.seal()
    told.take()
    assert not told.news.cut
    told.source.write("here-0", told.sequence, [], closed=False)
    empty = told.source.segments()[0].size
    told.write(2)
    told.take()
    told.source.cut("here-0", told.sequence, empty)
    told.take()
    assert told.news.cut


def test_keys_are_the_same_however_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pa.table({"request_id": ["a", "b", None, "", "a"], "row": [0, 0, 1, 2, 0]})
    whole = row_keys(rows, ("request_id", "row"))
    assert whole.tolist() == keys_of([("a", 0), ("b", 0), (None, 1), ("", 2), ("a", 0)]).tolist()
    monkeypatch.setattr(news, "AT_ONCE", 2)
    assert row_keys(rows, ("request_id", "row")).tolist() == whole.tolist()
    assert row_keys(rows.slice(0, 0), ("row",)).tolist() == []
