"""Any Delta reader can open the lake, and its tables grow without rewriting what is there."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from headgate.errors import NotFound
from headgate.journal.lake import ALL_DAYS, NEVER, Days, Lake, each_table
from headgate.journal.ports import Stream
from headgate.journal.tables import Table

OLD = pa.schema([("input_id", pa.string()), ("date", pa.date32()), ("features", pa.struct([("x", pa.float64())]))])
NEW = pa.schema([("input_id", pa.string()), ("date", pa.date32()), ("features", pa.struct([("y", pa.string())]))])
OTHER = pa.schema([("input_id", pa.string()), ("date", pa.date32()), ("features", pa.struct([("x", pa.string())]))])
DAY = date(2013, 3, 1)


def rows(schema: pa.Schema, ident: str, cell: dict[str, object], day: date | None = DAY) -> pa.Table:
    return pa.Table.from_pylist([{"input_id": ident, "date": day, "features": cell}], schema=schema)


def test_columns_are_added_and_rows_of_both_ages_are_read(tmp_path: Path) -> None:
    lake, stream = Lake(tmp_path), Stream("a-0")
    first = lake.place("default", "flights", Table.INPUTS, OLD)
    assert (first.number, first.sealed(stream)) == (1, NEVER)
    lake.append(first, rows(OLD, "1", {"x": 1.0}), {stream: 4})
    second = lake.place("default", "flights", Table.INPUTS, NEW)
    assert (second.number, second.sealed(stream)) == (1, 4)
    lake.append(second, rows(NEW, "2", {"y": "b"}, None), {stream: 5})
    assert lake.place("default", "flights", Table.INPUTS, OTHER).number == 2
    (one, two) = lake.generations("default", "flights", Table.INPUTS)
    assert (one.number, two.number, one.sealed(stream), two.sealed(stream)) == (1, 2, 5, NEVER)
    read = one.read(("input_id", "features")).sort_by("input_id").to_pylist()
    assert [each["features"] for each in read] == [{"x": 1.0, "y": None}, {"x": None, "y": "b"}]
    assert lake.endpoints() == [("default", "flights")]
    assert len(list(each_table(lake))) == len(Table)


def test_rows_without_a_day_belong_to_every_day(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    generation = lake.place("default", "flights", Table.INPUTS, OLD)
    for ident, day in (("1", DAY), ("2", date(2013, 3, 2)), ("3", None)):
        lake.append(generation, rows(OLD, ident, {"x": 1.0}, day), {})
    (loaded,) = lake.generations("default", "flights", Table.INPUTS)
    found = {
        days: sorted(loaded.read(("input_id",), days)["input_id"].to_pylist()) for days in (ALL_DAYS, Days(DAY, DAY))
    }
    assert found == {ALL_DAYS: ["1", "2", "3"], Days(DAY, DAY): ["1", "3"]}


def test_others_read_it_as_a_plain_delta_table(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.append(lake.place("default", "flights", Table.INPUTS, OLD), rows(OLD, "1", {"x": 1.0}), {})
    plain = DeltaTable(tmp_path / "default/flights/inputs/g1").to_pyarrow_table().to_pylist()
    assert plain == [{"input_id": "1", "features": {"x": 1.0}, "date": DAY}]


def test_names_stay_names(tmp_path: Path) -> None:
    for project, endpoint in (("..", "flights"), ("default", "a/b"), ("default", "")):
        with pytest.raises(NotFound):
            Lake(tmp_path).folder(project, endpoint, Table.INPUTS)
