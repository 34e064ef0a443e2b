"""Requests that two servers in a row might read differently, lengths that lie, floods: one table, on real sockets.

Never two answers for one request, never another caller's data, never more memory or time than is said.
"""

import asyncio
import contextlib
import gzip
import json
import struct
import zlib
from typing import Any

import pytest
from tests.gateway.test_connection import Talk
from tests.gateway.test_permits import wait_for

from headgate.gateway.http.connection import HEAD_LIMIT, PIPELINE_LIMIT

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}
BODY = json.dumps({"rows": [ROW]}).encode()
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: t\r\n\r\n"


def post(*headers: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"POST %b %b" % (PREDICT.encode(), version), b"Host: t", *headers, b"", b""]) + body


N = len(BODY)
LENGTH = b"Content-Length: %d" % N
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (N, BODY)

READ_TWO_WAYS = {
    "length and chunks": post(LENGTH, CHUNKED, body=CHUNKS),
    "chunks and length": post(CHUNKED, LENGTH, body=CHUNKS),
    "a length of nothing and chunks": post(b"Content-Length: 0", CHUNKED, body=CHUNKS),
    "two different lengths": post(LENGTH, b"Content-Length: 0", body=BODY),
    "twice the same length": post(LENGTH, LENGTH, body=BODY),
    "a list of lengths": post(b"Content-Length: %d, %d" % (N, N), body=BODY),
    "no carriage returns": post(LENGTH, body=BODY).replace(b"\r\n", b"\n"),
    "one line without its carriage return": post(b"X: a\nX: b", LENGTH, body=BODY),
    "a carriage return alone": post(b"X: a\rTransfer-Encoding: chunked", LENGTH, body=BODY),
    "a folded header": post(b"X: a\r\n folded", LENGTH, body=BODY),
    "a folded coding": post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS),
    "a folded first header": post(LENGTH, body=BODY).replace(b"\r\nHost", b"\r\n Host"),
    "space before the colon of a length": post(b"Content-Length : %d" % N, body=BODY),
    "space before the colon of a coding": post(b"Transfer-Encoding : chunked", LENGTH, body=BODY),
    "a header without a colon": post(b"Content-Length", LENGTH, body=BODY),
    "a header without a name": post(b": chunked", LENGTH, body=BODY),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "chunks of chunks": post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "chunks said twice": post(CHUNKED, CHUNKED, body=CHUNKS),
    "no coding": post(b"Transfer-Encoding: identity", LENGTH, body=BODY),
    "identity and chunks": post(b"Transfer-Encoding: identity", CHUNKED, body=CHUNKS),
    "compressed chunks": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "an empty coding": post(b"Transfer-Encoding: ", LENGTH, body=BODY),
    "a coding with a tab of another kind": post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "chunks in HTTP/1.0": post(CHUNKED, body=CHUNKS, version=b"HTTP/1.0"),
    "a negative length": post(b"Content-Length: -%d" % N, body=BODY),
    "a length with a sign": post(b"Content-Length: +%d" % N, body=BODY),
    "a length in hexadecimal": post(b"Content-Length: 0x%x" % N, body=BODY),
    "a length with an exponent": post(b"Content-Length: 1e1", body=BODY),
    "a length with a fraction": post(b"Content-Length: %d.0" % N, body=BODY),
    "a length with an underscore": post(b"Content-Length: 1_0", body=BODY),
    "an empty length": post(b"Content-Length:", body=BODY),
    "a length beyond 64 bits": post(b"Content-Length: %d" % (2**64 + N), body=BODY),
    "a length of five thousand digits": post(b"Content-Length: " + b"9" * 5000, body=BODY),
    "a negative chunk": post(CHUNKED, body=b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a sign": post(CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n"),
    "a chunk in hexadecimal twice": post(CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with space before": post(CHUNKED, body=b" 5\r\nhello\r\n0\r\n\r\n"),
    "a chunk without a size": post(CHUNKED, body=b"\r\nhello\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": post(CHUNKED, body=b"ffffffffffffffffff\r\nhello"),
    "chunks without carriage returns": post(CHUNKED, body=CHUNKS.replace(b"\r\n", b"\n")),
    "an extension that hides a line": post(CHUNKED, body=b'5;a="\nhello\r\n0\r\n\r\n'),
    "a chunk longer than it says": post(CHUNKED, body=b"5\r\nhelloXX\r\n0\r\n\r\n"),
    "a length behind the body": post(CHUNKED, body=CHUNKS[:-2] + b"Content-Length: 9\r\n\r\n"),
    "NUL in a name": post(b"X\0Y: a", LENGTH, body=BODY),
    "NUL in a value": post(b"X: a\0b", LENGTH, body=BODY),
    "NUL in the target": post(LENGTH, body=BODY).replace(b"predict", b"pre\0dict"),
    "another control character": post(b"X: a\x01b", LENGTH, body=BODY),
    "two hosts": post(b"Host: other", LENGTH, body=BODY),
    "space in the target": post(LENGTH, body=BODY).replace(b"/predict", b"/pre dict"),
    "no version": b"POST %b\r\nHost: t\r\n%b\r\n\r\n%b" % (PREDICT.encode(), LENGTH, BODY),
    "a version to come": post(LENGTH, body=BODY, version=b"HTTP/1.2"),
    "HTTP/2 by surprise": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + post(LENGTH, body=BODY),
}


async def said(caller: Any, raw: bytes) -> list[int]:
    """The statuses of all replies to `raw`, until the other side closes."""
    caller.writer.write(raw)
    if caller.writer.can_write_eof():
        caller.writer.write_eof()
    async with asyncio.timeout(5):
        everything = await caller.ended()
    return statuses(everything)


def statuses(said: bytes) -> list[int]:
    """The statuses of the replies in `said`, one behind the other."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        found.append(int(head.split()[1]))
        lengths = [
            line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        assert len(lengths) == 1, head
        said = rest[int(lengths[0]) :]
    return found


def test_what_may_be_read_in_two_ways_is_refused_once_and_nothing_behind_it_is_read(play: Any) -> None:
    async def scene(town: Any) -> None:
        neighbour = await town.call()
        for name, raw in READ_TWO_WAYS.items():
            found = await said(await town.call(), raw + HIDDEN + post(LENGTH, body=BODY))
            assert found in ([400], [501]), (name, found)
            assert (await neighbour.post(PREDICT, {"rows": [ROW]})).status == 200, name
        assert len(town.journal.answers) == len(READ_TWO_WAYS), "none but the neighbour was answered"

    play(lambda town: town.serve_one(), scene)


@pytest.mark.parametrize("size", [1, 3, 1 << 20], ids=["bytes", "threes", "whole"])
def test_they_are_refused_however_they_are_cut(size: int) -> None:
    for name, raw in READ_TWO_WAYS.items():
        talk = Talk(at_once=True)
        for at in range(0, len(raw), size):
            talk.hear(raw[at : at + size])
        assert ([each.status for each in talk.refused], talk.asked) in (([400], []), ([501], [])), name


MEANT = {
    "space around a length": post(b"Content-Length: \t%d \t" % N, body=BODY),
    "zeros before a length": post(b"Content-Length: 00%d" % N, body=BODY),
    "an extension of a chunk": post(CHUNKED, body=CHUNKS.replace(b"\r\n{", b";name=value\r\n{")),
    "zeros before a chunk": post(CHUNKED, body=b"000" + CHUNKS),
    "capitals": post(b"TRANSFER-ENCODING: Chunked", body=CHUNKS),
    "empty lines before": b"\r\n\r\n" + post(LENGTH, body=BODY),
    "a name that only looks like one": post(b"Content_Length: 0", b"X-Transfer-Encoding: chunked", LENGTH, body=BODY),
    "something behind the body": post(CHUNKED, body=CHUNKS[:-2] + b"X-Digest: none\r\n\r\n"),
    "a target with a host": post(LENGTH, body=BODY).replace(b"POST /", b"POST http://elsewhere.example:80/"),
}


def test_what_has_one_meaning_is_answered_once(play: Any) -> None:
    async def scene(town: Any) -> None:
        for name, raw in MEANT.items():
            caller = await town.call()
            assert await said(caller, raw) == [200], name
        assert len(town.journal.answers) == len(MEANT)

    play(lambda town: town.serve_one(), scene)


def test_a_request_hidden_in_a_body_stays_a_body(play: Any) -> None:
    inner = post(LENGTH, body=BODY)

    async def scene(town: Any) -> None:
        for outer in (
            post(b"Content-Length: %d" % len(inner), body=inner),
            post(CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner)),
            b"GET /livez HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n%b" % (len(inner), inner),
            post(b"Content-Encoding: gzip", b"Content-Length: %d" % len(inner), body=inner),
        ):
            found = await said(await town.call(), outer + b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n")
            assert (len(found), found[1]) == (2, 200), outer
            assert found[0] in (200, 400)
        assert town.journal.answers == []
        known = await town.call()  # the very head that is remembered by its bytes, with another's body behind it
        for body in (BODY, inner[:N]):
            known.writer.write(post(LENGTH, body=body))
        assert [(await known.reply()).status for _ in range(2)] == [200, 400]

    play(lambda town: town.serve_one(), scene)


TENSOR = {"name": "f0", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}


def binary(*sizes: int, stated: object = None, extra: bytes = b"") -> bytes:
    """A V2 request of three tensors whose stated sizes are `sizes`, eight bytes each in truth."""
    tensors = [TENSOR | {"name": f"f{at}", "parameters": {"binary_data_size": size}} for at, size in enumerate(sizes)]
    head = json.dumps({"inputs": tensors}).encode()
    body = head + struct.pack("<ddd", 0.1, 0.2, 0.3) + extra
    length = str(len(head) if stated is None else stated).encode()
    lines = [b"POST /v2/models/e/infer HTTP/1.1", b"Host: t", b"Inference-Header-Content-Length: " + length]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


def test_lengths_within_a_body_that_lie_are_refused(play: Any) -> None:
    large = 2**63
    lies = [binary(8, 8, 8, stated=each) for each in (10**6, -1, "ten", "", 0, large, "1.5", "0x10", "5, 5")]
    lies += [
        binary(8, 8, 9),
        binary(8, 8, 7),
        binary(8, 8, 0),
        binary(-8, 8, 24),
        binary(24, 0, 0),
        binary(8, 8, large),
    ]
    lies += [binary(8, 8, 8, extra=b"more"), binary(8, 16, 8)]

    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.writer.write(binary(8, 8, 8))
        assert (await caller.reply()).status == 200
        for raw in lies:
            caller.writer.write(raw)
            reply = await caller.reply()
            assert (reply.status, list(reply.json)) == (400, ["error"]), raw
        caller.writer.write(binary(8, 8, 8))
        assert (await caller.reply()).status == 200
        assert len(town.journal.answers) == 2

    play(lambda town: town.serve_one(), scene)


def test_bombs_and_nested_codings_are_refused_and_small(play: Any) -> None:
    zeros = bytes(64 << 20)
    bombs = {
        "gzip": (gzip.compress(zeros), "gzip", 413),
        "deflate": (zlib.compress(zeros), "deflate", 413),
        "gzip within gzip": (gzip.compress(gzip.compress(zeros)), "gzip", 400),
        "two codings": (gzip.compress(gzip.compress(BODY)), "gzip, gzip", 400),
        "two headers": (gzip.compress(BODY), "gzip\r\nContent-Encoding: gzip", 400),
        "not what it says": (BODY, "gzip", 400),
        "cut short": (gzip.compress(BODY)[:-1], "gzip", 400),
        "two members": (gzip.compress(BODY) * 2, "gzip", 400),
        "raw deflate": (zlib.compress(BODY)[2:-4], "deflate", 400),
        "unknown": (BODY, "br", 400),
    }

    async def scene(town: Any) -> None:
        caller = await town.call()
        for name, (body, coding, status) in bombs.items():
            for path in (
                PREDICT,
                "/v2/models/e/infer",
                "/invocations",
                "/v1/models/e:predict",
                "/v1/endpoints/e/labels",
            ):
                reply = await caller.ask("POST", path, body, f"Content-Encoding: {coding}")
                assert reply.status == status, (name, path)
        assert (await caller.ask("POST", PREDICT, gzip.compress(BODY), "Content-Encoding: gzip")).status == 200
        assert len(town.journal.answers) == 1

    play(lambda town: town.serve_one(), scene, body_limit=1 << 20)


ENDLESS = {
    "a target": b"GET /" + b"a" * 4 * HEAD_LIMIT,
    "a header": b"GET /livez HTTP/1.1\r\nX: " + b"a" * 4 * HEAD_LIMIT,
    "a header's name": b"GET /livez HTTP/1.1\r\n" + b"a" * 4 * HEAD_LIMIT,
    "headers": b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * HEAD_LIMIT,
    "a chunk's extension": post(CHUNKED, body=b"5;" + b"a" * 4 * HEAD_LIMIT),
    "a chunk's size": post(CHUNKED, body=b"0" * 4 * HEAD_LIMIT),
    "something behind the body": post(CHUNKED, body=CHUNKS[:-2] + b"X: " + b"a" * 4 * HEAD_LIMIT),
    "things behind the body": post(CHUNKED, body=CHUNKS[:-2] + b"a: b\r\n" * HEAD_LIMIT),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_not_kept(name: str) -> None:
    """In pieces of one read each, as a socket gives them: refused once, long before the last."""
    talk, raw = Talk(body_limit=1 << 20, at_once=True), ENDLESS[name]
    for at in range(0, len(raw), 8192):
        talk.hear(raw[at : at + 8192])
        if talk.refused:
            break
    assert at <= HEAD_LIMIT + 8192, "no more is read than a head may have"
    assert ([each.status for each in talk.refused], talk.asked) == ([431], [])


def test_chunks_may_be_small_and_come_one_by_one() -> None:
    """Their sizes alone are more bytes than a head may have, yet each is followed by what it promised."""
    talk = Talk(body_limit=1 << 20).hear(post(CHUNKED))
    for _ in range(HEAD_LIMIT // 3):
        talk.hear(b"1\r\n", b"x", b"\r\n")
    talk.hear(b"0\r\n", b"X-Digest: none\r\n", b"\r\n")
    assert [len(each.body) for each in talk.asked] == [HEAD_LIMIT // 3]


def test_pipelined_requests_are_not_counted_as_one_long_head() -> None:
    talk = Talk(at_once=True).hear(post(LENGTH, body=BODY) * (2 * HEAD_LIMIT // 100) + b"GET /a HTTP/1.1\r\nX:")
    assert talk.refused == []
    talk.hear(b" a\r\n\r\n")
    assert talk.asked[-1].head.target == b"/a"


def test_a_flood_of_requests_is_read_no_further_than_is_said() -> None:
    talk = Talk().hear(b"GET /livez HTTP/1.1\r\n\r\n" * PIPELINE_LIMIT)
    assert not talk.listens()
    large = Talk(body_limit=1000).hear(*[post(b"Content-Length: 400", body=bytes(400))] * 2)
    assert large.listens()
    large.hear(post(b"Content-Length: 400", body=bytes(400)))
    assert not large.listens(), "bodies of more than one request's size wait for their answers"
    for each in large.asked:
        each.reply(b"<a>")
    assert large.listens()


def test_what_is_answered_and_waits_for_its_turn_keeps_no_body() -> None:
    talk = Talk(body_limit=1000).hear(b"GET /first HTTP/1.1\r\n\r\n", post(b"Content-Length: 900", body=bytes(900)))
    talk.asked[1].reply(b"<second>")
    assert (talk.line.said, len(talk.asked[1].body)) == (b"", 0)
    talk.asked[0].reply(b"<first>")
    assert talk.line.said == b"<first><second>"


async def heard(caller: Any) -> bytes:
    """All that `caller` is told while it goes on talking, which may end in a broken pipe."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := await caller.reader.read(65536):
            found += part
    return found


def test_slow_and_silent_callers_are_let_go_and_keep_nobody_waiting(play: Any) -> None:
    """Many at once: each half a head, half a body, or nothing, and one of them a byte now and then."""
    half_head, half_body = b"POST /v1/endpoints/e/predict HTTP/1.1\r\nX-A: ", post(LENGTH, body=BODY[:10])

    async def scene(town: Any) -> None:
        begun = [half_head, half_body, b"", post(CHUNKED, body=b"ff\r\n{"), b"\r\n\r\n\r\n"] * 20
        slow = [await town.call() for _ in begun]
        for caller, raw in zip(slow, begun, strict=True):
            caller.writer.write(raw)

        async def drip() -> None:
            while True:
                for caller in slow[:2]:
                    caller.writer.write(b"a")
                await asyncio.sleep(0.02)

        hearing = [asyncio.ensure_future(heard(caller)) for caller in slow]
        dripping = asyncio.ensure_future(drip())
        well = await town.call()
        for _ in range(20):
            assert (await well.post(PREDICT, {"rows": [ROW]})).status == 200
            await asyncio.sleep(0.02)
        async with asyncio.timeout(5):
            ends = [statuses(each) for each in await asyncio.gather(*hearing)]
        dripping.cancel()
        assert {tuple(each) for each in ends} == {(), (408,)}
        assert sum(each == [408] for each in ends) == 60

    play(lambda town: town.serve_one(), scene, idle_seconds=0.2)


def test_a_caller_that_says_no_more_gets_all_it_asked_for(play: Any) -> None:
    async def scene(town: Any) -> None:
        assert await said(await town.call(), post(LENGTH, body=BODY) * 3) == [200] * 3
        assert await said(await town.call(), post(LENGTH, body=BODY) + post(LENGTH, body=BODY[:-1])) == [200, 400]

    play(lambda town: town.serve_one(), scene)


def test_connections_are_bounded_and_those_that_say_nothing_go_first(play: Any) -> None:
    """They keep files open, which the journal needs as well."""

    async def scene(town: Any) -> None:
        town.journal.held = True
        busy = await town.call()
        busy.send("POST", PREDICT, BODY)
        await wait_for(town, 1)
        for _ in range(20):
            await town.call()
        for _ in range(20):
            caller = await town.call()
            assert (await caller.ask("GET", "/livez")).status == 200
        assert len(town.gateway._wire.connections) <= 5
        waiting = []
        async with asyncio.timeout(5):
            for count in range(2, 6):  # one after the other: until it asks, each of them says nothing either
                waiting.append(await town.call())
                waiting[-1].send("POST", PREDICT, BODY)
                await wait_for(town, count)
            refused = await town.call()
            reply = await refused.reply()
            assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
            assert await refused.ended() == b"", "everybody else is in the middle of something"
        town.journal.release()
        for each in (busy, *waiting):
            assert (await each.reply()).status == 200
        town.journal.held = False
        assert (await (await town.call()).post(PREDICT, {"rows": [ROW]})).status == 200

    play(lambda town: town.serve_one(), scene, connections_limit=5)
