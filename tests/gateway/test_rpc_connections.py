"""gRPC's connections are bounded: there are so many at once, and those of which nothing comes are ended."""

import asyncio
from typing import Any

import pytest
from tests.gateway.test_rpc_calls import inferring, line, raw, refusal, serve

from headgate.gateway.rpc import grpcio
from headgate.gateway.rpc.door import RpcDoor
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.gateway.rpc.health import WATCH

LIMIT = 3
PATIENCE = 30.0
"""Seconds: a busy machine may keep a new connection waiting for some, and what is asked is that it ends at all."""
LONG = {"_HANDSHAKE_MS": 600_000, "_IDLE_MS": 600_000, "_ALIVE_MS": 600_000, "_ALIVE_ANSWER_MS": 600_000}
"""Limits that are not tried: none of them ends anything within that patience."""
ITS_OWN = [("grpc.use_local_subchannel_pool", 1)]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
"""Kinds of HTTP/2's frames."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One of HTTP/2's frames (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def watching() -> bytes:
    """A call that stays open: headers, none of them compressed (RFC 7541, section 6.2.2), and an empty message."""
    named = {
        ":method": "POST",
        ":scheme": "http",
        ":path": WATCH,
        ":authority": "test",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    headers = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in named.items()
    )
    return frame(HEADERS, 4, 1, headers) + frame(DATA, 1, 1, bytes(5))


async def connected(town: Any, says: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", town.gateway.grpc_port)
    writer.write(says)
    return reader, writer


async def is_let_in(town: Any) -> bool:
    """Whether a connection that says nothing hears the server's settings, rather than its end."""
    reader, writer = await connected(town)
    try:
        return await reader.read(9) != b""
    except ConnectionResetError:
        return False
    finally:
        writer.close()


def test_one_connection_too_many_is_closed_at_once(play: Any) -> None:
    async def scene(town: Any) -> None:
        kept = [await connected(town) for _ in range(LIMIT)]
        for reader, _ in kept:
            assert await reader.read(9) != b""
        assert not await is_let_in(town)
        async with line(town, options=ITS_OWN) as channel:
            assert (await refusal(inferring(channel)(raw(), timeout=PATIENCE))).code().name == "UNAVAILABLE"
        kept[0][1].close()
        async with asyncio.timeout(PATIENCE):
            while not await is_let_in(town):
                await asyncio.sleep(0.01)
        async with line(town, options=ITS_OWN) as channel:
            assert (await inferring(channel)(raw(), wait_for_ready=True, timeout=PATIENCE)).model_version == "m:1"
        for _, writer in kept[1:]:
            writer.close()

    rpc = ThreadedServer("127.0.0.1", 0, body_limit=1 << 20, connections_limit=LIMIT), RpcDoor
    play(serve, scene, rpc=rpc)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        pytest.param({"_HANDSHAKE_MS": 200}, b"", id="says nothing"),
        pytest.param({"_HANDSHAKE_MS": 200}, PREFACE[:10], id="says half a preface"),
        pytest.param({"_IDLE_MS": 200}, PREFACE + frame(SETTINGS, 0, 0), id="asks nothing"),
        pytest.param(
            {"_ALIVE_MS": 200, "_ALIVE_ANSWER_MS": 200},
            PREFACE + frame(SETTINGS, 0, 0) + watching(),
            id="answers no ping",
        ),
    ],
)
def test_a_connection_of_which_nothing_comes_is_ended(
    play_rpc: Any, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], says: bytes
) -> None:
    for name, value in (LONG | limits).items():
        monkeypatch.setattr(grpcio, name, value)

    async def scene(town: Any) -> None:
        reader, writer = await connected(town, says)
        async with asyncio.timeout(PATIENCE):
            await reader.read()
        writer.close()

    play_rpc(serve, scene)


def test_a_caller_that_is_gone_in_the_middle_of_a_call_is_noticed(
    play_rpc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpcio, "_ALIVE_MS", 200)
    monkeypatch.setattr(grpcio, "_ALIVE_ANSWER_MS", 200)

    async def scene(town: Any) -> None:
        reader, writer = await connected(town, PREFACE + frame(SETTINGS, 0, 0) + watching())
        async with asyncio.timeout(PATIENCE):
            kind = -1
            while kind != PING:
                head = await reader.readexactly(9)
                kind, said = head[3], await reader.readexactly(int.from_bytes(head[:3]))
            writer.write(frame(PING, 1, 0, said))
            await reader.read()
        writer.close()

    play_rpc(serve, scene)
