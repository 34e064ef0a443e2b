"""Pictures as bodies and in forms: one row, the same as in JSON, and nothing a form can say that is read two ways."""

import base64
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.test_doors_agree import Here

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.errors import BodyRefused
from headgate.gateway.doors.pictures.multipart import HEAD_BYTES, MOST_PARTS, boundary_of, parts_of
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.testing.scripted import write_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

PATH = "/v1/endpoints/e/predict"
PNG = b"\x89PNG\r\n\x1a\n\r\n--x\r\n" + bytes(range(256))
FACE = Field("face", Kind.IMAGE, max_bytes=1000)
AGE = Field("age", Kind.INTEGER)
MAYBE = Field("age", Kind.INTEGER, nullable=True)
NOTE = Field("note", Kind.TEXT, nullable=True)
BOUNDARY = b"----frontier"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}"


class Weighs(Runtime):
    """Answers how many bytes each picture has."""

    def run(self, feeds: Feeds) -> Outputs:
        sizes = np.array([len(each[0]) for each in feeds["face"]], np.float64)
        return Outputs(sizes, None, {}, 5)

    def close(self) -> None:
        pass


def serving(*fields: Field) -> Any:
    contract = Contract(fields, Output(Task.REGRESSION))

    def prepare(town: Any) -> None:
        signature = Signature([ModelInput("face", "string", ["face"], [1])], [ModelOutput("y", "float64", [])], "y")

        def write(folder: Any) -> Manifest:
            (folder / "model.onnx").write_bytes(b"")
            write_contract(folder, contract)
            return Manifest(FORMAT, Engine.ONNX, "model.onnx", signature, {}, {})

        digest = town.packages.put(write)
        town.placements[digest] = Here(Weighs())
        town.publish([Member("m:1", digest, 1.0, proved=True)])

    return prepare


def form(*parts: tuple[str, bytes], more: str = "") -> bytes:
    lines = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (BOUNDARY, name.encode(), more.encode(), content)
        for name, content in parts
    ]
    return b"".join(lines) + b"--" + BOUNDARY + b"--\r\n"


@pytest.mark.parametrize("kind", ["image/png", "IMAGE/JPEG", "application/octet-stream"])
def test_a_body_that_is_a_picture_is_a_row(play: Any, kind: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, PNG, f"Content-Type: {kind}")
        assert reply.status == 200
        assert reply.json["predictions"][0]["prediction"] == len(PNG)
        assert reply.headers["headgate-request-id"] == reply.json["predictions"][0]["id"]
        assert reply.headers["headgate-version"] == "m:1"
        told = await caller.post(PATH, {"rows": [{"face": base64.b64encode(PNG).decode()}]})
        assert told.json["predictions"][0]["prediction"] == len(PNG)
        one, other = town.journal.inputs
        assert one.features == other.features
        assert [each[1].inputs[0].refusal for each in town.journal.blocks] == [None, None]

    play(serving(FACE, MAYBE), scene)


def test_a_form_is_a_row(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        body = form(("face", PNG), ("age", b"41"), ("note", "süß\r\n".encode()))
        reply = await caller.ask("POST", PATH, body, FORM)
        assert reply.status == 200
        assert reply.json["predictions"][0]["prediction"] == len(PNG)
        face, age, note = town.journal.inputs[0].features
        assert (age, note) == (41, "süß\r\n")
        assert town.blobs.get(face.digest) == PNG

    play(serving(FACE, AGE, NOTE), scene)


@pytest.mark.parametrize(
    ("parts", "field", "rule"),
    [
        ([("face", PNG)], "rows[0].age", "missing"),
        ([("face", PNG), ("age", b"old")], "rows[0].age", "type"),
        ([("face", PNG * 10), ("age", b"1")], "rows[0].face", "size"),
        ([("face", PNG), ("age", b"1"), ("fax", b"1")], "rows[0].fax", "unknown"),
        ([("face", PNG), ("face", PNG), ("age", b"1")], "face", "duplicate"),
        ([("face", PNG), ("age", b"\xff")], "age", "utf8"),
        ([], "rows[0].face", "missing"),
    ],
)
def test_a_form_is_held_to_the_contract(play: Any, parts: Any, field: str, rule: str) -> None:
    async def scene(town: Any) -> None:
        body = form(*parts) if parts else form(("note", b""))
        reply = await (await town.call()).ask("POST", PATH, body, FORM)
        assert reply.status == 422
        found = reply.json.get("error") or reply.json["predictions"][0]["error"]
        assert (found["field"], found["rule"]) == (field, rule)
        assert [each.refusal.rule for each in town.journal.inputs] == [rule]

    play(serving(FACE, AGE, NOTE), scene)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ((AGE,), "no field of this contract is one"),
        ((FACE, AGE), "required"),
        ((FACE, Field("back", Kind.IMAGE, nullable=True)), "which of 2 pictures"),
    ],
)
def test_a_picture_alone_must_be_enough(play: Any, fields: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PATH, PNG, "Content-Type: image/png")
        assert (reply.status, reply.json["error"]["rule"]) == (422, "media")
        assert says in reply.json["error"]["message"]

    def prepare(town: Any) -> None:
        if fields == (AGE,):
            own = msgspec.json.encode(
                to_document(
                    Contract(
                        (Field("f0", Kind.NUMBER), Field("f1", Kind.NUMBER), Field("f2", Kind.NUMBER)),
                        Output(Task.REGRESSION),
                    )
                )
            ).decode()
            town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=own)
        else:
            serving(*fields)(town)

    play(prepare, scene)


