"""HTTP/1.1 as callers really speak it: in pieces, in a row, in chunks, or not at all."""

import asyncio
import http.client
import json
import random
from typing import Any

import pytest

from headgate.gateway.http import connection

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
BODY = json.dumps({"rows": [ROW]}).encode()


def serve_one(town: Any) -> None:
    town.serve_one()


def request_for(rows: list[Any], request_id: str, *headers: str) -> bytes:
    body = json.dumps({"rows": rows, "id": request_id}).encode()
    lines = [f"POST {PREDICT} HTTP/1.1", "Host: t", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_bytes_may_come_one_at_a_time(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        for byte in request_for([ROW], "slowly"):
            caller.writer.write(bytes([byte]))
            await caller.writer.drain()
            await asyncio.sleep(0)
        reply = await caller.reply()
        assert (reply.status, reply.headers["headgate-request-id"]) == (200, "slowly")

    play(serve_one, scene)


def test_pipelined_requests_are_answered_in_order(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        names = [f"r{i}" for i in range(600)]  # more than a connection may have unanswered
        caller.writer.write(b"".join(request_for([ROW] if i % 3 else ["bad"], name) for i, name in enumerate(names)))
        replies = [await caller.reply() for _ in names]
        assert [each.headers["headgate-request-id"] for each in replies] == names
        assert [each.status for each in replies] == [200 if i % 3 else 422 for i in range(600)]

    play(serve_one, scene)


def test_a_later_reply_waits_for_an_earlier_one(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        town.journal.held = True
        caller.writer.write(request_for([ROW], "first") + b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
        while not town.journal.waiting:
            await asyncio.sleep(0.001)
        town.journal.release()
        assert (await caller.reply()).headers["headgate-request-id"] == "first"
        assert (await caller.reply()).json == {"live": True}

    play(serve_one, scene)


def test_chunks_are_put_together(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:]))
        caller.writer.write(head + chunks + b"0\r\n\r\n")
        assert (await caller.reply()).status == 200
        assert (await caller.post(PREDICT, {"rows": [ROW]})).status == 200

    play(serve_one, scene)


def test_a_patient_caller_is_told_to_go_on(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: {len(BODY)}\r\n\r\n"
        caller.writer.write(head.encode())
        assert await caller.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.writer.write(BODY)
        assert (await caller.reply()).status == 200

    play(serve_one, scene)


def test_head_has_the_headers_and_no_body(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("HEAD", "/livez")
        assert (reply.status, reply.headers["content-length"]) == (200, str(len(b'{"live":true}')))
        assert (await caller.ask("GET", "/livez")).json == {"live": True}

    play(serve_one, scene)


@pytest.mark.parametrize(
    ("raw", "status", "rule"),
    [
        (b"DELETE /livez HTTP/1.1\r\nHost: t\r\n\r\n", 405, "method"),
        (b"POST /v1/endpoints/e/predict HTTP/1.1\r\nHost: t\r\n\r\n", 411, "length"),
        (b"POST /v1/endpoints/e/predict HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n", 413, "size"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + b"x" * 8192, 413, "size"),
        (b"GET /livez HTTP/1.1\r\n" + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n", 431, "size"),
        (b"GET /livez HTTP/1.1\r\n" + b"X-A: " + b"a" * 40_000, 431, "size"),
        (b"GET /" + b"a" * 40_000, 431, "size"),
        (b"nonsense\r\n\r\n", 400, "http"),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "http"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "http"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "http"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(play: Any, raw: bytes, status: int, rule: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(raw)
        reply = await caller.reply()
        assert (reply.status, reply.json["error"]["rule"]) == (status, rule)
        assert reply.headers["connection"] == "close"
        assert await caller.ended() == b""
        assert (await (await town.call()).post(PREDICT, {"rows": [ROW]})).status == 200

    play(serve_one, scene, body_limit=4096)


@pytest.mark.parametrize("encoding", [{}, {"Transfer-Encoding": "chunked"}], ids=["length", "chunks"])
def test_a_caller_who_sends_far_too_much_still_finds_its_reply(play: Any, encoding: dict[str, str]) -> None:
    """As the standard library's client does: all of the body first, the reply afterwards."""

    def ask(port: int) -> tuple[int, Any]:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        parts = iter([bytes(1 << 20)] * 20)
        client.request("POST", PREDICT, parts if encoding else b"".join(parts), encoding, encode_chunked=True)
        reply = client.getresponse()
        try:
            return reply.status, json.loads(reply.read())["error"]["rule"]
        finally:
            client.close()

    async def scene(town: Any) -> None:
        for _ in range(3):
            assert await asyncio.to_thread(ask, town.port) == (413, "size")

    play(serve_one, scene, body_limit=4096)


def test_a_caller_who_never_ends_is_not_listened_to_for_ever(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LINGER_LIMIT", 1 << 20)

    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(b"nonsense\r\n\r\n")
        assert (await caller.reply()).status == 400
        with pytest.raises(ConnectionError):
            await flood(caller)

    async def flood(caller: Any) -> None:
        for _ in range(1000):
            caller.writer.write(bytes(1 << 16))
            await caller.writer.drain()

    play(serve_one, scene)


def test_a_method_a_path_does_not_know_keeps_the_connection(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("GET", PREDICT)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        assert (await caller.post("/livez", {})).headers["allow"] == "GET, HEAD"
        assert (await caller.ask("GET", "/livez")).status == 200

    play(serve_one, scene)


def test_a_truncated_body_is_refused_and_not_answered(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(request_for([ROW], "x")[:-5])
        caller.writer.write_eof()
        reply = await caller.reply()
        assert (reply.status, reply.json["error"]["rule"]) == (400, "truncated")
        assert town.journal.blocks == []

    play(serve_one, scene)


def test_a_caller_that_stops_sending_still_gets_its_reply(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(request_for([ROW], "last"))
        caller.writer.write_eof()
        assert (await caller.reply()).headers["headgate-request-id"] == "last"
        assert await caller.ended() == b""

    play(serve_one, scene)


def test_an_offer_of_another_protocol_is_passed_over(play: Any) -> None:
    """As the clients make it that would rather speak HTTP/2: with the first request of a connection, body and all."""

    async def scene(town: Any) -> None:
        caller = await town.call()
        offer = ("Connection: Upgrade, HTTP2-Settings", "UPGRADE: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
        for name in ("first", "later"):
            caller.writer.write(request_for([ROW], name, *offer))
            reply = await caller.reply()
            assert (reply.status, reply.headers["headgate-request-id"]) == (200, name)
        assert (await caller.ask("GET", "/livez")).status == 200
        assert len(town.journal.inputs) == 2

    play(serve_one, scene)


def test_an_offer_of_another_protocol_in_pieces_gets_one_reply(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        raw = request_for([ROW], "x", "Connection: Upgrade", "Upgrade: h2c")
        caller.writer.write(raw[:90])
        await caller.writer.drain()
        await asyncio.sleep(0.05)
        caller.writer.write(raw[90:])
        reply = await caller.reply()
        assert (reply.status, reply.headers["headgate-request-id"]) == (200, "x")
        assert (await caller.ask("GET", "/livez")).json == {"live": True}
        assert len(town.journal.inputs) == 1

    play(serve_one, scene)


def test_connection_close_is_honoured(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(request_for([ROW], "x", "Connection: close"))
        assert (await caller.reply()).headers["connection"] == "close"
        assert await caller.ended() == b""

    play(serve_one, scene)


def test_idle_and_dripping_connections_end(play: Any) -> None:
    async def scene(town: Any) -> None:
        idle, dripping = await town.call(), await town.call()
        dripping.writer.write(b"GET /livez HTT")
        assert (await dripping.reply()).status == 408
        assert await dripping.ended() == b""
        assert await idle.ended() == b""

    play(serve_one, scene, idle_seconds=0.02)


def test_the_same_head_with_another_body_is_another_request(play: Any) -> None:
    """Heads are remembered by their bytes; bodies never are."""

    async def scene(town: Any) -> None:
        caller = await town.call()
        for i in range(20):
            reply = await caller.post(PREDICT, {"rows": [{**ROW, "f0": float(i % 10)}], "id": f"r{i:02}"})
            assert reply.headers["headgate-request-id"] == f"r{i:02}"
        assert [each.features[0] for each in town.journal.inputs] == [float(i % 10) for i in range(20)]

    play(serve_one, scene)


def test_noise_never_harms_a_neighbour(play: Any) -> None:
    """Mutated requests: no 500, no hang, and a healthy caller beside them is always answered with its own row."""
    rng = random.Random(20261121)  # noqa: S311 - noise, not a secret
    whole = request_for([ROW], "noise")

    def mutated() -> bytes:
        raw = bytearray(whole * rng.choice((1, 1, 2)))
        for _ in range(rng.randrange(1, 6)):
            place = rng.randrange(len(raw))
            match rng.randrange(4):
                case 0:
                    raw[place] = rng.randrange(256)
                case 1:
                    del raw[place : place + rng.randrange(1, 20)]
                case 2:
                    raw[place:place] = rng.randbytes(rng.randrange(1, 20))
                case _:
                    raw[place:place] = rng.choice([b"\r\n", b"\r\n\r\n", b'"', b"{", b"NaN", b"\0", b"0"])
        return bytes(raw)

    async def scene(town: Any) -> None:
        healthy = await town.call()
        for _ in range(300):
            noisy = await asyncio.open_connection("127.0.0.1", town.port)
            noisy[1].write(mutated())
            noisy[1].write_eof()
            said = await asyncio.wait_for(noisy[0].read(), 5)
            assert b"HTTP/1.1 500" not in said
            noisy[1].close()
            reply = await healthy.post(PREDICT, {"rows": [ROW], "id": "mine"})
            assert (reply.status, reply.headers["headgate-request-id"]) == (200, "mine")

    play(serve_one, scene)


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/endpoints/e/predict", "POST"), ("/livez", "GET, HEAD"), ("/nowhere", "GET, HEAD, POST")]
)
def test_a_method_nobody_answers_is_told_which_are(play: Any, path: str, allowed: str) -> None:
    async def scene(town: Any) -> None:
        reply = await (await town.call()).ask("DELETE", path)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)

    play(lambda town: town.serve_one(), scene)


def test_a_caller_that_reads_no_replies_gets_no_more_of_them_than_it_has_room_for(play: Any) -> None:
    """A few kilobytes ask for a hundred megabytes, and all of them came in one read."""
    asked = 1500

    async def scene(town: Any) -> None:
        caller = await town.call()
        size = len((await caller.ask("GET", "/openapi.json")).body)
        caller.writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n" * asked)
        (connection,) = town.gateway._wire.connections
        async with asyncio.timeout(5):
            while not connection._choked:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert connection._transport.get_write_buffer_size() < 64 * 1024 + 2 * size
        for _ in range(300):
            assert len((await caller.reply()).body) == size
        other = await town.call()
        assert (await other.ask("GET", "/livez")).status == 200

    play(serve_one, scene)


def test_a_caller_that_goes_on_reading_nothing_is_let_go(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("GET", "/livez")).status == 200
        caller.writer.transport.pause_reading()
        caller.writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n" * 1500)
        async with asyncio.timeout(5):
            while town.gateway._wire.connections:
                await asyncio.sleep(0.01)

    play(serve_one, scene, idle_seconds=0.1)
