"""The native door over a real socket."""

import asyncio
import json
import math
from time import perf_counter
from typing import Any

import pytest

from headgate.errors import JournalUnavailable
from headgate.gateway.metrics.collector import SlabCollector
from headgate.traffic.traffic import Capture, Member, Policy
from headgate.vocabulary import Ack, OnFailure

ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
PREDICT = "/v1/endpoints/e/predict"
PINNED = b'{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [7, 8, 9]}]}'
"""A request of the inference protocol, for a version named in its path."""
INFER = "/v2/models/e/infer"


def serve_one(town: Any) -> None:
    town.serve_one()


def test_a_row_is_answered_and_remembered(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert reply.status == 200
        (entry,) = reply.json["predictions"]
        assert entry["version"] == "m:1"
        assert entry["prediction"] in (0, 1)
        assert abs(sum(entry["scores"]) - 1) < 1e-6
        assert reply.headers["headgate-version"] == "m:1"
        assert reply.headers["headgate-request-id"] == entry["id"]
        (record,), (answer,) = town.journal.inputs, town.journal.answers
        assert record.features == (0.1, 0.2, 0.3)
        assert answer.input_id == record.id
        assert record.id.hex() == entry["id"].replace("-", "")
        assert (answer.assigned, answer.answered, answer.role, answer.probability) == ("m:1", "m:1", "live", 1.0)

    play(serve_one, scene)


def test_a_bad_row_fails_alone_and_both_are_remembered(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, {"id": "r1", "rows": [ROW, {**ROW, "f1": "x"}, ROW]})
        assert reply.status == 200
        good, bad, last = reply.json["predictions"]
        assert good["prediction"] == last["prediction"]
        assert bad["error"]["field"] == "rows[1].f1"
        assert bad["error"]["rule"] == "type"
        assert reply.headers["headgate-request-id"] == "r1"
        assert {(each.row, each.request_id) for each in town.journal.inputs} == {(0, "r1"), (1, "r1"), (2, "r1")}
        refusals = [each.refusal for each in town.journal.inputs if each.refusal]
        assert [(each.field, each.rule) for each in refusals] == [("rows[1].f1", "type")]
        assert len(town.journal.answers) == 2

    play(serve_one, scene)


BODIES = [
    (b"", 400, "body", "json"),
    (b'{"rows":[{"f0":1', 400, "body", "json"),
    (b"not json", 400, "body", "json"),
    (b'{"rows":[{"f0":"\xff\xfe"}]}', 400, "body", "utf8"),
    (b"\xff", 400, "body", "utf8"),
    (b"[" * 100_000, 400, "body", "json"),
    (b"[]", 422, "body", "type"),
    (b"{}", 422, "rows", "missing"),
    (b'{"rows":3}', 422, "rows", "type"),
    (b'{"rows":[]}', 422, "rows", "size"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"surprise":1}', 422, "surprise", "unknown"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"id":7}', 422, "id", "type"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"id":""}', 422, "id", "type"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"keys":["a","b"]}', 422, "keys", "shape"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"keys":[1]}', 422, "keys", "type"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"deadline_ms":0}', 422, "deadline_ms", "type"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"at":["2013-01-01T00:00:00Z"]}', 422, "at", "replay"),
    (b'{"rows":[{"f0":1,"f1":1,"f2":1}],"at":["yesterday"]}', 422, "at", "type"),
    (rb'{"rows":[{"f0":1,"f1":1,"f2":1}],"id":"\ud800"}', 422, "id", "type"),
    (rb'{"rows":[{"f0":1,"f1":1,"f2":1}],"keys":["\ud800"]}', 422, "keys", "type"),
    (rb'{"rows":[{"f0":1,"f1":1,"f2":1}],"at":["\ud800"]}', 422, "at", "type"),
    (rb'{"rows":[{"f0":1,"f1":1,"f2":1}],"\ud800":1}', 422, "?", "unknown"),
    (rb'"\ud800"', 422, "body", "type"),
]


