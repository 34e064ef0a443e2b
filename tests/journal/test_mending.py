"""A machine that lost what was not synced loses no row: the torn commit goes, the segment is sealed again."""

from pathlib import Path

import pytest

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
