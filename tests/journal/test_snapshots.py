"""Who reads again and again has what a fresh load would say, and loads a table no more often than somebody commits."""

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from headgate.errors import NotFound
from headgate.journal.lake import Generation, Lake
from headgate.journal.ports import Stream
from headgate.journal.snapshots import MOST, Snapshots
from headgate.journal.tables import Table

SCHEMA = pa.schema([("input_id", pa.string()), ("date", pa.date32())])
STREAM = Stream("a-0")


class CountedLake(Lake):
    """A lake that counts how often a table of it is loaded."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.loads = 0

    def generations(self, project: str, endpoint: str, table: Table) -> list[Generation]:
        self.loads += 1
        return super().generations(project, endpoint, table)


def commit(root: Path, number: int, endpoint: str = "flights") -> None:
    lake, rows = Lake(root), pa.table({"input_id": [str(number)], "date": [date(2013, 3, 1)]}, schema=SCHEMA)
    lake.append(lake.place("default", endpoint, Table.INPUTS, SCHEMA), rows, {STREAM: number})


def sealed(found: list[Generation]) -> list[int]:
    return [each.sealed(STREAM) for each in found]


def read(found: list[Generation]) -> list[str]:
    return sorted(name for each in found for name in each.read(("input_id",))["input_id"].to_pylist())


def test_while_nothing_is_committed_the_same_generations_are_handed_out(tmp_path: Path) -> None:
    commit(tmp_path, 1)
    lake = CountedLake(tmp_path)
    snapshots = Snapshots(lake)
    first = snapshots.generations("default", "flights", Table.INPUTS)
    assert snapshots.generations("default", "flights", Table.INPUTS) is first
    assert (sealed(first), read(first), lake.loads) == ([1], ["1"], 1)


def test_after_a_commit_others_are_and_those_of_before_stay_as_they_were(tmp_path: Path) -> None:
    commit(tmp_path, 1)
    snapshots = Snapshots(Lake(tmp_path))
    before = snapshots.generations("default", "flights", Table.INPUTS)
    for number in range(2, 13):  # past a checkpoint of the log
        commit(tmp_path, number)
        after = snapshots.generations("default", "flights", Table.INPUTS)
        assert (sealed(after), len(read(after))) == ([number], number)
    assert (sealed(before), read(before)) == ([1], ["1"])


def test_a_table_that_is_made_later_is_found(tmp_path: Path) -> None:
    snapshots = Snapshots(Lake(tmp_path))
    assert snapshots.generations("default", "flights", Table.INPUTS) == []
    commit(tmp_path, 1)
    assert sealed(snapshots.generations("default", "flights", Table.INPUTS)) == [1]


def test_a_table_that_is_deleted_and_made_anew_is_loaded_anew(tmp_path: Path) -> None:
    commit(tmp_path, 1)
    snapshots = Snapshots(Lake(tmp_path))
    assert read(snapshots.generations("default", "flights", Table.INPUTS)) == ["1"]
    shutil.rmtree(tmp_path / "default")
    assert snapshots.generations("default", "flights", Table.INPUTS) == []
    commit(tmp_path, 7)
    assert read(snapshots.generations("default", "flights", Table.INPUTS)) == ["7"]


def test_a_table_made_anew_between_two_looks_is_loaded_anew(tmp_path: Path) -> None:
    commit(tmp_path, 1)
    snapshots = Snapshots(Lake(tmp_path))
    assert read(snapshots.generations("default", "flights", Table.INPUTS)) == ["1"]
    shutil.rmtree(tmp_path / "default")
    commit(tmp_path, 7)
    assert read(snapshots.generations("default", "flights", Table.INPUTS)) == ["7"]


def test_no_more_are_held_than_said_and_those_asked_for_last_are(tmp_path: Path) -> None:
    lake = CountedLake(tmp_path)
    snapshots = Snapshots(lake)
    names = [f"e{number}" for number in range(MOST + 1)]
    for name in names[:MOST]:
        snapshots.generations("default", name, Table.INPUTS)
    snapshots.generations("default", names[0], Table.INPUTS)
    assert lake.loads == MOST
    snapshots.generations("default", names[MOST], Table.INPUTS)  # for which the second one goes
    assert lake.loads == MOST + 1
    snapshots.generations("default", names[0], Table.INPUTS)
    assert lake.loads == MOST + 1
    snapshots.generations("default", names[1], Table.INPUTS)
    assert lake.loads == MOST + 2


def test_names_stay_names(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Snapshots(Lake(tmp_path)).generations("default", "../flights", Table.INPUTS)
