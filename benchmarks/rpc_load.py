"""Calls to one gRPC server, as many in flight as told; run by `grpc.py` on a core of its own.

Prints calls per second, latencies and its own share of a processor as JSON.
"""

import argparse
import json
import sys
import threading
import time
from typing import Final

import grpc

CHANNELS: Final = 8
METHOD: Final = "/inference.GRPCInferenceService/ModelInfer"


class Load:
    """So many calls in flight, each followed by the next until the time is over."""

    def __init__(self, port: int, message: bytes, calls: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channels = [
            grpc.insecure_channel(f"127.0.0.1:{port}", options=options) for _ in range(min(CHANNELS, calls))
        ]
        self._ask = [each.unary_unary(METHOD) for each in self._channels]
        self._message, self._calls = message, calls
        self._lock, self._over = threading.Lock(), threading.Event()
        self._seconds: list[float] = []
        self._errors = 0

    def run(self, seconds: float) -> dict[str, float]:
        """What was found in that time."""
        for ask in self._ask:
            ask(self._message, wait_for_ready=True, timeout=30)
        began, busy = time.perf_counter(), time.process_time()
        self._end, self._live = began + seconds, self._calls
        for place in range(self._calls):
            self._next(place)
        self._over.wait(seconds + 60)
        elapsed = time.perf_counter() - began
        found = sorted(self._seconds)
        for each in self._channels:
            each.close()
        return {
            "rate": len(found) / elapsed,
            "p50_ms": found[len(found) // 2] * 1e3,
            "p99_ms": found[int(len(found) * 0.99)] * 1e3,
            "errors": self._errors,
            "calls": len(found),
            "share": (time.process_time() - busy) / elapsed,
        }

    def _next(self, place: int) -> None:
        began = time.perf_counter()
        call = self._ask[place % len(self._ask)].future(self._message)
        call.add_done_callback(lambda done: self._done(place, began, done))

    def _done(self, place: int, began: float, call: grpc.Future) -> None:
        now = time.perf_counter()
        with self._lock:
            self._seconds.append(now - began)
            self._errors += call.exception() is not None
            if now >= self._end:
                self._live -= 1
                if not self._live:
                    self._over.set()
                return
        self._next(place)


def main() -> int:
    """Ask for a while; the message comes on standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("calls", type=int)
    parser.add_argument("seconds", type=float)
    chosen = parser.parse_args()
    print(json.dumps(Load(chosen.port, sys.stdin.buffer.read(), chosen.calls).run(chosen.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
