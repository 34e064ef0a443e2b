"""Too much: a caller over its own limit hears 429, everybody hears 503 of a full server, in each protocol's words."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import grpc
import pytest
from tests.gateway.test_permits import CHOSEN, DOORS, NATIVE, PREDICT, a_key, bearer, serving, wait_for
from tests.gateway.test_rpc_calls import inferring, line, raw, refusal

from headgate.access.grants import CallerRole
from headgate.traffic.traffic import Capture
from headgate.vocabulary import Ack

ASKING = ("predict", "labels", "decisions", "v2/infer", "tensorflow", "invocations", "vertex")
"""Every door that takes rows."""
EVERYTHING = tuple(each.value for each in CallerRole)


def test_this_table_has_every_door_that_takes_rows() -> None:
    about = {"v2/index", "v2/load", "v2/unload"}
    assert {name for name, (method, _, _) in DOORS.items() if method == "POST"} - about == set(ASKING)


def form_of(door: str, said: Any) -> str:
    """The reason in a refusal, in the form of the door's protocol."""
    if door in ("predict", "labels", "decisions"):
        assert list(said) == ["error"]
        assert set(said["error"]) == {"field", "rule", "message"}
        return cast("str", said["error"]["message"])
    if door == "invocations":
        assert set(said) == {"error_code", "message"}
        return cast("str", said["message"])
    assert list(said) == ["error"]
    return cast("str", said["error"])


@pytest.mark.parametrize("door", ASKING)
def test_a_caller_over_its_own_limit_is_told_so_and_when_to_come_back(play: Any, door: str) -> None:
    slow, text = a_key(*EVERYTHING, rate=0.1, burst=1.0)
    quick, other = a_key(*EVERYTHING, name="quick")
    method, path, body = DOORS[door]

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask(method, path, body, bearer(text))).status == 200
        reply = await caller.ask(method, path, body, bearer(text))
        assert (reply.status, int(reply.headers["retry-after"])) in ((429, 9), (429, 10))
        assert "come back in" in form_of(door, reply.json)
        assert (await caller.ask(method, path, body, bearer(other))).status == 200

    play(serving(slow, quick), scene, chosen=CHOSEN)


@pytest.mark.parametrize("door", [each for each in ASKING if each not in ("labels", "decisions")])
def test_a_full_server_says_503_and_when_to_come_back(play: Any, door: str) -> None:
    method, path, body = DOORS[door]

    async def scene(town: Any) -> None:
        town.journal.held = True
        first, second = await town.call(), await town.call()
        first.send("POST", PREDICT, NATIVE)
        await wait_for(town, 1)
        reply = await second.ask(method, path, body)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "come back" in form_of(door, reply.json)
        town.journal.release()
        assert (await first.reply()).status == 200

    play(lambda town: town.serve_one(), scene, queue_rows=1, chosen=CHOSEN)


@pytest.mark.parametrize("door", ASKING)
@pytest.mark.parametrize("trouble", [lambda town: setattr(town.journal, "full", True), None], ids=["full", "unhealthy"])
def test_a_journal_that_takes_no_more_is_503_on_every_door(
    play: Any, door: str, trouble: Callable[[Any], None] | None
) -> None:
    method, path, body = DOORS[door]

    async def scene(town: Any) -> None:
        if trouble is None:
            town.journal.healthy = False
        else:
            trouble(town)
        reply = await (await town.call()).ask(method, path, body)
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) >= 1
        assert form_of(door, reply.json)

    play(lambda town: town.serve_one(), scene, chosen=CHOSEN)


def test_over_grpc_it_is_resource_exhausted_and_unavailable(play_rpc: Any) -> None:
    slow, text = a_key("predict", rate=0.1, burst=2.0)
    quick, other = a_key("predict", name="quick")

    async def scene(town: Any) -> None:
        async with line(town) as channel:
            infer = inferring(channel)
            shown = {"metadata": (("authorization", f"Bearer {text}"),)}
            assert (await infer(raw(), **shown)).model_version == "m:1"
            exceeded = await refusal(infer(raw(), **shown))
            assert exceeded.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert int(dict(exceeded.trailing_metadata())["grpc-retry-pushback-ms"]) > 1000
            town.journal.held = True
            waiting = asyncio.ensure_future(infer(raw(), metadata=(("authorization", f"Bearer {other}"),)))
            await wait_for(town, 2)
            full = await refusal(infer(raw(), metadata=(("authorization", f"Bearer {other}"),)))
            assert full.code() is grpc.StatusCode.UNAVAILABLE
            assert int(dict(full.trailing_metadata())["grpc-retry-pushback-ms"]) > 0
            town.journal.release()
            assert (await waiting).model_version == "m:1"

    play_rpc(serving(slow, quick), scene, queue_rows=3)


