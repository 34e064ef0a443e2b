"""A swap is invisible: no failed request, p99 while loading at most twice the steady one, memory back where it was."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from headgate.app.workers import loading_lock
from headgate.store import atomic
from headgate.store.reports import FileReports
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

CALLERS = 4
PREDICT = "/v1/endpoints/late/predict"
SWAPS = 12
ALLOWED_MB_PER_SWAP = 0.5
"""Each version is another model file, so that allocators keep some crumbs; a model that stayed would cost far more."""
FLOOR_MS = 2.0
"""p99 under this is the scheduler of two shared cores, not the swap."""


@dataclass
class Watch:
    """Callers that time every answer, each on a kept connection."""

    port: int
    times: list[tuple[float, float]] = field(default_factory=list)
    """(moment asked, milliseconds)."""
    failures: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.is_set():
            began = time.perf_counter()
            connection.request("POST", "/v1/endpoints/late/predict", b'{"rows": [{"f0": 0.5, "f1": 0.5}]}')
            reply = connection.getresponse()
            reply.read()
            self.times.append((began, (time.perf_counter() - began) * 1e3))
            if reply.status != 200:
                self.failures.append(reply.status)
        connection.close()

    def p99(self, start: float, end: float) -> float:
        return float(np.quantile([ms for at, ms in self.times if start <= at < end], 0.99))


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def swap(installation: Installation, number: int) -> tuple[float, float]:
    """Publishes another live version and waits until every worker obeys; the moments around it."""
    version = installation.linear(bias=number / 8)
    began = time.perf_counter()
    installation.serve("late", {version: 1.0})
    installation.settled()
    return began, time.perf_counter()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_swap_is_invisible_to_callers_and_to_memory(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", ack="buffered") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        watch = Watch(installation.port)
        threads = [threading.Thread(target=watch.run) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, 4):  # what is imported and allocated once
                swap(installation, number)
            gateway = installation.processes()["gateway 0"]
            before, steady, loading = resident_mb(gateway), [], []
            for number in range(4, 4 + SWAPS):
                quiet = time.perf_counter()
                installation.until(lambda since=quiet: time.perf_counter() - since > 1.0, "a quiet second")  # type: ignore[misc]
                steady.append(watch.p99(quiet, time.perf_counter()))
                loading.append(watch.p99(*swap(installation, number)))
            grown = resident_mb(gateway) - before
        finally:
            watch.over.set()
            for thread in threads:
                thread.join()
    assert watch.failures == []
    assert len(watch.times) > 2000
    allowed = max(FLOOR_MS, 2 * float(np.median(steady)))
    assert float(np.median(loading)) <= allowed, (
        f"steady {np.median(steady):.2f} ms, loading {np.median(loading):.2f} ms"
    )
    assert grown <= SWAPS * ALLOWED_MB_PER_SWAP, f"{grown:.1f} MB after {SWAPS} swaps"


def test_no_answer_is_lost_while_versions_come_and_go(tmp_path: Path) -> None:
    with Installation(tmp_path / "h") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        with Callers(installation.port, "late", connections=4, requests=100_000) as callers:
            for number in range(1, 4):
                swap(installation, number)
                wanted = callers.answered() + 50
                installation.until(lambda wanted=wanted: callers.answered() >= wanted, "callers go on")  # type: ignore[misc]
        promised = callers.finish()
    assert promised.problems == []
    assert promised.statuses.keys() == {200}
    assert {each.version for each in promised.predictions.values()} >= {"linear:1", "linear:4"}


def test_gateways_load_beside_live_traffic_one_after_the_other(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()

        def obeyed() -> set[int]:
            return {each["default/late"] for each in FileReports(installation.home.run / "workers").obeyed().values()}

        with atomic.locked(loading_lock(installation.home)):
            revision = installation.serve("late", {installation.linear(bias=1.0): 1.0})
            time.sleep(1.0)
            assert obeyed() == {revision - 1}, "somebody else has its turn"
            asked = {installation.post(PREDICT, b'{"rows": [{"f0": 0.5, "f1": 0.5}]}')[0] for _ in range(10)}
            assert asked == {200}, "the version before goes on answering"
        installation.settled()
        assert obeyed() == {revision}
