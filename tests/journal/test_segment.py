import errno

import msgspec
import pytest
from tests.journal.writing import DELAYS, START, STREAM, block, kept, schema

from headgate.errors import IntegrityError, NewerSchema, NotFound
from headgate.journal.frames import Kind, encode_frame
from headgate.journal.ports import SegmentRef
from headgate.journal.records import Block, Schema
from headgate.journal.scan import Scanner, SegmentHeader, scan
from headgate.journal.segment import LARGE, Segment, parse_name, recover, segment_path
from headgate.journal.segments import DiskSegmentSource
from headgate.testing.disk import UnkindDisk

encode = msgspec.msgpack.encode


def entry(block: Block, schema: Schema = DELAYS) -> tuple[Schema, Kind, list[bytes]]:
    return schema, Kind.BLOCK, [encode(block)]


def segment(disk: UnkindDisk, *numbers: int, sequence: int = 0) -> Segment:
    made = Segment(disk, STREAM, sequence, START)
    for number in numbers:
        made.commit([entry(block(number))])
    return made


def names(disk: UnkindDisk) -> list[str]:
    return [name for name, _ in disk.files("journal/here-0")]


def content(disk: UnkindDisk, ending: str = ".open") -> bytes:
    return disk.read(segment_path(STREAM, 0, ending))


def test_a_segment_explains_itself() -> None:
    disk = UnkindDisk()
    prices = schema("prices")
    made = segment(disk)
    made.commit([entry(block(1)), entry(block(2), prices), entry(block(3), schema())])
    made.commit([entry(block(4), prices)])
    made.close()
    found = scan(content(disk, ".seg"))
    assert found.header == SegmentHeader(STREAM, 0, START)
    assert [each.endpoint for each, _ in found.blocks] == ["delays", "prices", "delays", "prices"]
    assert [each for _, each in found.blocks] == [block(1), block(2), block(3), block(4)]
    assert found.end == len(content(disk, ".seg")) == made.size
    assert not found.damaged


def test_a_schema_is_written_once_per_segment() -> None:
    disk = UnkindDisk()
    segment(disk, 1, 2, 3)
    assert content(disk).count(b"sha256:00") == 1


def test_a_committed_block_survives_a_power_loss() -> None:
    disk = UnkindDisk()
    segment(disk, 1, 2)
    disk.power_loss()
    assert kept(disk) == [1, 2]
    assert recover(disk, STREAM) == 1
    disk.power_loss()
    assert names(disk) == ["000000000000.seg"]
    assert kept(disk) == [1, 2]


@pytest.mark.parametrize("cut", range(1, 60))
def test_recovery_cuts_a_torn_tail(cut: int) -> None:
    disk = UnkindDisk()
    made = segment(disk, 1, 2)
    whole = made.size
    disk.reopen(segment_path(STREAM, 0, ".open")).append(encode_frame(Kind.BLOCK, encode(block(3)), schema_id=1)[:cut])
    assert recover(disk, STREAM) == 1
    disk.power_loss()
    assert len(content(disk, ".seg")) == whole
    assert kept(disk) == [1, 2]


def test_recovery_keeps_whole_frames_of_a_killed_process_for_good() -> None:
    disk = UnkindDisk()
    segment(disk, 1)
    disk.reopen(segment_path(STREAM, 0, ".open")).append(encode_frame(Kind.BLOCK, encode(block(2)), schema_id=1))
    recover(disk, STREAM)
    disk.power_loss()
    assert kept(disk) == [1, 2]


def test_recovery_cuts_nothing_that_has_frames_behind_it() -> None:
    disk = UnkindDisk()
    first = segment(disk, 1).size
    segment(disk, 1, 2, 3, sequence=1)
    data = bytearray(disk.read(segment_path(STREAM, 1, ".open")))
    data[first + 30] ^= 1
    disk.remove(segment_path(STREAM, 0, ".open"))
    file = disk.reopen(segment_path(STREAM, 1, ".open"))
    file.truncate(0)
    file.append(bytes(data))
    assert recover(disk, STREAM) == 2
    assert disk.read(segment_path(STREAM, 1, ".seg")) == data
    found = scan(bytes(data))
    assert found.damaged
    assert [each for _, each in found.blocks] == [block(1)]


