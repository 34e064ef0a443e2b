"""Semantics are one: the same rows give the same predictions, versions, records and refusals on every door."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc
import msgspec
import numpy as np
import pytest
from tests.gateway.spoken import DOORS, Door, Request, Row
from tests.gateway.test_rpc_calls import inferring, line, refusal, typed

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.contracts.text import to_document
from headgate.gateway.doors.paths import chosen_routes
from headgate.runtimes.ports import Feeds, Outputs, Runtime
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

BINARY = next(each for each in DOORS if each.name == "v2-binary")
CHOSEN = chosen_routes(health="/vertex/health", predict="/vertex/predict")
FIELDS = (
    Field("f0", Kind.NUMBER, maximum=1000, on_range=OnBreak.REJECT),
    Field("f1", Kind.NUMBER, nullable=True, minimum=0),
    Field("f2", Kind.NUMBER),
    Field("calls", Kind.INTEGER, nullable=True),
    Field("member", Kind.BOOLEAN),
    Field("plan", Kind.CATEGORY, domain=("basic", "family")),
    Field("note", Kind.TEXT, nullable=True, max_bytes=40),
)
OUTPUTS = {
    "regression": Output(Task.REGRESSION),
    "binary": Output(Task.BINARY, classes=(False, True), probability=True),
    "multiclass": Output(Task.MULTICLASS, classes=("hat", "tie", "shoe"), probability=True),
}
ROW: Row = {"f0": 1.5, "f1": 2.0, "f2": -3.25, "calls": 4, "member": True, "plan": "basic", "note": "as, “usual”"}
OTHER = ROW | {"f0": 700, "calls": 0, "member": False, "plan": "family", "note": "x\ny"}


@dataclass
class Payload:
    name: str
    rows: list[Row]
    refused: tuple[str, str] | None = None
    """Field and rule, where one row is refused."""
    fields: bool = False
    nulls: bool = False
    types: bool = False

    def fits(self, door: Door) -> bool:
        return all(
            (door.names_fields or not self.fields, door.names_nulls or not self.nulls, door.types or not self.types)
        )


def without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


PAYLOADS = [
    Payload("one row", [ROW]),
    Payload("many rows", [ROW, OTHER] * 40),
    Payload("nulls", [ROW | {"f1": None, "calls": None}, OTHER]),
    Payload("a null text", [ROW | {"note": None}], nulls=True),
    Payload("flagged", [ROW | {"plan": "gold", "f1": -1.0}, OTHER]),
    Payload("a large whole number", [ROW | {"calls": 2**53 + 1}]),
    Payload("range", [OTHER, ROW | {"f0": 1000.5}], ("rows[1].f0", "range")),
    Payload("size", [ROW | {"note": "o" * 41}], ("rows[0].note", "size")),
    Payload("null", [ROW, ROW | {"f2": None}], ("rows[1].f2", "null"), nulls=True),
    Payload("text for a number", [ROW | {"f0": "high"}], ("rows[0].f0", "type"), types=True),
    Payload("half a call", [ROW | {"calls": 3.5}], ("rows[0].calls", "type"), types=True),
    Payload("text for a boolean", [ROW | {"member": "maybe"}], ("rows[0].member", "type"), types=True),
    Payload("unknown field", [ROW | {"fax": "none"}], ("rows[0].fax", "unknown"), fields=True),
    Payload("missing field", [without(ROW, "plan")], ("rows[0].plan", "missing"), fields=True),
]


class Sums(Runtime):
    """Answers from the first three fields alone, so that an answer shows whose row it is."""

    def __init__(self, output: Output) -> None:
        self.output = output

    def run(self, feeds: Feeds) -> Outputs:
        sums = np.nan_to_num(feeds["X"]).sum(axis=1).astype(np.float64)
        if self.output.task is Task.REGRESSION:
            return Outputs(sums, None, {}, 5)
        width = len(self.output.classes)
        raw = np.cos(np.outer(sums, np.arange(1, width + 1))) + 1.5
        scores = raw / raw.sum(axis=1, keepdims=True)
        classes = np.array(self.output.classes)[scores.argmax(axis=1)]
        return Outputs(classes, scores, {}, 5)

    def close(self) -> None:
        pass


class Here:
    """A placement on the loop."""

    def __init__(self, runtime: Runtime) -> None:
        self.inline = runtime

    async def run(self, feeds: Feeds) -> Outputs:
        return self.inline.run(feeds)

    async def close(self) -> None:
        pass


def serving(contract: Contract) -> Any:
    """A town whose endpoint answers rows of `contract` by their sums."""

    def prepare(town: Any) -> None:
        digest = town.linear()
        town.placements[digest] = Here(Sums(contract.output))
        own = msgspec.json.encode(to_document(contract)).decode()
        town.publish([Member("m:1", digest, 1.0, proved=True)], contract=own)

    return prepare


def preparing(task: str) -> Any:
    return serving(Contract(FIELDS, OUTPUTS[task]))


def records(journal: Any) -> Any:
    """What the journal kept, without what is another at every request."""
    inputs = [(each.features, each.row, each.flags, each.entity) for each in journal.inputs]
    answers = [(each.assigned, each.answered, each.role, each.prediction, each.scores) for each in journal.answers]
    refusals = [
        (each.refusal.field, each.refusal.rule, each.refusal.message) for each in journal.inputs if each.refusal
    ]
    return inputs, answers, refusals


@pytest.mark.parametrize("task", OUTPUTS)
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda each: each.name)
def test_doors_agree(play: Any, task: str, payload: Payload) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        told: dict[str, tuple[Any, Any]] = {}
        for door in DOORS:
            if not payload.fits(door):
                continue
            town.journal.blocks.clear()
            request = door.ask(payload.rows, FIELDS)
            reply = await caller.ask("POST", request.path, request.body, *request.headers)
            assert reply.headers["headgate-request-id"], door.name
            assert reply.headers["headgate-version"], door.name
            names = {each.request_id for each in town.journal.inputs}
            assert names == {reply.headers["headgate-request-id"]}, f"{door.name}: the id told is the id remembered"
            inputs, answers, refusals = records(town.journal)
            if payload.refused is None:
                assert reply.status == 200, (door.name, reply.body)
                assert reply.headers["headgate-version"] == "m:1", door.name
                told[door.name] = (door.predictions(reply.body), (inputs, answers, refusals))
                assert len(answers) == len(payload.rows)
            else:
                # The native door alone answers the rows beside a bad one.
                assert reply.status == 422 or (len(payload.rows) > 1 and door.apart) or reply.status == 400
                told[door.name] = (payload.refused[0].encode() in reply.body, refusals)
        first = told["native"]
        for name, each in told.items():
            assert each == first, name
        if payload.refused is not None:
            found, refusals = first
            assert found
            assert [each[:2] for each in refusals] == [payload.refused]
        assert len(told) >= 9

    play(preparing(task), scene, chosen=CHOSEN)


@pytest.mark.parametrize("payload", [each for each in PAYLOADS if each.fits(BINARY)], ids=lambda each: each.name)
def test_grpc_agrees(play_rpc: Any, payload: Payload) -> None:
    """Raw tensors over gRPC beside the same bytes over REST."""

    async def scene(town: Any) -> None:
        caller = await town.call()
        request = BINARY.ask(payload.rows, FIELDS)
        reply = await caller.ask("POST", request.path, request.body, *request.headers)
        by_rest = records(town.journal)
        town.journal.blocks.clear()
        async with line(town) as channel:
            call: Any = inferring(channel)(over_grpc(request))
            if payload.refused is None:
                said = await call
                trailers = dict(await call.trailing_metadata())
                assert trailers["headgate-version"] == reply.headers["headgate-version"] == "m:1"
                ids = said.parameters["headgate_ids"].string_param.split(",")
                assert ids == [str(UUID(bytes=each.id)) for each in town.journal.inputs]
                name = trailers["headgate-request-id"]
            else:
                refused = await refusal(call)
                assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert payload.refused[0] in refused.details()
                name = dict(refused.trailing_metadata())["headgate-request-id"]
        assert {each.request_id for each in town.journal.inputs} == {name}
        assert records(town.journal) == by_rest

    play_rpc(preparing("binary"), scene)


def over_grpc(request: Request) -> Any:
    """The same tensors as a message."""
    length = int(request.headers[0].rpartition(" ")[2])
    tensors, at, parts = msgspec.json.decode(request.body[:length])["inputs"], length, []
    for tensor in tensors:
        size = tensor.pop("parameters")["binary_data_size"]
        parts.append(request.body[at : at + size])
        at += size
    return typed(*tensors, raw_input_contents=parts)


def test_every_payload_and_door_is_told_apart() -> None:
    assert len({each.name for each in DOORS}) == len(DOORS)
    assert len({each.name for each in PAYLOADS}) == len(PAYLOADS)
    assert all(sum(payload.fits(door) for door in DOORS) >= 9 for payload in PAYLOADS)
