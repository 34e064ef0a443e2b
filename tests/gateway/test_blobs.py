"""Large values are kept beside the journal before anybody is answered; its records hold references to them."""

import base64
import threading
from typing import Any

import msgspec
import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.errors import NotFound
from headgate.gateway.large import large_fields
from headgate.journal.blobs import INLINE_BYTES, BlobRef, BlobStore
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Capture, Member, Policy
from headgate.vocabulary import Ack, Digest, OnFailure, Task

PREDICT = "/v1/endpoints/e/predict"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)
LARGE = (Field("face", Kind.IMAGE, nullable=True), Field("wave", Kind.TENSOR, shape=(None,)), Field("note", Kind.TEXT))
ROW = {
    "f0": 0.1,
    "f1": 0.2,
    "f2": 0.3,
    "face": base64.b64encode(PICTURE).decode(),
    "wave": [1.5, -2.0],
    "note": "short",
}


class Watched:
    """A blob store that says where it was called from and fails when told to."""

    def __init__(self, inner: BlobStore) -> None:
        self.inner = inner
        self.problem: Exception | None = None
        self.threads: set[threading.Thread] = set()
        self.puts = 0
        self.gate = threading.Event()
        self.gate.set()

    def put(self, data: bytes, media_type: str) -> BlobRef:
        self.gate.wait(10)
        self.puts += 1
        self.threads.add(threading.current_thread())
        if self.problem is not None:
            raise self.problem
        return self.inner.put(data, media_type)

    def get(self, digest: Digest) -> bytes:
        return self.inner.get(digest)

    def remove(self, digest: Digest) -> None:
        self.inner.remove(digest)


def wide() -> str:
    """The linear model's contract with fields that may be large."""
    plain = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True))
    return msgspec.json.encode(to_document(Contract((*plain.fields, *LARGE), plain.output))).decode()


def preparing(**policy: Any) -> Any:
    def prepare(town: Any) -> None:
        town.blobs = Watched(town.blobs)
        members = [Member("m:1", town.linear(), 1.0, proved=True)]
        town.publish(members, contract=wide(), policy=Policy(**policy))

    return prepare


@pytest.mark.parametrize("ack", Ack)
def test_large_values_are_references_and_the_rest_is_as_it_was(play: Any, ack: Ack) -> None:
    long = "é" * (INLINE_BYTES // 2 + 1)

    async def scene(town: Any) -> None:
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW, ROW | {"face": None, "note": long}]})
        assert reply.status == 200
        first, second = (each.features for each in town.journal.inputs)
        assert first[:3] == (0.1, 0.2, 0.3)
        assert [each.media_type for each in first[3:5]] == ["image/png", "application/json"]
        assert first[5] == "short"
        assert town.blobs.get(first[3].digest) == PICTURE
        assert first[3].size == len(PICTURE)
        assert msgspec.json.decode(town.blobs.get(first[4].digest)) == [1.5, -2.0]
        assert second[3] is None
        assert second[5].media_type == "text/plain; charset=utf-8"
        assert town.blobs.get(second[5].digest).decode() == long
        assert threading.main_thread() not in town.blobs.threads, "the event loop waits for no disk"

    play(preparing(ack=ack), scene)


def test_nobody_is_answered_before_the_blob_is_there_and_others_are_meanwhile(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.blobs.gate.clear()
        slow, other = await town.call(), await town.call()
        body = msgspec.json.encode({"rows": [ROW]})
        slow.send("POST", PREDICT, body)
        assert (await other.ask("GET", "/livez")).status == 200
        assert town.journal.inputs == []
        town.blobs.gate.set()
        assert (await slow.reply()).status == 200
        assert len(town.journal.inputs) == 1

    play(preparing(), scene)


@pytest.mark.parametrize(("on_failure", "status"), [(OnFailure.REFUSE, 503), (OnFailure.ANSWER, 200)])
@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), ValueError("a fault of ours")])
def test_a_blob_that_cannot_be_written_is_as_a_journal_that_cannot(
    play: Any, on_failure: OnFailure, status: int, problem: Exception
) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.blobs.problem = problem
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert reply.status == status
        assert reply.json.get("journalled", False) is False
        assert town.journal.blocks == []
        town.blobs.problem = None
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        assert len(town.journal.inputs) == 1

    play(preparing(on_failure=on_failure), scene)


@pytest.mark.parametrize(
    "capture", [Capture(sampling_percent=0), Capture(redact=["face", "wave", "note"]), Capture(fields=["f0", "f1"])]
)
def test_what_is_not_captured_is_not_written(play: Any, capture: Capture) -> None:
    async def scene(town: Any) -> None:
        assert (await (await town.call()).post(PREDICT, {"rows": [ROW]})).status == 200
        assert len(town.journal.inputs) == 1
        assert town.blobs.puts == 0

    play(preparing(capture=capture), scene)


def test_a_row_that_is_refused_leaves_no_blob(play: Any) -> None:
    async def scene(town: Any) -> None:
        assert (await (await town.call()).post(PREDICT, {"rows": [ROW | {"f0": "x"}]})).status == 422
        assert town.blobs.puts == 0

    play(preparing(), scene)


def test_a_contract_of_plain_fields_has_nothing_to_ask() -> None:
    plain = [Field("a", Kind.NUMBER), Field("b", Kind.TEXT, max_bytes=INLINE_BYTES), Field("c", Kind.TIMESTAMP)]
    assert large_fields(plain) is None
    assert large_fields([*plain, Field("d", Kind.TEXT, max_bytes=INLINE_BYTES + 1)]) is not None


def test_a_text_of_exactly_the_limit_stays_in_the_record(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        rows = [ROW | {"note": "x" * length} for length in (INLINE_BYTES, INLINE_BYTES + 1)]
        assert (await caller.post(PREDICT, {"rows": rows})).status == 200
        notes = [each.features[5] for each in town.journal.inputs]
        assert notes[0] == "x" * INLINE_BYTES
        assert isinstance(notes[1], BlobRef)
        with pytest.raises(NotFound):
            town.blobs.get(Digest("sha256:" + "0" * 64))

    play(preparing(), scene)
