import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.journal import frames
from headgate.journal.frames import HEADER_BYTES, MAGIC, Kind, encode_frame, frame_beyond, read_frames

payloads = st.lists(st.binary(max_size=200), min_size=1, max_size=6)


def journal(parts: list[bytes]) -> tuple[bytes, list[int]]:
    """Frames around `parts`, and where each one ends."""
    data, ends = b"", []
    for number, part in enumerate(parts):
        data += encode_frame(Kind.BLOCK, part, schema_id=number + 1)
        ends.append(len(data))
    return data, ends


@given(payloads)
def test_what_was_encoded_is_read(parts: list[bytes]) -> None:
    data, _ = journal(parts)
    found = read_frames(data)
    assert [bytes(frame.payload) for frame in found.frames] == parts
    assert [frame.schema_id for frame in found.frames] == list(range(1, len(parts) + 1))
    assert {(frame.kind, frame.key_id, frame.flags, frame.format) for frame in found.frames} == {(Kind.BLOCK, 0, 0, 1)}
    assert found.end == len(data)


@given(payloads, st.data())
def test_cut_anywhere_only_whole_frames_are_read(parts: list[bytes], draw: st.DataObject) -> None:
    data, ends = journal(parts)
    cut = draw.draw(st.integers(0, len(data)))
    found = read_frames(data[:cut])
    whole = sum(end <= cut for end in ends)
    assert [bytes(frame.payload) for frame in found.frames] == parts[:whole]
    assert found.end == ([0, *ends])[whole]
    assert not frame_beyond(data[:cut], found.end)


@given(payloads, st.data())
def test_a_changed_byte_never_yields_a_wrong_frame(parts: list[bytes], draw: st.DataObject) -> None:
    data, ends = journal(parts)
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[at] ^= draw.draw(st.integers(1, 255))
    found = read_frames(bytes(changed))
    before = sum(end <= at for end in ends)
    assert [bytes(frame.payload) for frame in found.frames] == parts[:before]
    assert frame_beyond(bytes(changed), found.end) == (before + 1 < len(parts))


@given(payloads, st.binary(max_size=300))
def test_garbage_behind_whole_frames_is_not_read(parts: list[bytes], garbage: bytes) -> None:
    data, ends = journal(parts)
    assert read_frames(data + garbage).end == ends[-1]


def test_reading_goes_on_where_it_stopped() -> None:
    data, ends = journal([b"one", b"two"])
    assert [bytes(frame.payload) for frame in read_frames(data, ends[0]).frames] == [b"two"]
    assert read_frames(data, len(data)).frames == []


def test_a_frame_inside_a_torn_payload_is_not_read() -> None:
    forged = encode_frame(Kind.BLOCK, b"forged")
    torn = encode_frame(Kind.BLOCK, b"text " + forged + b" text")[:-1]
    assert read_frames(torn).frames == []


def test_an_absurd_length_is_damage() -> None:
    absurd = frames._HEAD.pack(MAGIC, 1, 3, 0, 0, 0, frames.MAX_PAYLOAD + 1)
    assert read_frames(absurd + bytes(HEADER_BYTES)).frames == []


def test_a_payload_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_PAYLOAD", 3)
    assert encode_frame(Kind.BLOCK, b"abc")
    with pytest.raises(ValueError, match="at most 3 bytes"):
        encode_frame(Kind.BLOCK, b"abcd")


def test_the_key_id_is_there_from_the_first_day() -> None:
    [frame] = read_frames(encode_frame(Kind.BLOCK, b"secret", key_id=7, flags=1)).frames
    assert (frame.key_id, frame.flags) == (7, 1)


def test_the_format_on_disk_stays_what_it_is() -> None:
    assert encode_frame(Kind.SCHEMA, b"x", schema_id=2, key_id=3).hex() == (
        "48474af101020000020000000300000001000000ed038ec678"
    )