@pytest.mark.parametrize(("body", "status", "field", "rule"), BODIES)
def test_a_request_that_is_none_is_refused_by_name(play: Any, body: bytes, status: int, field: str, rule: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PREDICT, body)
        assert (reply.status, reply.json["error"]["field"], reply.json["error"]["rule"]) == (status, field, rule)
        assert reply.json["error"]["message"]
        assert town.journal.answers == []
        (record,) = town.journal.inputs
        assert record.refusal is not None
        assert record.refusal.rule == rule
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200

    play(serve_one, scene)


ROWS = [
    ('{"f0":1,"f1":1}', "rows[0].f2", "missing"),
    ('{"f0":1,"f1":1,"f2":1,"f3":1}', "rows[0].f3", "unknown"),
    ('{"f0":true,"f1":1,"f2":1}', "rows[0].f0", "type"),
    ('{"f0":null,"f1":1,"f2":1}', "rows[0].f0", "null"),
    ('{"f0":NaN,"f1":1,"f2":1}', "rows[0].f0", "finite"),
    ('{"f0":1,"f1":-Infinity,"f2":1}', "rows[0].f1", "finite"),
    ('{"f0":1,"f1":1e999,"f2":1}', "rows[0].f1", "finite"),
    ("7", "rows[0]", "type"),
    (r'{"f0":"\ud800","f1":1,"f2":1}', "rows[0].f0", "type"),
    (r'{"f0":1,"f1":1,"f2":1,"\ud800":1}', "rows[0].?", "unknown"),
    (r'"\ud800"', "rows[0]", "type"),
]


@pytest.mark.parametrize(("row", "field", "rule"), ROWS)
def test_a_row_that_breaks_the_contract_is_refused_by_name(play: Any, row: str, field: str, rule: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", PREDICT, f'{{"rows":[{row}]}}'.encode())
        assert reply.status == 422
        (entry,) = reply.json["predictions"]
        assert (entry["error"]["field"], entry["error"]["rule"]) == (field, rule)
        assert town.journal.answers == []
        assert len(town.journal.inputs) == 1

    play(serve_one, scene)


def test_a_fault_of_ours_is_a_500_for_those_it_struck_and_takes_no_room(play: Any, caplog: Any) -> None:
    async def scene(town: Any) -> None:
        first, second = await town.call(), await town.call()
        write, faults = town.journal.write, [TypeError("scripted")] * 3

        def broken(*arguments: Any) -> bool:
            if faults:
                raise faults.pop()
            kept: bool = write(*arguments)
            return kept

        town.journal.write = broken
        while faults:
            first.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1}]}')
            second.send("POST", INFER, b'{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP64","data":[1,1,1]}]}')
            native, v2 = await first.reply(), await second.reply()
            assert {native.status, v2.status} <= {200, 500}
            if native.status == 500:
                assert native.json["error"]["rule"] == "internal"
            if v2.status == 500:
                assert isinstance(v2.json["error"], str)
        assert (await first.post(PREDICT, {"rows": [ROW, ROW]})).status == 200, "their room was given back"
        assert "scripted" in caplog.text

    play(serve_one, scene, queue_rows=2)


def test_a_reply_that_cannot_be_made_is_a_500_and_those_behind_it_are_answered(play: Any, caplog: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        door = town.gateway._router._predict.__self__
        make = door._encode
        faults = [TypeError("scripted")]

        def broken(document: Any) -> bytes:
            if faults:
                raise faults.pop()
            made: bytes = make(document)
            return made

        door._encode = broken
        for _ in range(2):
            caller.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1}]}')
        assert [(await caller.reply()).status for _ in range(2)] == [500, 200]
        assert "scripted" in caplog.text

    play(serve_one, scene)


def test_event_times_beyond_the_calendar_are_refused(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for at in ("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"):
            reply = await caller.post(PREDICT, {"rows": [ROW], "at": [at]})
            assert (reply.status, reply.json["error"]["field"], reply.json["error"]["rule"]) == (422, "at", "type")

    play(serve_one, scene, replay=True)


def test_unknown_endpoints_and_paths_are_not_found(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for path, field in (
            ("/v1/endpoints/nobody/predict", "endpoint"),
            ("/v1/projects/other/endpoints/e/predict", "endpoint"),
            ("/v1/endpoints/e/elsewhere", "path"),
            ("/", "path"),
        ):
            reply = await caller.post(path, {"rows": [ROW]})
            assert (reply.status, reply.json["error"]["field"], reply.json["error"]["rule"]) == (404, field, "unknown")
            assert "headgate-request-id" in reply.headers
        assert (await caller.post("/v1/projects/default/endpoints/e/predict", {"rows": [ROW]})).status == 200

    play(serve_one, scene)


def test_event_times_count_where_replay_is_on(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW], "at": ["2013-03-01T00:00:00Z"], "keys": ["ada"]})
        assert reply.status == 200
        (record,) = town.journal.inputs
        assert (record.at, record.entity) == (1_362_096_000_000_000, "ada")

    play(serve_one, scene, replay=True)