def test_octets_are_json_where_no_field_is_a_picture(play: Any) -> None:
    async def scene(town: Any) -> None:
        body = json.dumps({"rows": [{"f0": 1, "f1": 2, "f2": 3}]}).encode()
        reply = await (await town.call()).ask("POST", PATH, body, "Content-Type: application/octet-stream")
        assert reply.status == 200

    play(lambda town: town.serve_one(), scene)


SOUND = form(("face", PNG), ("age", b"1"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--" + BOUNDARY,
        SOUND[:-4],
        SOUND.removesuffix(b"--\r\n"),
        SOUND + b"epilogue",
        b"preamble\r\n" + SOUND,
        SOUND.replace(BOUNDARY, b"----other"),
        SOUND.replace(b"\r\n\r\n", b"\r\n", 1).replace(b"\r\n\r\n", b"\n\n"),
        form(("a", b"")).replace(b"form-data", b"attachment"),
        form(("a", b""), more='"; x="'),
        form(("a", b""), more='; name="b"'),
        form(("a", b""), more="\r\nContent-Disposition: form-data"),
        form(("a", b""), more="\r\nContent-Type: multipart/mixed; boundary=y"),
        form(("a", b""), more="\r\nContent-Transfer-Encoding: base64"),
        form(("a", b""), more="\r\nno colon"),
        form(("a", b""), more="\r\nX: " + "y" * HEAD_BYTES),
        form(*[("a", b"")] * (MOST_PARTS + 1)),
        form(("a", b"")).replace(b'name="a"', b'name="\xff"'),
        form(("a", b"")).replace(b"\r\nContent-Disp", b"x\r\nContent-Disp"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BodyRefused):
        parts_of(body, BOUNDARY)


@pytest.mark.parametrize(
    "said", [b"", b"; boundary=", b"; boundary=" + b"x" * 71, b"; boundary=a\xffb", b'; boundary="a b "']
)
def test_a_boundary_is_one_or_refused(said: bytes) -> None:
    with pytest.raises(BodyRefused):
        boundary_of(b"multipart/form-data" + said)


@pytest.mark.parametrize(("written", "name"), [('a \\"b\\"', 'a "b"'), ("a %22b%22", 'a "b"'), ("süß", "süß")])
def test_names_are_read_as_clients_write_them(written: str, name: str) -> None:
    assert [each.name for each in parts_of(form((written, b"1")), BOUNDARY)] == [name]


@given(st.lists(st.tuples(st.text("abc_é ", min_size=1, max_size=9), st.binary(max_size=60)), max_size=6))
def test_a_form_comes_back_as_it_was(parts: list[tuple[str, bytes]]) -> None:
    parts = [(name, content) for name, content in parts if BOUNDARY not in content]
    if parts:
        assert [(each.name, each.content) for each in parts_of(form(*parts), BOUNDARY)] == parts


@given(data=st.data())
def test_a_mutated_form_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=8) | st.just(BOUNDARY))
    try:
        parts = parts_of(bytes(body), BOUNDARY)
    except BodyRefused:
        return
    assert all(isinstance(each.name, str) for each in parts)


def test_a_part_nested_without_end_is_refused_by_its_field(play: Any) -> None:
    wave = Field("wave", Kind.TENSOR, shape=(2,))

    async def scene(town: Any) -> None:
        body = form(("face", b"x"), ("wave", b"[" * 100_000))
        reply = await (await town.call()).ask("POST", PATH, body, FORM)
        assert reply.status == 422
        found = reply.json.get("error") or reply.json["predictions"][0]["error"]
        assert found["field"] == "rows[0].wave"

    play(serving(FACE, wave), scene)
