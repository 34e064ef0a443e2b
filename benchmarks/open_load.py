"""Requests at even moments, whatever comes back: the open loop. Run by `openloop.py` in a process of its own.

Every request has the moment at which it is due, and its latency counts from that moment, so that a server which keeps
its callers waiting cannot slow the questions down and look quick. One request at a time is on a connection; where no
connection is free at the moment, the request waits for one and the wait counts. The head and body to send come on
standard input; what happened goes to a file as arrays, a summary of this process to standard output.
"""

import argparse
import json
import os
import select
import socket
import sys
import time
from array import array
from collections import deque
from pathlib import Path
from typing import Final

import numpy as np

NAP_S: Final = 0.0001
"""How long it rests when nothing is due and nothing came: what a poll can wait is whole milliseconds."""
GRACE_S: Final = 5.0
"""How long the answers to the last requests are waited for."""
LOST: Final = 0
"""The status of a request that got no whole answer."""


class Load:
    """Connections to one port, and what became of every request."""

    def __init__(self, port: int, request: bytes, connections: int) -> None:
        self._request = request
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._free: deque[int] = deque()
        self._asked: dict[int, int] = {}
        self._parts: dict[int, bytes] = {}
        self._port = port
        for _ in range(connections):
            self._connect()

    def run(self, rate: float, seconds: float) -> dict[str, np.ndarray]:
        """Ask so often for so long; the arrays of what happened, by request."""
        total = int(rate * seconds)
        sent = array("d", bytes(8 * total))
        done = array("d", bytes(8 * total))
        status = array("h", bytes(2 * total))
        start, asked = time.monotonic() + 0.05, 0
        end = start + seconds + GRACE_S
        clock, free, on, request = time.monotonic, self._free, self._asked, self._request
        while asked < total or on:
            now = clock()
            if now > end:
                break
            due = min(total, int((now - start) * rate) + 1) if now >= start else 0
            while asked < due and free:
                number = free.popleft()
                sent[asked] = clock()
                on[number] = asked
                asked += 1
                if os.write(number, request) != len(request):
                    raise RuntimeError("a request did not fit into the socket's buffer")
            found = self._poll.poll(0)
            for number, _ in found:
                answer = self._read(number)
                if answer is not None:
                    place = on.pop(number)
                    done[place], status[place] = clock(), answer
            if not found and asked >= due:
                time.sleep(NAP_S)
        dues = start + np.arange(total) / rate
        return {"due": dues, "sent": np.array(sent), "done": np.array(done), "status": np.array(status)}

    def _connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        number = connection.fileno()
        self._sockets[number] = connection
        self._poll.register(number, select.EPOLLIN)
        self._free.append(number)

    def _read(self, number: int) -> int | None:
        """The status of the answer on a connection, None while it is not whole; a lost connection is replaced."""
        try:
            data = os.read(number, 65536)
        except ConnectionError:
            data = b""
        if not data:
            self._poll.unregister(number)
            self._sockets.pop(number).close()
            self._parts.pop(number, None)
            self._connect()
            return LOST if number in self._asked else None
        if number in self._parts:
            data = self._parts.pop(number) + data
        if not is_whole(data):
            self._parts[number] = data
            return None
        self._free.append(number)
        return int(data[9:12])


def is_whole(data: bytes) -> bool:
    """Whether `data` is a whole answer with a length.

    >>> is_whole(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}"), is_whole(b"HTTP/1.1 200 OK\\r\\n")
    (True, False)
    """
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = data.find(b"Content-Length: ", 0, head + 2) + 16
    return at >= 16 and len(data) == head + 4 + int(data[at : data.index(b"\r", at)])


def main() -> int:
    """Ask, write the arrays, print what it cost this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("rate", type=float, help="requests per second")
    parser.add_argument("seconds", type=float)
    parser.add_argument("out", type=Path, help="where the arrays go, as .npz")
    chosen = parser.parse_args()
    load = Load(chosen.port, sys.stdin.buffer.read(), chosen.connections)
    began, worked = time.perf_counter(), time.process_time()
    found = load.run(chosen.rate, chosen.seconds)
    share = (time.process_time() - worked) / (time.perf_counter() - began)
    np.savez(chosen.out, due=found["due"], sent=found["sent"], done=found["done"], status=found["status"])
    print(json.dumps({"share": share}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