def test_capture_leaves_features_out(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await caller.post(PREDICT, {"rows": [ROW]})
        ((schema, block),) = town.journal.blocks
        assert [each.name for each in schema.fields] == ["f0", "f2"]
        assert block.inputs[0].features == (0.1, 0.3)

    play(lambda town: town.serve_one(capture=Capture(redact=["f1"])), scene)


def test_durable_replies_wait_for_the_journal_and_buffered_ones_do_not(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.held = True
        caller.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1}]}')
        while not town.journal.waiting:
            assert caller.reader._buffer == b""  # type: ignore[attr-defined, unused-ignore]
            await asyncio.sleep(0.001)
        town.journal.release()
        assert (await caller.reply()).status == 200
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], policy=Policy(ack=Ack.BUFFERED))
        await town.obeyed(2)
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        assert town.journal.waiting == []

    play(serve_one, scene)


def test_a_journal_that_fails_refuses_or_answers_as_told(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.problem = JournalUnavailable("full")
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert (reply.status, reply.json["error"]["rule"]) == (503, "journal")
        assert reply.headers["retry-after"] == "1"
        town.journal.healthy = False
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 503
        assert (await caller.ask("GET", "/readyz")).status == 503
        town.publish([Member("m:1", town.linear(), 1.0, proved=True)], policy=Policy(on_failure=OnFailure.ANSWER))
        await town.obeyed(2)
        reply = await caller.post(PREDICT, {"rows": [ROW]})
        assert reply.status == 200
        assert reply.json["journalled"] is False

    play(serve_one, scene)


def test_a_full_queue_sends_callers_away(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        first, second = await town.call(), await town.call()
        first.send("POST", PREDICT, b'{"rows":[{"f0":1,"f1":1,"f2":1},{"f0":1,"f1":1,"f2":1}]}')
        while not town.journal.waiting:
            await asyncio.sleep(0.001)
        reply = await second.post(PREDICT, {"rows": [ROW]})
        assert (reply.status, reply.json["error"]["rule"]) == (503, "overloaded")
        assert int(reply.headers["retry-after"]) >= 1
        town.journal.release()
        assert (await first.reply()).status == 200
        town.journal.held = False
        assert (await second.post(PREDICT, {"rows": [ROW]})).status == 200

    play(serve_one, scene, queue_rows=2)


@pytest.mark.parametrize(("path", "door"), [(PREDICT, "native"), (INFER, "v2")])
def test_where_nobody_has_room_a_body_is_not_even_read(play: Any, path: str, door: str) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        first, second, last = await town.call(), await town.call(), await town.call()
        first.send("POST", PREDICT, json.dumps({"rows": [ROW, ROW]}).encode())
        while not town.journal.waiting:
            await asyncio.sleep(0.001)
        replies = [await second.ask("POST", path, b"{no JSON") for _ in range(2)]
        replies.append(await last.ask("POST", path, b"{no JSON", "Connection: close"))
        assert await last.ended() == b""
        assert {(each.status, each.body) for each in replies} == {(503, replies[0].body)}
        assert "too many rows wait already" in replies[0].body.decode()
        told = [
            {name: value for name, value in each.headers.items() if name != "headgate-request-id"} for each in replies
        ]
        assert told[0]["headgate-version"] == "m:1"
        assert told[0] == told[1] == {name: value for name, value in told[2].items() if name != "connection"}
        assert len({each.headers["headgate-request-id"] for each in replies}) == 3
        town.journal.release()
        town.journal.held = False
        assert (await first.reply()).status == 200
        assert (await second.ask("POST", path, b"{no JSON")).status in (400, 422)
        counted = {
            (
                sample.name,
                sample.labels.get("protocol", ""),
                sample.labels.get("code") or sample.labels.get("reason"),
            ): sample.value
            for family in SlabCollector(town.home / "metrics").collect()
            for sample in family.samples
        }
        assert counted["headgate_rejected_total", "", "Overloaded"] == 3
        assert counted["headgate_requests_total", door, "503"] == 3

    play(serve_one, scene, queue_rows=2)


def test_who_is_told_that_there_is_no_room_hears_of_the_version_that_is_live_now(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for version in ("m:1", "m:2"):
            if version == "m:2":
                town.publish([Member(version, town.linear(), 1.0, proved=True)], live=version)
                await town.obeyed(2)
            town.journal.held = True
            first = await town.call()
            first.send("POST", PREDICT, json.dumps({"rows": [ROW, ROW]}).encode())
            while not town.journal.waiting:
                await asyncio.sleep(0.001)
            reply = await caller.post(PREDICT, {"rows": [ROW]})
            assert (reply.status, reply.headers["headgate-version"]) == (503, version)
            town.journal.release()
            town.journal.held = False
            assert (await first.reply()).status == 200

    play(serve_one, scene, queue_rows=2)


def test_a_deadline_bounds_even_the_wait_for_the_disk(play: Any) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        caller = await town.call()
        reply = await caller.post(PREDICT, {"rows": [ROW], "deadline_ms": 20})
        assert (reply.status, reply.json["error"]["rule"]) == (504, "deadline")
        town.journal.release()
        town.journal.held = False
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200

    play(serve_one, scene)


def test_an_unproved_live_version_answers_nobody(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 503

    play(lambda town: town.publish([Member("m:1", town.linear(), 1.0)]), scene)


def test_two_versions_share_callers_by_weight_and_keys_stick(play: Any) -> None:
    def prepare(town: Any) -> None:
        members = [
            Member("m:1", town.linear(), 0.5, proved=True),
            Member("m:2", town.linear(bias=5.0), 0.5, proved=True),
        ]
        town.publish(members, sticky_key="key")

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        keys = [f"key-{i}" for i in range(400)]
        first = await caller.post(PREDICT, {"rows": [ROW] * 400, "keys": keys})
        again = await caller.post(PREDICT, {"rows": [ROW] * 400, "keys": keys})
        drawn = [each["version"] for each in first.json["predictions"]]
        assert drawn == [each["version"] for each in again.json["predictions"]]
        assert abs(drawn.count("m:2") - 200) < 4 * math.sqrt(100)
        assert first.headers["headgate-version"] == "m:1,m:2"
        roles = {(each.assigned, each.role, each.probability) for each in town.journal.answers}
        assert roles == {("m:1", "live", 0.5), ("m:2", "canary", 0.5)}

    play(prepare, scene)


def test_a_lease_that_ran_out_sends_everything_to_the_live_version(play: Any) -> None:
    def prepare(town: Any) -> None:
        members = [
            Member("m:1", town.linear(), 0.0, proved=True),
            Member("m:2", town.linear(bias=5.0), 1.0, proved=True),
        ]
        town.publish(members, canary_lease_s=0.5)

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()

        async def answers(version: str) -> None:
            deadline = perf_counter() + 30.0
            while (await caller.post(PREDICT, {"rows": [ROW]})).headers["headgate-version"] != version:
                assert perf_counter() < deadline, f"{version} does not answer"
                await asyncio.sleep(0.02)

        for _ in range(2):
            town.traffic.beat()
            await answers("m:2")
            await answers("m:1")
        assert town.reports.obeyed() == {"w0": {"default/e": 1}}, "the revision is the same"

    play(prepare, scene)


def test_rows_asked_lately_are_kept_in_memory_for_the_next_version(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        view = next(iter(town.gateway._router.views.values()))
        for _ in range(70):
            assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200
        assert list(view.recent) == [tuple(ROW.values())] * 64
        await caller.post(PREDICT, {"rows": [{"f0": 1}]})
        await caller.ask("POST", "/v2/models/e/versions/1/infer", PINNED)
        assert list(view.recent) == [tuple(ROW.values())] * 64

    play(lambda town: town.serve_one(), scene)