def test_what_is_captured_is_shed_before_anybody_is_refused(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for pressed in (False, True, False):
            town.journal.pressed = pressed
            assert (await caller.ask("POST", PREDICT, NATIVE)).status == 200
        assert [each.features is None for each in town.journal.inputs] == [False, True, False]
        assert len(town.journal.answers) == 3, "ids, versions and answers are kept all the same"
        cell = town.slab.cell("headgate_capture_shed_total", project="default", endpoint="e")
        assert town.slab.values[cell] == 1.0

    play(lambda town: town.serve_one(), scene)


@pytest.mark.parametrize(
    ("policy", "least", "most"),
    [({"sampling_percent": 50.0}, 20, 80), ({"sampling_percent": 0.0}, 0, 0), ({"fields": []}, 0, 0)],
)
def test_only_features_that_would_have_been_kept_are_shed(
    play: Any, policy: dict[str, Any], least: int, most: int
) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.pressed = True
        rows = json.dumps({"rows": json.loads(NATIVE)["rows"] * 100}).encode()
        assert (await caller.ask("POST", PREDICT, rows)).status == 200
        assert len(town.journal.answers) == 100
        cell = town.slab.cell("headgate_capture_shed_total", project="default", endpoint="e")
        assert least <= town.slab.values[cell] <= most

    play(lambda town: town.serve_one(capture=Capture(**policy)), scene)


def test_a_refusal_for_want_of_room_hides_no_failing_disk(play: Any) -> None:
    """The journal is looked at once per turn, and a turn in which nobody enters has no end."""
    slow, text = a_key(*EVERYTHING, rate=0.1, burst=1.0)
    quick, other = a_key(*EVERYTHING, name="quick")

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 429
        town.journal.healthy = False
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(other))).status == 503

    def prepare(town: Any) -> None:
        serving(slow, quick)(town)
        town.serve_one(ack=Ack.BUFFERED)

    play(prepare, scene, chosen=CHOSEN)


def test_who_is_admitted_in_a_turn_is_answered_before_others_are_refused_in_it(play: Any) -> None:
    async def scene(town: Any) -> None:
        callers = [await town.call() for _ in range(3)]
        for caller in callers:
            assert (await caller.ask("POST", PREDICT, NATIVE)).status == 200
        said = []
        for _ in range(10):
            for caller in callers:
                caller.send("POST", PREDICT, NATIVE)
            said.append(sorted([(await caller.reply()).status for caller in callers]))
        assert {tuple(each) for each in said} <= {(200, 200, 503), (200, 200, 200), (200, 503, 503)}
        assert (200, 200, 503) in {tuple(each) for each in said}, "within a turn no more enter than there is room for"
        assert town.gateway._answerer.room.waiting == 0

    play(lambda town: town.serve_one(ack=Ack.BUFFERED), scene, queue_rows=2)


def test_what_is_on_disk_makes_room_within_the_turn(play: Any) -> None:
    """The journal's word comes to the loop in a turn of its own; whoever finds no room need not wait for that."""

    async def scene(town: Any) -> None:
        first, second = await town.call(), await town.call()
        for caller in (first, second):
            assert (await caller.ask("POST", PREDICT, NATIVE)).status == 200
        town.journal.held = True
        first.send("POST", PREDICT, NATIVE)
        await wait_for(town, 1)
        answerer = town.gateway._answerer
        town.journal.release()
        assert answerer.room.waiting == 1, "its reply is to come"
        answerer.relieve()
        assert answerer.room.waiting == 0
        assert (await first.reply()).status == 200

    play(lambda town: town.serve_one(), scene, queue_rows=1)
