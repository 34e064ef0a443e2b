"""Labels and decisions: every way to name an input, every way to be wrong."""

import json
from typing import Any

import msgspec
import pytest

from headgate.contracts.contract import Output
from headgate.contracts.text import to_document
from headgate.errors import JournalUnavailable
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Ack, Task

PREDICT, LABELS, DECISIONS = (f"/v1/endpoints/e/{door}" for door in ("predict", "labels", "decisions"))
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}


def serve_one(town: Any) -> None:
    town.serve_one()


def test_a_label_finds_its_input_in_three_ways(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        id_text = (await caller.post(PREDICT, {"rows": [ROW]})).json["predictions"][0]["id"]
        entries = [
            {"id": id_text, "label": 1, "observed_at": "2013-03-01T00:00:00Z"},
            {"request_id": "r1", "row": 2, "label": 0},
            {"request_id": "r2", "label": 0},
            {"key": "ada", "at": "2013-03-01T00:00:00+01:00", "label": 1},
        ]
        reply = await caller.post(LABELS, {"labels": entries})
        assert (reply.status, reply.json) == (200, {"accepted": 4})
        by_id, by_request, by_first_row, by_key = town.journal.labels
        assert (by_id.input_id, by_id.value) == (town.journal.inputs[0].id, 1)
        assert by_id.observed_at == 1_362_096_000_000_000
        assert by_id.received_at > by_id.observed_at
        assert (by_request.request_id, by_request.row) == ("r1", 2)
        assert (by_first_row.request_id, by_first_row.row) == ("r2", 0)
        assert by_request.observed_at == by_request.received_at
        assert (by_key.entity, by_key.entity_at) == ("ada", 1_362_092_400_000_000)
        assert {each.source for each in town.journal.labels} == {"label"}

    play(serve_one, scene)


def test_people_decide_on_the_same_inputs(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        id_text = (await caller.post(PREDICT, {"rows": [ROW]})).json["predictions"][0]["id"]
        reply = await caller.post(DECISIONS, {"decisions": [{"id": id_text, "decision": 0, "actor": "ada"}]})
        assert reply.json == {"accepted": 1}
        (label,) = town.journal.labels
        assert (label.source, label.actor, label.value) == ("human", "ada", 0)

    play(serve_one, scene)


STRANGER = "01890a5d-ac96-774b-bcce-b302099a8057"
WRONG = [
    ({}, "labels", "missing"),
    ([], "body", "type"),
    ({"labels": 3}, "labels", "type"),
    ({"labels": []}, "labels", "size"),
    ({"labels": [], "more": 1}, "more", "unknown"),
    ({"labels": [7]}, "labels[0]", "type"),
    ({"labels": [{"label": 1}]}, "labels[0]", "reference"),
    ({"labels": [{"label": 1, "request_id": "a", "key": "b", "at": "2013-03-01T00:00:00Z"}]}, "labels[0]", "reference"),
    ({"labels": [{"label": 1, "request_id": "a", "at": "2013-03-01T00:00:00Z"}]}, "labels[0].at", "reference"),
    ({"labels": [{"label": 1, "key": "a", "at": "2013-03-01T00:00:00Z", "row": 1}]}, "labels[0].row", "reference"),
    ({"labels": [{"label": 1, "key": "a"}]}, "labels[0].at", "missing"),
    ({"labels": [{"label": 1, "key": "a", "at": "2013-03-01T00:00:00"}]}, "labels[0].at", "type"),
    ({"labels": [{"request_id": "a"}]}, "labels[0].label", "missing"),
    ({"labels": [{"request_id": "a", "label": None}]}, "labels[0].label", "null"),
    ({"labels": [{"request_id": "a", "label": "yes"}]}, "labels[0].label", "type"),
    ({"labels": [{"request_id": "a", "label": True}]}, "labels[0].label", "type"),
    ({"labels": [{"request_id": "a", "label": 2}]}, "labels[0].label", "domain"),
    ({"labels": [{"request_id": "a", "label": 1, "row": -1}]}, "labels[0].row", "type"),
    ({"labels": [{"request_id": "a", "label": 1, "actor": "x"}]}, "labels[0].actor", "unknown"),
    ({"labels": [{"id": "nonsense", "label": 1}]}, "labels[0].id", "uuid"),
    ({"labels": [{"id": STRANGER, "label": 1}]}, "labels[0].id", "known_id"),
    ({"labels": [{"request_id": "\ud800", "label": 1}]}, "labels[0].request_id", "type"),
    ({"labels": [{"key": "\ud800", "at": "2013-03-01T00:00:00Z", "label": 1}]}, "labels[0].key", "type"),
    ({"labels": [{"id": "\ud800", "label": 1}]}, "labels[0].id", "type"),
    ({"labels": [{"request_id": "a", "label": "\ud800"}]}, "labels[0].label", "type"),
    ({"labels": [{"request_id": "a", "label": 1, "\ud800": 1}]}, "labels[0].?", "unknown"),
    ({"labels": [{"request_id": "a", "label": 1}], "\ud800": 1}, "?", "unknown"),
    ({"labels": [{"key": "a", "at": "0001-01-01T00:00:00+01:00", "label": 1}]}, "labels[0].at", "type"),
    (
        {"labels": [{"request_id": "a", "label": 1, "observed_at": "9999-12-31T23:59:59-01:00"}]},
        "labels[0].observed_at",
        "type",
    ),
    ({"labels": [{"request_id": "a", "label": 1}, {"id": STRANGER, "label": 1}]}, "labels[1].id", "known_id"),
]


@pytest.mark.parametrize(("document", "field", "rule"), WRONG)
def test_a_label_that_is_none_is_refused_by_name_and_nothing_is_kept(
    play: Any, document: Any, field: str, rule: str
) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(LABELS, document)
        error = reply.json["error"]
        assert (reply.status, error["field"], error["rule"]) == (422, field, rule)
        assert town.journal.labels == []

    play(serve_one, scene)


BOTH = [(LABELS, "labels", "label"), (DECISIONS, "decisions", "decision")]
"""Both doors, with the names of their lists and of what an entry says."""


@pytest.mark.parametrize(("door", "listed", "value"), BOTH)
def test_an_id_that_nobody_was_given_is_refused_at_both_doors(play: Any, door: str, listed: str, value: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        entries = [{"request_id": "a", value: 1}, {"id": STRANGER, value: 1}]
        reply = await caller.post(door, {listed: entries})
        error = reply.json["error"]
        assert (reply.status, error["field"], error["rule"]) == (422, f"{listed}[1].id", "known_id")
        assert town.journal.labels == []

    play(serve_one, scene)


def test_a_request_has_so_many_labels_and_no_more(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        label = {"request_id": "r", "label": 1}
        assert (await caller.post(LABELS, {"labels": [label] * 5})).json == {"accepted": 5}
        error = (await caller.post(LABELS, {"labels": [label] * 6})).json["error"]
        assert (error["field"], error["rule"], error["message"]) == ("labels", "size", "a request has 1 to 5 entries")
        assert len(town.journal.labels) == 5

    play(serve_one, scene, queue_rows=5)


def test_a_regressions_label_is_a_number_a_float_holds(play: Any) -> None:
    def serve_regression(town: Any) -> None:
        contract = numbers_contract(3, Output(Task.REGRESSION))
        own = msgspec.json.encode(to_document(contract)).decode()
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=own)

    async def scene(town: Any) -> None:
        caller = await town.call()
        for value, rule in ((10**309, "finite"), (10**399, "finite"), (float("inf"), "finite"), (True, "type")):
            reply = await caller.post(LABELS, {"labels": [{"request_id": "r", "label": value}]})
            assert (reply.status, reply.json["error"]["rule"]) == (422, rule)
        assert (await caller.post(LABELS, {"labels": [{"request_id": "r", "label": 10**300}]})).status == 200

    play(serve_regression, scene)


@pytest.mark.parametrize(("door", "listed", "value"), BOTH)
def test_a_label_for_another_endpoints_id_is_refused(play: Any, door: str, listed: str, value: str) -> None:
    async def scene(town: Any) -> None:
        from headgate.journal.identifiers import endpoint_tag, format_id

        caller = await town.call()
        other = format_id(town.mint.draw(endpoint_tag("default", "other")))
        reply = await caller.post(door, {listed: [{"id": other, value: 1}]})
        assert (reply.status, reply.json["error"]["rule"]) == (422, "known_id")
        assert town.journal.labels == []

    play(serve_one, scene)


@pytest.mark.parametrize("ack", [Ack.DURABLE, Ack.BUFFERED])
def test_a_label_that_cannot_be_kept_is_refused_whatever_the_policy(play: Any, ack: Ack) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.problem = JournalUnavailable("full")
        reply = await caller.ask("POST", LABELS, json.dumps({"labels": [{"request_id": "r", "label": 1}]}).encode())
        assert (reply.status, reply.json["error"]["rule"]) == (503, "journal")
        town.journal.problem = None
        reply = await caller.ask("POST", LABELS, json.dumps({"labels": [{"request_id": "r", "label": 1}]}).encode())
        assert (reply.status, reply.json) == (200, {"accepted": 1})
        assert town.journal.labels[-1].value == 1

    play(lambda town: town.serve_one(on_failure="answer", ack=ack), scene)
