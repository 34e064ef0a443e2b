"""A machine that lost what was not synced loses no row: the torn commit goes, the segment is sealed again."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from headgate.journal import lake as lake_module
from headgate.journal.lake import Lake
from headgate.journal.mending import mend
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Schema
from headgate.journal.sealer import Sealer
from headgate.testing.segments import MemorySegments

SCHEMA = Schema("default", "flights", "sha256:1", (), "binary", "boolean")


class PowerCut(Exception):
    """Nothing after this moment happened."""


def a_block(number: int) -> Block:
    ident = number.to_bytes(16, "big")
    answer = Answer(ident, "m:1", "m:1", "live", 1.0, True, None, 1, 1)
    return Block([Input(ident, number, None, f"r{number}", 0)], [answer], [])


def interrupted(folder: Path) -> tuple[Lake, MemorySegments, Path]:
    """A lake whose last commit was written and never synced."""
    lake, source = Lake(folder), MemorySegments()
    source.write("a-0", 1, [(SCHEMA, a_block(1))])
    Sealer(source, lake).seal()
    source.write("a-0", 2, [(SCHEMA, a_block(2))])

    def cut(_: Path) -> None:
        raise PowerCut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake_module, "persist", cut)
        with pytest.raises(PowerCut):
            Sealer(source, lake).seal()
    (torn,) = folder.rglob("*02.json")
    return lake, source, torn


@pytest.mark.parametrize("damage", ["empty", "half", "file missing", "file short", "none"])
def test_a_torn_commit_is_taken_back_and_sealed_again(tmp_path: Path, damage: str) -> None:
    lake, source, torn = interrupted(tmp_path)
    newest = max(torn.parents[1].rglob("*.parquet"), key=lambda each: each.stat().st_mtime_ns)
    match damage:
        case "empty":
            torn.write_bytes(b"")
        case "half":
            torn.write_bytes(torn.read_bytes()[:-20])
        case "file missing":
            newest.unlink()
        case "file short":
            newest.write_bytes(newest.read_bytes()[:40])
        case _:
            pass
    Sealer(source, lake).seal()
    assert source.segments() == []
    joined = Reader(lake, source).joined("default", "flights")
    assert joined["request_id"].to_pylist() == ["r1", "r2"]
    assert joined["answered"].null_count == 0
    assert mend(lake) == []


def checkpointed(folder: Path) -> tuple[Lake, MemorySegments, Path]:
    """The same, where a checkpoint was derived from the torn commit and names it as the newest state."""
    lake, source, torn = interrupted(folder)
    DeltaTable(torn.parents[1]).create_checkpoint()
    assert list(torn.parent.glob(f"{torn.stem}.checkpoint*"))
    return lake, source, torn


def test_a_checkpoint_of_a_torn_commit_goes_with_it(tmp_path: Path) -> None:
    lake, source, torn = checkpointed(tmp_path)
    torn.write_bytes(b"")
    assert mend(lake) == [torn]
    assert sorted(each.name for each in torn.parent.iterdir() if "checkpoint" in each.name) == []
    Sealer(source, lake).seal()
    joined = Reader(lake, source).joined("default", "flights")
    assert joined["request_id"].to_pylist() == ["r1", "r2"]


def test_a_lake_in_order_is_left_as_it_is(tmp_path: Path) -> None:
    lake, source, torn = checkpointed(tmp_path)
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    assert mend(lake) == []
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before
    assert torn.exists()
    assert mend(Lake(tmp_path / "nowhere")) == []
    assert source.segments() != []