@pytest.mark.parametrize("left", [b"", b"HGJ", encode_frame(Kind.SEGMENT, encode(SegmentHeader(STREAM, 0, 0)))])
def test_recovery_removes_empty_leftovers(left: bytes) -> None:
    disk = UnkindDisk()
    disk.create(segment_path(STREAM, 0, ".open")).append(left)
    recover(disk, STREAM)
    assert names(disk) == []


@pytest.mark.parametrize("removals_survive", [False, True])
def test_recovery_can_die_anywhere_and_be_done_again(removals_survive: bool) -> None:
    def left() -> UnkindDisk:
        disk = UnkindDisk()
        segment(disk, 1, 2)
        disk.reopen(segment_path(STREAM, 0, ".open")).append(b"HGJ torn")
        segment(disk, sequence=1)
        return disk

    calm = left()
    before = len(calm.calls)
    recover(calm, STREAM)
    for number in range(before, len(calm.calls)):
        disk = left()
        disk.faults = {number: -1}
        with pytest.raises(OSError, match="power"):
            recover(disk, STREAM)
        disk.power_loss(removals_survive=removals_survive)
        assert recover(disk, STREAM) >= 1
        assert kept(disk) == [1, 2]
        assert names(disk) == ["000000000000.seg"]


def test_an_empty_segment_leaves_nothing() -> None:
    disk = UnkindDisk()
    segment(disk).close()
    assert names(disk) == []


def test_a_segment_that_cannot_be_opened_leaves_nothing() -> None:
    disk = UnkindDisk({1: errno.ENOSPC})
    with pytest.raises(OSError, match="No space"):
        segment(disk)
    assert names(disk) == []


def test_sealing_off_keeps_exactly_the_acknowledged_prefix() -> None:
    disk = UnkindDisk()
    made = segment(disk, 1)
    disk.faults = {len(disk.calls) + 1: errno.EIO}
    with pytest.raises(OSError, match="Input"):
        made.commit([entry(block(2))])
    synced = sum(call.name == "sync" for call in disk.calls)
    made.seal_off()
    assert kept(disk) == [1]
    assert names(disk) == ["000000000000.seg"]
    assert sum(call.name == "sync" for call in disk.calls) == synced, "a failed sync is never tried again"


def large(number: int) -> Block:
    """A block whose payload is written by itself."""
    found = block(number)
    found.inputs = found.inputs * (2 * LARGE // len(encode(found.inputs)))
    return found


def test_large_blocks_among_small_ones_are_written_in_order() -> None:
    disk = UnkindDisk()
    made = segment(disk)
    blocks = [block(1), large(2), large(3), block(4)]
    made.commit([entry(each) for each in blocks])
    found = scan(content(disk))
    assert [each for _, each in found.blocks] == blocks
    assert found.end == made.size == len(content(disk))
    disk.power_loss()
    assert len(scan(content(disk)).blocks) == 4


@pytest.mark.parametrize("failing", range(6))
def test_whichever_write_of_a_large_block_fails_the_acknowledged_prefix_is_kept(failing: int) -> None:
    disk = UnkindDisk()
    made = segment(disk, 1)
    disk.faults = {len(disk.calls) + failing: errno.EIO}
    with pytest.raises(OSError, match="Input"):
        made.commit([entry(each) for each in (block(2), large(3), large(4), block(5))])
    made.seal_off()
    assert kept(disk) == [1]


def test_sealing_off_never_raises() -> None:
    disk = UnkindDisk()
    made = segment(disk, 1)
    disk.faults = dict.fromkeys(range(len(disk.calls), len(disk.calls) + 20), errno.EIO)
    made.seal_off()


def test_a_scanner_follows_a_growing_segment() -> None:
    disk = UnkindDisk()
    made = segment(disk, 1)
    scanner = Scanner()
    data = content(disk)
    assert scanner.feed(data[:-3]) == []
    assert scanner.feed(data[scanner.end :]) == [(DELAYS, block(1))]
    made.commit([entry(block(2))])
    assert scanner.feed(content(disk)[scanner.end :]) == [(DELAYS, block(2))]
    assert scanner.feed(b"") == []
    assert scanner.header == SegmentHeader(STREAM, 0, START)


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(Kind.BLOCK, b"", key_id=1),
        encode_frame(Kind.BLOCK, b"", flags=1),
        encode_frame(99, b""),  # type: ignore[arg-type]  # a kind of a later format
    ],
)
def test_a_newer_segment_is_refused_by_name(frame: bytes) -> None:
    with pytest.raises(NewerSchema, match="newer"):
        scan(frame)


