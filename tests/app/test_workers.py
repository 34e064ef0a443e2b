"""A dead gateway's stream is finished under its lock; a living one's, and another machine's, is left alone."""

from pathlib import Path

import pytest

from headgate.app.workers import finish_stream, worker_lock, worker_stream
from headgate.journal.disk import LocalDisk
from headgate.journal.frames import Kind
from headgate.journal.ports import Stream
from headgate.journal.records import Block, Input, Schema
from headgate.journal.segment import Segment
from headgate.journal.segments import DiskSegmentSource
from headgate.settings import Home
from headgate.store.home import claim, create_home
from headgate.vocabulary import Micros

SCHEMA = Schema("default", "late", "sha256:00", (), "binary", "boolean")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "h")


def leave_open(home: Home, stream: Stream) -> None:
    """What a killed writer leaves: a segment with a record and no closed name."""
    import msgspec

    segment = Segment(LocalDisk(home.root), stream, 0, Micros(0))
    segment.commit([(SCHEMA, Kind.BLOCK, [msgspec.msgpack.encode(Block([Input(bytes(16), 0, (), "r", 0)]))])])


def closed(home: Home) -> list[tuple[str, bool]]:
    return [(each.stream, each.closed) for each in DiskSegmentSource(LocalDisk(home.root)).segments()]


def test_a_dead_gateways_segments_are_closed(home: Home) -> None:
    leave_open(home, worker_stream(7))
    assert finish_stream(home, worker_stream(7))
    assert closed(home) == [(worker_stream(7), True)]
    assert finish_stream(home, worker_stream(7)), "doing it again is no error"


def test_a_living_gateway_keeps_its_segment(home: Home) -> None:
    leave_open(home, worker_stream(0))
    with claim(worker_lock(home, 0)):
        assert not finish_stream(home, worker_stream(0))
    assert closed(home) == [(worker_stream(0), False)]


@pytest.mark.parametrize("name", ["elsewhere-w0", "w0", "here", ""])
def test_streams_of_other_machines_are_not_ours_to_finish(home: Home, name: str) -> None:
    leave_open(home, Stream("elsewhere-w0"))
    assert not finish_stream(home, Stream(name))
    assert closed(home) == [("elsewhere-w0", False)]


def test_the_lock_is_given_back(home: Home) -> None:
    leave_open(home, worker_stream(0))
    finish_stream(home, worker_stream(0))
    with claim(worker_lock(home, 0)):
        pass
