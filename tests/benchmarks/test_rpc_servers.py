"""Both servers that are compared lead calls to a gateway's door alike, and the one that was chosen is held to it."""

import asyncio
from collections.abc import Callable, Mapping

import grpc
import pytest
from benchmarks.aio_server import CoroutineServer
from benchmarks.rpc import Row

from benchmarks import rpc_servers
from headgate.gateway.doors.statuses import Status
from headgate.gateway.rpc.call import Call, Server
from headgate.gateway.rpc.grpcio import ThreadedServer

PATH = "/inference.Echo/Say"
TRAILERS = (("said-by", b"echo"),)


class Echo:
    """Says what it heard, but for what it does not like."""

    methods = frozenset({PATH})
    streaming: frozenset[str] = frozenset()
    unspoken: Mapping[str, str] = {}

    def open(self, call: Call) -> None:
        if call.message == b"no":
            call.refuse(Status.NOT_FOUND, "not this", TRAILERS)
        else:
            call.reply(call.message, TRAILERS)

    def close(self) -> None:
        """Nothing stays open."""


@pytest.mark.parametrize(
    "server_of",
    [
        lambda: ThreadedServer("127.0.0.1", 0, body_limit=1 << 20),
        lambda: CoroutineServer("127.0.0.1", 0, body_limit=1 << 20),
    ],
    ids=["threads", "coroutines"],
)
def test_both_servers_lead_calls_to_the_same_door(server_of: Callable[[], Server]) -> None:
    async def asked() -> None:
        server = server_of()
        port = server.start(Echo())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            say = channel.unary_unary(PATH)
            call = say(b"hello", wait_for_ready=True, timeout=10)
            assert await call == b"hello"
            assert ("said-by", "echo") in tuple(await call.trailing_metadata())
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await say(b"no")
            assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.NOT_FOUND, "not this")
        await server.stop(1.0)

    asyncio.run(asked())


def runs(name: str, rate: float, errors: int = 0) -> list[Row]:
    return [Row(name, rate, 1.0, 2.0, errors, 0.5, 0.9)] * 3


def test_the_server_that_was_chosen_must_answer_no_fewer_calls() -> None:
    rows = [*runs(rpc_servers.CHOSEN, 500.0), *runs(rpc_servers.OTHER, 500.0)]
    assert [each["ok"] for each in rpc_servers.gates(rows)] == [True, True]
    rows = [*runs(rpc_servers.CHOSEN, 499.0), *runs(rpc_servers.OTHER, 500.0, errors=1)]
    assert [each["ok"] for each in rpc_servers.gates(rows)] == [False, False]
