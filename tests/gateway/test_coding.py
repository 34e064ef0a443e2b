"""Compressed bodies and replies, for every door alike."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from tests.gateway.test_permits import wait_for

from headgate.errors import BodyRefused
from headgate.gateway.doors import unfold
from headgate.gateway.http.coding import decoded
from headgate.gateway.http.exchange import CONTENT_ENCODING, Head

PREDICT = "/v1/endpoints/e/predict"
BODY = json.dumps({"rows": [{"f0": 0.1, "f1": 0.2, "f2": 0.3}]}).encode()


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZip", gzip.compress)]
)
def test_a_compressed_body_is_read_as_the_plain_one(play: Any, coding: str, pack: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        plain = await caller.ask("POST", PREDICT, BODY)
        packed = await caller.ask("POST", PREDICT, pack(BODY), f"Content-Encoding: {coding}")
        assert (plain.status, packed.status) == (200, 200)
        assert packed.json["predictions"][0]["scores"] == plain.json["predictions"][0]["scores"]

    play(lambda town: town.serve_one(), scene)


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        pytest.param("br", BODY, 400, id="unknown"),
        pytest.param("gzip, gzip", gzip.compress(BODY), 400, id="twice"),
        pytest.param("gzip", BODY, 400, id="plain"),
        pytest.param("gzip", gzip.compress(BODY)[:-9], 400, id="torn"),
        pytest.param("gzip", gzip.compress(BODY) + b"more", 400, id="more"),
        pytest.param("gzip", gzip.compress(b" " * 2_000_000), 413, id="bomb"),
    ],
)
def test_what_is_not_in_its_coding_or_unfolds_without_end_is_refused(
    play: Any, coding: str, body: bytes, status: int
) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for path in (PREDICT, "/v2/models/e/infer"):
            reply = await caller.ask("POST", path, body, f"Content-Encoding: {coding}")
            assert reply.status == status
            assert "error" in reply.json
        assert (await caller.ask("POST", PREDICT, BODY)).status == 200

    play(lambda town: town.serve_one(), scene, body_limit=1_000_000)


def test_a_large_reply_is_compressed_for_whoever_takes_it(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        many = json.dumps({"rows": [{"f0": 0.1, "f1": 0.2, "f2": 0.3}] * 5000}).encode()
        for rows, accepted, coding in (
            (BODY, "gzip", None),
            (many, "br", None),
            (many, "gzip;q=0", None),
            (many, "gzip, deflate", "gzip"),
            (many, "deflate", "deflate"),
        ):
            reply = await caller.ask("POST", PREDICT, rows, f"Accept-Encoding: {accepted}")
            assert reply.headers.get("content-encoding") == coding
            text = reply.body if coding is None else zlib.decompress(reply.body, 32 + zlib.MAX_WBITS)
            assert len(json.loads(text)["predictions"]) == len(json.loads(rows)["rows"])

    play(lambda town: town.serve_one(), scene)


def test_replies_keep_their_order_when_an_earlier_body_takes_longer_to_open(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        large = json.dumps({"rows": [{"f0": 0.1, "f1": 0.2, "f2": 0.3}] * 3000}).encode()
        caller.send("POST", PREDICT, gzip.compress(large), "Content-Encoding: gzip")
        caller.send("GET", "/livez")
        async with asyncio.timeout(10):
            assert len((await caller.reply()).json["predictions"]) == 3000
            assert (await caller.reply()).json == {"live": True}

    play(lambda town: town.serve_one(), scene)


def test_a_body_of_exactly_the_limit_is_read() -> None:
    head = Head(b"POST", b"/", headers={CONTENT_ENCODING: b"gzip"})
    assert decoded(head, gzip.compress(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(BodyRefused, match="99 bytes"):
        decoded(head, gzip.compress(b"x" * 100), 99)


class Threads:
    """In place of threads: nothing is opened before a test says so."""

    def __init__(self) -> None:
        self.begun: list[Callable[[], None]] = []

    def submit(self, work: Callable[..., bytes], *words: Any) -> "Future[bytes]":
        done: Future[bytes] = Future()
        self.begun.append(lambda: done.set_result(work(*words)))
        return done


@pytest.mark.parametrize("path", [PREDICT, "/v1/endpoints/e/labels"])
def test_no_more_bodies_are_opened_at_once_than_is_said(play: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(unfold, "_MOST_UNDER_WAY", 2)
    body = BODY if path == PREDICT else b'{"labels": [{"request_id": "r", "label": 1}]}'
    packed = gzip.compress(body)

    async def scene(town: Any) -> None:
        threads = town.gateway._router._unfolder._threads = Threads()
        callers = [await town.call() for _ in range(3)]
        for count, caller in enumerate(callers[:2], 1):
            caller.send("POST", path, packed, "Content-Encoding: gzip")
            async with asyncio.timeout(5):
                while len(threads.begun) < count:
                    await asyncio.sleep(0.001)
        reply = await callers[2].ask("POST", path, packed, "Content-Encoding: gzip")
        assert (reply.status, reply.json["error"]["rule"]) == (503, "overloaded")
        assert int(reply.headers["retry-after"]) >= 1
        for each in threads.begun:
            each()
        assert [(await caller.reply()).status for caller in callers[:2]] == [200, 200]
        callers[2].send("POST", path, packed, "Content-Encoding: gzip")
        async with asyncio.timeout(5):
            while len(threads.begun) < 3:
                await asyncio.sleep(0.001)
        threads.begun[2]()
        assert (await callers[2].reply()).status == 200

    play(lambda town: town.serve_one(), scene)


@pytest.mark.parametrize("path", [PREDICT, "/v2/models/e/infer", "/v1/models/e:predict", "/invocations"])
def test_a_full_server_opens_nothing_and_says_so(play: Any, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        first = await town.call()
        first.send("POST", PREDICT, BODY)
        await wait_for(town, 1)
        caller = await town.call()
        with monkeypatch.context() as closed:
            closed.setattr(unfold, "decoded", lambda *_: pytest.fail("a body was opened for which there is no room"))
            reply = await caller.ask("POST", path, gzip.compress(BODY), "Content-Encoding: gzip")
        assert (reply.status, int(reply.headers["retry-after"]) >= 1) == (503, True)
        labels = gzip.compress(b'{"labels": [{"request_id": "r", "label": 1}]}')
        caller.send("POST", "/v1/endpoints/e/labels", labels, "Content-Encoding: gzip")
        while len(town.journal.waiting) < 2:
            await asyncio.sleep(0.001)
        town.journal.release()
        assert [(await each.reply()).status for each in (first, caller)] == [200, 200], "labels need no such room"

    play(lambda town: town.serve_one(), scene, queue_rows=1)
