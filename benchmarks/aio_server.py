"""The gateway of `headgate_server.py` with grpcio's coroutine server in place of its threaded one.

What docs/decisions/0012 decided against. Started by `rpc_servers.py`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc

from benchmarks import headgate_server
from headgate.gateway.doors.statuses import Status
from headgate.gateway.rpc.call import Door, Trailers

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class CoroutineCall:
    """A call with which a coroutine waits, as a Call of one answer."""

    certificate: Final = ""

    def __init__(self, method: str, message: bytes, context: Any) -> None:
        self.method, self.message, self._context = method, message, context
        left = context.time_remaining()
        self.deadline: float | None = None if left is None else time.time() + left
        self._end: asyncio.Future[tuple[Status, bytes, str, Trailers]] = asyncio.get_running_loop().create_future()
        self._left: Callable[[], object] = lambda: None

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        return dict(self._context.invocation_metadata() or ())

    def reply(self, message: bytes, trailers: Trailers = ()) -> None:
        self._ends(Status.OK, message, "", trailers)

    def refuse(self, status: Status, details: str, trailers: Trailers = ()) -> None:
        self._ends(status, b"", details, trailers)

    def say(self, message: bytes) -> bool:
        """Nothing is said before the answer: calls that stay open are not taken."""
        return False

    def until(self, left: Callable[[], None]) -> None:
        self._left = left

    async def answered(self, door: Door) -> bytes:
        """What the door has for the caller; a refusal ends the call."""
        door.open(self)
        try:
            status, message, details, trailers = await self._end
        except asyncio.CancelledError:
            self._left()
            raise
        if status is not Status.OK:
            await self._context.abort(_CODES[status.value], details, trailers)
        self._context.set_trailing_metadata(trailers)
        return message

    def _ends(self, status: Status, message: bytes, details: str, trailers: Trailers) -> None:
        if not self._end.done():  # else the caller has left
            self._end.set_result((status, message, details, trailers))


class CoroutineServer:
    """Listens on a port, in clear, for calls of one message and one answer, as Server has it."""

    def __init__(self, host: str, port: int, *, body_limit: int) -> None:
        self._address = f"{host}:{port}"
        self._options = (("grpc.max_receive_message_length", body_limit), ("grpc.max_send_message_length", -1))

    def start(self, door: Door) -> int:
        self._server = grpc.aio.server(options=self._options)
        services: dict[str, dict[str, Any]] = {}
        for path in door.methods - door.streaming:
            service, name = path[1:].rsplit("/", 1)
            services.setdefault(service, {})[name] = _handler(path, door)
        handlers = (grpc.method_handlers_generic_handler(*each) for each in services.items())
        self._server.add_generic_rpc_handlers(tuple(handlers))
        port = self._server.add_insecure_port(self._address)
        self._listening = asyncio.get_running_loop().create_task(self._server.start())
        return int(port)

    async def stop(self, seconds: float) -> None:
        await self._listening
        await self._server.stop(seconds)


def _handler(path: str, door: Door) -> Any:
    async def answered(message: bytes, context: Any) -> bytes:
        return await CoroutineCall(path, message, context).answered(door)

    return grpc.unary_unary_rpc_method_handler(answered)


if __name__ == "__main__":
    headgate_server.main(lambda port: CoroutineServer("127.0.0.1", port, body_limit=headgate_server.BODY_LIMIT))
