"""Texts JSON allows and nothing else can hold, numbers beyond any float: refused by name, no neighbour's concern."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from headgate.contracts.contract import Contract, Output
from headgate.contracts.text import to_document
from headgate.journal.records import Block, Schema
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

PREDICT, LABELS, DECISIONS = (f"/v1/endpoints/e/{door}" for door in ("predict", "labels", "decisions"))
INFER = "/v2/models/e/infer"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
HALF = "\ud800"
"""Half a surrogate pair: legal in JSON and in a Python str, impossible in UTF-8."""
HUGE = 10**399
"""A whole number no float can hold; one of more digits is read as infinity."""
MATRIX = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}
AT = "2013-03-01T00:00:00Z"


def prepare(town: Any) -> None:
    """One endpoint whose journal encodes at once, as the real one does."""
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)], sticky_key="key")
    keep = town.journal.write

    def write(schema: Schema, block: Block, done: Any) -> bool:
        msgspec.msgpack.encode(block)
        return bool(keep(schema, block, done))

    town.journal.write = write


NATIVE = [
    (PREDICT, {"rows": [ROW], "id": HALF}, "id", "type"),
    (PREDICT, {"rows": [ROW], "keys": [HALF]}, "keys", "type"),
    (PREDICT, {"rows": [ROW], "at": [HALF]}, "at", "type"),
    (PREDICT, {"rows": [ROW], HALF: 1}, "?", "unknown"),
    (PREDICT, {"rows": [ROW], "x" * 100: 1}, "x" * 64, "unknown"),
    (PREDICT, {"rows": [ROW], "deadline_ms": HUGE}, "deadline_ms", "type"),
    (LABELS, {HALF: 1}, "?", "unknown"),
    (LABELS, {"labels": [{"request_id": HALF, "label": 1}]}, "labels[0].request_id", "type"),
    (LABELS, {"labels": [{"request_id": "a", "label": HALF}]}, "labels[0].label", "type"),
    (LABELS, {"labels": [{"request_id": "a", "label": 1, HALF: 2}]}, "labels[0].?", "unknown"),
    (LABELS, {"labels": [{"request_id": "a", "label": 1, "observed_at": HALF}]}, "labels[0].observed_at", "type"),
    (LABELS, {"labels": [{"key": HALF, "at": AT, "label": 1}]}, "labels[0].key", "type"),
    (LABELS, {"labels": [{"id": HALF, "label": 1}]}, "labels[0].id", "type"),
    (LABELS, {"labels": [{"request_id": "a", "label": HUGE}]}, "labels[0].label", "domain"),
    (DECISIONS, {"decisions": [{"request_id": "a", "decision": 1, "actor": HALF}]}, "decisions[0].actor", "type"),
]


@pytest.mark.parametrize(("path", "document", "field", "rule"), NATIVE)
def test_what_no_journal_can_hold_is_refused_by_name(
    play: Any, path: str, document: Any, field: str, rule: str
) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).post(path, document)
        error = reply.json["error"]
        assert (reply.status, error["field"], error["rule"]) == (422, field, rule)
        assert town.journal.answers == town.journal.labels == []

    play(prepare, scene)


def test_a_row_with_a_field_nobody_can_spell_fails_alone(play: Any) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).post(PREDICT, {"rows": [ROW | {HALF: 1}, ROW]})
        assert reply.status == 200
        bad, good = reply.json["predictions"]
        assert (bad["error"]["field"], bad["error"]["rule"]) == ("rows[0].?", "unknown")
        assert good["version"] == "m:1"

    play(prepare, scene)


V2 = [
    ({"id": HALF, "inputs": [MATRIX]}, "id: "),
    ({"id": "x" * 129, "inputs": [MATRIX]}, "id: "),
    ({"parameters": {"key": HALF}, "inputs": [MATRIX]}, "parameters.key: "),
    ({"parameters": {"key": "x" * 257}, "inputs": [MATRIX]}, "parameters.key: "),
    ({"parameters": {"key": 7}, "inputs": [MATRIX]}, "parameters.key: "),
    ({"parameters": {"key": ""}, "inputs": [MATRIX]}, "parameters.key: "),
    ({"inputs": [MATRIX | {"shape": [HALF]}]}, "inputs[0].shape[0]: "),
    ({"inputs": [MATRIX], HALF: 1}, "body: "),
    ({"inputs": [{"name": HALF, "shape": [1], "datatype": "FP64", "data": [1, 2]}]}, "inputs[0].name: "),
    ({"inputs": [MATRIX], "outputs": [{"name": HALF}]}, "outputs[0].name: "),
    *(
        ({"inputs": [MATRIX], "parameters": {"timeout": each}}, "parameters.timeout: ")
        for each in (-1, True, "1", float("nan"))
    ),
]


@pytest.mark.parametrize(("document", "says"), V2)
def test_the_inference_protocol_refuses_it_as_well(play: Any, document: Any, says: str) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).post(INFER, document)
        assert reply.status == 400
        assert reply.json["error"].startswith(says)
        assert town.journal.answers == []

    play(prepare, scene)


@pytest.mark.parametrize("timeout", [HUGE, float("inf"), 1e308, 10**12])
def test_a_timeout_of_ages_is_no_deadline(play: Any, timeout: float) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(INFER, {"inputs": [MATRIX], "parameters": {"timeout": timeout}})
        assert reply.status == 200

    play(prepare, scene)


def test_a_short_timeout_is_a_deadline(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        reply = await (await town.call()).post(INFER, {"inputs": [MATRIX], "parameters": {"timeout": 20_000}})
        assert (reply.status, "deadline" in reply.json["error"]) == (504, True)
        town.journal.release()

    play(prepare, scene)


def test_neighbours_of_an_odd_text_are_answered(play: Any) -> None:
    """Sixteen callers write in one turn of the loop, every other of them something nobody can hold."""

    async def scene(town: Any) -> None:
        callers = [await town.call() for _ in range(16)]
        documents = [{"rows": [ROW], "id": HALF if at % 2 else "plain", "keys": ["k"]} for at in range(16)]
        for caller, document in zip(callers, documents, strict=True):
            caller.send("POST", PREDICT, json.dumps(document).encode())
        async with asyncio.timeout(5):
            replies = [await caller.reply() for caller in callers]
        assert [each.status for each in replies] == [200, 422] * 8

    play(prepare, scene)


@pytest.mark.parametrize("label", [HUGE, -HUGE, 10**400, float("inf"), float("nan")])
def test_a_number_beyond_any_float_is_no_label(play: Any, label: Any) -> None:
    contract = numbers_contract(3, Output(Task.REGRESSION))

    def regression(town: Any) -> None:
        own = msgspec.json.encode(to_document(Contract(contract.fields, contract.output))).decode()
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=own)

    async def scene(town: Any) -> None:
        caller = await town.call()
        body = json.dumps({"labels": [{"request_id": "a", "label": label}]}).encode()
        reply = await caller.ask("POST", LABELS, body)
        error = reply.json["error"]
        assert (reply.status, error["field"], error["rule"]) == (422, "labels[0].label", "finite")
        assert (await caller.post(LABELS, {"labels": [{"request_id": "a", "label": 10**300}]})).status == 200
        assert [each.value for each in town.journal.labels] == [1e300]

    play(regression, scene)
