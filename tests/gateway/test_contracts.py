"""An endpoint may hold its model to a contract of its own; a new one is loaded beside the old."""

from typing import Any

import msgspec

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.contracts.text import to_document
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}


def bounded(highest: float) -> str:
    """The linear model's contract with one rule more."""
    plain = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True))
    first = Field("f0", Kind.NUMBER, maximum=highest, on_range=OnBreak.REJECT)
    contract = Contract((first, *plain.fields[1:]), plain.output)
    return msgspec.json.encode(to_document(contract)).decode()


def test_the_endpoints_own_contract_is_what_callers_are_held_to(play: Any) -> None:
    def prepare(town: Any) -> None:
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=bounded(1.0))

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        reply = await caller.post(PREDICT, {"rows": [ROW | {"f0": 2.0}]})
        assert reply.status == 422
        assert reply.json["predictions"][0]["error"]["rule"] == "range"

    play(prepare, scene)


def test_a_changed_contract_is_obeyed_with_the_next_revision(play: Any) -> None:
    def prepare(town: Any) -> None:
        town.digest = town.linear()
        town.publish([Member("m:1", town.digest, 1.0, proved=True)])

    async def scene(town: Any) -> None:
        caller = await town.call()
        row = ROW | {"f0": 2.0}
        before = (await caller.post(PREDICT, {"rows": [row]})).json["predictions"][0]
        town.publish([Member("m:1", town.digest, 1.0, proved=True)], contract=bounded(1.0))
        await town.obeyed(2)
        assert (await caller.post(PREDICT, {"rows": [row]})).status == 422
        town.publish([Member("m:1", town.digest, 1.0, proved=True)], contract=bounded(3.0))
        await town.obeyed(3)
        after = (await caller.post(PREDICT, {"rows": [row]})).json["predictions"][0]
        assert after["scores"] == before["scores"]

    play(prepare, scene)


def test_a_contract_nobody_can_read_leaves_the_endpoint_as_it_was(play: Any) -> None:
    def prepare(town: Any) -> None:
        town.digest = town.linear()
        town.publish([Member("m:1", town.digest, 1.0, proved=True)])

    async def scene(town: Any) -> None:
        caller = await town.call()
        town.publish([Member("m:1", town.digest, 1.0, proved=True)], contract='{"fields": 7}')
        for _ in range(30):
            assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        assert town.reports.obeyed()["w0"]["default/e"] == 1

    play(prepare, scene)
