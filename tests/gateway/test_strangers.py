"""What nobody will read is not received: strangers, and bodies to doors without one, are refused by the head."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.gateway.test_connection import Talk
from tests.gateway.test_permits import NATIVE, PREDICT, a_key, bearer, serving

from headgate.gateway.http import connection

HUGE = 4 * 1024 * 1024
"""A body within the limit."""


async def head_of(town: Any, path: str, *headers: str, method: str = "POST") -> Any:
    """A caller that has sent the head of a large request and nothing of its body."""
    caller = await town.call()
    caller.writer.write("\r\n".join([f"{method} {path} HTTP/1.1", "Host: t", *headers, "", ""]).encode())
    return caller


async def pour(caller: Any) -> None:
    """Send 64 MiB."""
    for _ in range(4096):
        caller.writer.write(bytes(16 * 1024))
        await caller.writer.drain()


async def refused(caller: Any) -> Any:
    async with asyncio.timeout(5):
        reply = await caller.reply()
        assert reply.headers["connection"] == "close"
        assert await caller.ended() == b"", "one answer, and no word to go on before it"
        return reply


@pytest.mark.parametrize("size", [f"Content-Length: {HUGE}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("patient", [(), ("Expect: 100-continue",)], ids=["plain", "patient"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        (PREDICT, "error"),
        ("/v1/endpoints/e/labels", "error"),
        ("/v2/models/e/infer", "error"),
        ("/invocations", "error_code"),
        ("/v1/models/e:predict", "error"),
        ("/v2/repository/models/e/unload", "error"),
    ],
)
def test_a_stranger_is_refused_before_its_body_comes(
    play: Any, path: str, says: str, patient: tuple[str, ...], size: str
) -> None:
    key, _ = a_key("predict")

    async def scene(town: Any) -> None:
        for shown in ((), ("Authorization: Bearer hg_nothing",), ("Authorization: Basic eDp5",)):
            reply = await refused(await head_of(town, path, size, *patient, *shown))
            assert (reply.status, reply.headers["www-authenticate"][:6]) == (401, "Bearer")
            assert says in reply.json
        assert town.journal.blocks == []

    play(serving(key), scene)


def test_one_whose_key_allows_less_is_refused_as_early(play: Any) -> None:
    key, text = a_key("label")

    async def scene(town: Any) -> None:
        reply = await refused(await head_of(town, PREDICT, f"Content-Length: {HUGE}", bearer(text)))
        assert reply.status == 403

    play(serving(key), scene)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/nowhere", 404), ("POST", "/livez", 405), ("GET", "/livez", 413), ("GET", PREDICT, 405)],
)
def test_a_body_for_no_door_is_not_waited_for(play: Any, method: str, path: str, status: int) -> None:
    async def scene(town: Any) -> None:
        for patient in ((), ("Expect: 100-continue",)):
            reply = await refused(await head_of(town, path, f"Content-Length: {HUGE}", *patient, method=method))
            assert reply.status == status

    play(lambda town: town.serve_one(), scene)


def test_who_may_call_is_told_to_go_on_and_answered(play: Any) -> None:
    key, text = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await head_of(town, PREDICT, f"Content-Length: {len(NATIVE)}", bearer(text), "Expect: 100-continue")
        assert await caller.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for at in range(0, len(NATIVE), 7):
            caller.writer.write(NATIVE[at : at + 7])
            await caller.writer.drain()
        assert (await caller.reply()).status == 200
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200

    play(serving(key), scene)


def test_a_small_refusal_leaves_the_connection_as_it_was(play: Any) -> None:
    key, text = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await town.call()
        assert (await caller.ask("POST", PREDICT, NATIVE)).status == 401
        assert (await caller.ask("POST", PREDICT, NATIVE, bearer(text))).status == 200

    play(serving(key), scene)


def test_a_stranger_who_sends_its_body_all_the_same_finds_the_refusal_and_then_the_end(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LINGER_LIMIT", 256 * 1024)
    key, _ = a_key("predict")

    async def scene(town: Any) -> None:
        caller = await head_of(town, PREDICT, f"Content-Length: {HUGE}")
        reply = await caller.reply()
        assert reply.status == 401
        with pytest.raises(ConnectionError):
            await pour(caller)  # thrown away for a while, then no longer taken

    play(serving(key), scene)


def test_a_key_behind_the_body_is_none(play: Any) -> None:
    """Trailers come unasked: whoever strips or checks headers in front of us does not see them."""
    key, text = a_key("predict")
    chunks = b"%x\r\n%b\r\n0\r\nAuthorization: Bearer %b\r\n\r\n" % (len(NATIVE), NATIVE, text.encode())

    async def scene(town: Any) -> None:
        caller = await head_of(town, PREDICT, "Transfer-Encoding: chunked")
        caller.writer.write(chunks)
        assert (await caller.reply()).status == 401
        whole = await town.call()
        whole.writer.write(b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%b" % (PREDICT.encode(), chunks))
        assert (await whole.reply()).status == 401

    play(serving(key), scene)


def turned(talk: Talk, away: Callable[[Any], bool]) -> Talk:
    talk.wire.turn_away = away
    return talk


def test_a_refusal_waits_its_turn_behind_what_was_asked_before() -> None:
    def away(exchange: Any) -> bool:
        exchange.reply(b"<away>")
        return True

    talk = turned(Talk(), away)
    talk.hear(b"GET /a HTTP/1.1\r\n\r\n", b"POST /b HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    assert talk.line.said == b""
    talk.asked[0].reply(b"<a>")
    assert talk.line.said == b"<a><away>"
    assert talk.line.ended


def test_who_is_not_turned_away_is_looked_at_once() -> None:
    seen: list[Any] = []

    def stay(exchange: Any) -> bool:
        seen.append(exchange)
        return False

    talk = turned(Talk(), stay)
    talk.hear(b"POST /b HTTP/1.1\r\nContent-Length: 9\r\n\r\n", b"123", b"456")
    assert (len(seen), seen[0].head.target, seen[0].head.length) == (1, b"/b", 9)
    talk.hear(b"789POST /c HTTP/1.1\r\nContent-Length: 1\r\n\r\n")
    assert [each.head.target for each in seen] == [b"/b", b"/c"]
    assert [each.body for each in talk.asked] == [b"123456789"]


def test_what_was_refused_early_is_counted_once(play: Any) -> None:
    key, _ = a_key("predict")

    async def scene(town: Any) -> None:
        await refused(await head_of(town, PREDICT, f"Content-Length: {HUGE}"))
        cell = town.slab.cell("headgate_denied_total", reason="Unauthenticated")
        assert town.slab.values[cell] == 1.0
        assert town.journal.blocks == []

    play(serving(key), scene)
