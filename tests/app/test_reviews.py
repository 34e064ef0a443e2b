"""Cases as reviewers get them: what is shown of large values, and what waits when a model takes over."""

from pathlib import Path

import msgspec
import pytest
from tests.controller.test_declared import BINARY, Office

from headgate.app.reviews import Reviews
from headgate.clock import HeldClock
from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import NotFound
from headgate.journal.blobs import INLINE_BYTES, BlobRef, LocalBlobs
from headgate.journal.identifiers import format_id
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField
from headgate.testing.disk import UnkindDisk
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import SECOND, Digest, Micros

NOW = Micros(1_700_000_000 * SECOND)
FIELDS = (Field("face", Kind.IMAGE, nullable=True), Field("note", Kind.TEXT), Field("title", Kind.TEXT, max_bytes=1000))
SCHEMA = Schema(
    "default",
    "late",
    "sha256:1",
    tuple(SchemaField(each.name, each.kind, "public") for each in FIELDS),
    "binary",
    "integer",
    (0, 1),
)
PEOPLE = "endpoint: late\nmodel: m:1\nlive: human\nreview: {double_percent: 0, audit_percent: 0}\n"
TEXT = "text/plain; charset=utf-8"


class Room:
    """An endpoint whose people decide, and its journal in memory."""

    def __init__(self, root: Path) -> None:
        self.office = Office(root)
        self.office.register(Contract(FIELDS, BINARY))
        self.office.store.put_endpoint("default", "late", PEOPLE)
        self.segments, self.blobs = MemorySegments(), LocalBlobs(UnkindDisk())
        reader, clock = Reader(Lake(root / "lake"), self.segments), HeldClock(NOW)
        self.reviews = Reviews("default", self.office.declared, self.office.store, reader, self.blobs, clock)
        self._written = 0

    def asks(self, *features: object, role: str | None = "shadow", refused: bool = False) -> str:
        """Somebody asks; the id they get."""
        number = self._written
        id_, at = self._id(), NOW - 60 * SECOND + number
        refusal = Refusal("title", "size", "is too long") if refused else None
        asked = Input(id_, at, features or (None, "", ""), f"r{number}", 0, refusal=refusal)
        answers = [] if role is None else [Answer(id_, "m:1", "m:1", role, 1.0, 1, None, 1, 1)]
        self._write(Block([asked], answers))
        return format_id(id_)

    def decides(self, input_id: str, who: str = "ann") -> None:
        id_ = bytes.fromhex(input_id.replace("-", ""))
        self._write(Block([], [], [Label(self._id(), NOW, NOW, 1, input_id=id_, source="human", actor=who)]))

    def waits(self) -> list[str]:
        """The ids of all cases, each taken and skipped by a reviewer of its own."""
        found = []
        while (case := self.reviews.next("late", "zoe")) is not None:
            found.append(case.input_id)
            self.reviews.skip("late", case.input_id, "zoe")
        return found

    def _id(self) -> bytes:
        return ((NOW // 1000 << 80) | 7 << 76 | 2 << 62 | self._written).to_bytes(16, "big")

    def _write(self, block: Block) -> None:
        self.segments.write("w-0", self._written, [(SCHEMA, block)])
        self._written += 1


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def cell(reference: BlobRef) -> str:
    """A reference as a caller may write it into a text."""
    return msgspec.json.encode(reference).decode()


def test_large_values_are_told_and_served_as_what_gateways_kept(room: Room) -> None:
    long = "é" * INLINE_BYTES
    face, note = room.blobs.put(b"\x89PNG\r\n\x1a\n", "image/png"), room.blobs.put(long.encode(), TEXT)
    asked = room.asks(face, note, "short")
    case = room.reviews.next("late", "ann")
    assert case is not None
    assert case.features == {
        "face": {"blob": face.digest, "size": face.size, "media_type": "image/png"},
        "note": {"blob": note.digest, "size": note.size, "media_type": TEXT},
        "title": "short",
    }
    assert room.reviews.picture("late", asked, "face") == (b"\x89PNG\r\n\x1a\n", "image/png")
    assert room.reviews.picture("late", asked, "note") == (long.encode(), TEXT)
    with pytest.raises(NotFound):
        room.reviews.picture("late", asked, "title")


@pytest.mark.parametrize("media_type", ["text/html", TEXT, "application/octet-stream"])
@pytest.mark.parametrize("repeated", [1, 20_000])
def test_a_callers_text_is_no_reference_however_it_looks(room: Room, media_type: str, repeated: int) -> None:
    """The bytes came as a picture that is none; their digest is the caller's to know."""
    page = b"<script>" * repeated
    kept = room.blobs.put(page, "application/octet-stream")
    size = kept.size if media_type != TEXT else kept.size + 1
    made_up = cell(BlobRef(kept.digest, size, media_type))
    asked = room.asks(None, made_up, made_up)
    case = room.reviews.next("late", "ann")
    assert case is not None
    assert case.features == {"face": None, "note": made_up, "title": made_up}
    for field in ("note", "title"):
        with pytest.raises(NotFound, match="kept apart"):
            room.reviews.picture("late", asked, field)


def test_a_text_that_names_a_blob_which_is_not_there_is_a_text(room: Room) -> None:
    made_up = cell(BlobRef(Digest("sha256:" + "0" * 64), INLINE_BYTES + 1, TEXT))
    for text in (made_up, made_up[:-1], '["blob",' + "[" * 100_000):
        asked = room.asks(None, text, "")
        case = room.reviews.next("late", "ann")
        assert case is not None
        assert (case.input_id, case.features["note"]) == (asked, text)
        room.decides(asked)


def test_a_type_that_no_gateway_gives_is_told_to_no_browser(room: Room) -> None:
    asked = room.asks(room.blobs.put(b"<script>", "text/html"), "", "")
    assert room.reviews.picture("late", asked, "face") == (b"<script>", "application/octet-stream")


def test_what_was_left_to_people_waits_for_them_when_the_model_has_taken_over(room: Room) -> None:
    left, unseen, decided = room.asks(), room.asks(role=None), room.asks()
    room.asks(refused=True, role=None)
    room.decides(decided)
    assert room.reviews.queue("late").cases == 2
    room.office.store.put_endpoint("default", "late", PEOPLE.replace("human", "model"), PEOPLE)
    room.asks(role="live")
    assert room.reviews.queue("late").cases == 2, "their callers were told that a person decides"
    case = room.reviews.next("late", "ann")
    assert case is not None
    assert case.input_id == left
    room.decides(left)
    assert room.waits() == [unseen]


def test_a_case_is_held_by_who_has_not_decided_it(room: Room) -> None:
    both = PEOPLE.replace("double_percent: 0", "double_percent: 100")
    room.office.store.put_endpoint("default", "late", both, PEOPLE)
    asked = room.asks()
    room.reviews.next("late", "ann")
    assert room.reviews.queue("late").held == 1
    room.decides(asked, "ann")
    assert (room.reviews.queue("late").cases, room.reviews.queue("late").held) == (1, 0)
    given = room.reviews.next("late", "bob")
    assert given is not None
    assert given.input_id == asked
    assert room.reviews.next("late", "cid") is None, "two are enough"
    room.decides(asked, "bob")
    assert room.reviews.queue("late").cases == 0