@pytest.mark.parametrize(
    "frame",
    [encode_frame(Kind.BLOCK, encode(block(1)), schema_id=5), encode_frame(Kind.SCHEMA, b"\xc1", schema_id=1)],
)
def test_whole_frames_that_make_no_sense_are_an_integrity_error(frame: bytes) -> None:
    with pytest.raises(IntegrityError):
        scan(frame)


def test_an_empty_segment_scans_to_nothing() -> None:
    found = scan(b"")
    assert (found.header, found.blocks, found.end, found.damaged) == (None, [], 0, False)


def test_names_are_read_strictly() -> None:
    assert parse_name("000000000012.open") == (12, ".open")
    assert parse_name("1000000000000.seg") == (10**12, ".seg")
    for name in ("12.seg", "000000000012.tmp", "000000000012", "00000000001x.seg", ".seg", "²00000000012.seg"):
        assert parse_name(name) is None


def test_the_source_lists_and_reads_every_segment() -> None:
    disk = UnkindDisk()
    segment(disk, 1).close()
    segment(disk, 2, sequence=1)
    disk.create("journal/other-1/notes.txt").close()
    disk.create("journal/stray").close()
    source = DiskSegmentSource(disk)
    assert [(each.sequence, each.closed) for each in source.segments()] == [(0, True), (1, False)]
    assert kept(disk) == [1, 2]
    closed = source.segments()[0]
    assert closed.size == len(source.read(closed))
    assert source.read(closed, 5) == source.read(closed)[5:]


def test_a_segment_closed_since_it_was_listed_can_still_be_read() -> None:
    disk = UnkindDisk()
    made = segment(disk, 1)
    source = DiskSegmentSource(disk)
    [listed] = source.segments()
    made.close()
    assert [each for _, each in scan(source.read(listed)).blocks] == [block(1)]


def test_a_deleted_segment_is_gone_and_its_sequence_is_never_used_again() -> None:
    disk = UnkindDisk()
    for sequence in range(3):
        segment(disk, sequence, sequence=sequence).close()
    source = DiskSegmentSource(disk)
    refs = source.segments()
    for ref in refs:
        source.delete(ref)
        source.delete(ref)
    disk.power_loss()
    assert source.segments() == []
    assert names(disk) == ["000000000002.gone"]
    with pytest.raises(NotFound):
        source.read(refs[0])
    assert recover(disk, STREAM) == 3


def delete_all(source: DiskSegmentSource, refs: list[SegmentRef]) -> None:
    for ref in refs:
        source.delete(ref)


@pytest.mark.parametrize("removals_survive", [False, True])
def test_deletion_can_die_anywhere(removals_survive: bool) -> None:
    def made() -> tuple[UnkindDisk, DiskSegmentSource]:
        disk = UnkindDisk()
        for sequence in range(2):
            segment(disk, sequence, sequence=sequence).close()
        return disk, DiskSegmentSource(disk)

    calm, source = made()
    refs = source.segments()
    before = len(calm.calls)
    delete_all(source, refs)
    for number in range(before, len(calm.calls)):
        disk, source = made()
        refs = source.segments()
        disk.faults = {number: -1}
        with pytest.raises(OSError, match="power"):
            delete_all(source, refs)
        disk.power_loss(removals_survive=removals_survive)
        assert recover(disk, STREAM) == 2
        for ref in source.segments():
            source.delete(ref)
        assert recover(disk, STREAM) == 2


def test_an_open_segment_is_not_deleted() -> None:
    disk = UnkindDisk()
    segment(disk, 1)
    [ref] = DiskSegmentSource(disk).segments()
    with pytest.raises(ValueError, match="closed"):
        DiskSegmentSource(disk).delete(ref)


def test_refs_sort_by_stream_and_sequence() -> None:
    assert SegmentRef(STREAM, 1, True, 0) < SegmentRef(STREAM, 2, False, 0)


def test_a_whole_frame_that_holds_no_text_is_damage() -> None:
    header = encode(SegmentHeader("here-0", 7, 0)).replace(b"here", b"h\xffre")
    with pytest.raises(IntegrityError, match="does not decode"):
        scan(encode_frame(Kind.SEGMENT, header))
