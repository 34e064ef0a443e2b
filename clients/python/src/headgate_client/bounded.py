"""Connections whose every wait ends with the attempt it serves; for the client without an event loop.

A timeout of a blocking read starts again with each piece that comes, so a server that sends a byte now and then would
hold a caller far beyond its deadline. Here each read, write and connect asks what is left of the attempt's time.
"""

import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore2

from headgate_client.attempts import Attempts

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Bounds(threading.local):
    """Which attempt the calling thread is at; a connection works for one thread at a time."""

    attempts: Attempts[Any] | None = None

    def left(self, timeout: float | None) -> float | None:
        """Seconds a step may take; raises ReadTimeout when there are none."""
        if self.attempts is None:
            return timeout
        left = self.attempts.patience
        if left <= 0:
            raise httpcore2.ReadTimeout("the attempt had its time")
        return left


class BoundedBackend(httpcore2.SyncBackend):
    """Opens bounded connections."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self._bounds = bounds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection, within what is left."""
        stream = super().connect_tcp(host, port, self._bounds.left(timeout), local_address, socket_options)
        return _BoundedStream(stream, self._bounds)


class _BoundedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, bounds: Bounds) -> None:
        self._stream = stream
        self._bounds = bounds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._bounds.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._bounds.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, self._bounds.left(timeout))
        return _BoundedStream(inner, self._bounds)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
