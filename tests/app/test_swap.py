"""A swap is invisible: no request fails, no answer is lost, memory comes back to where it was.

How long callers wait meanwhile is `benchmarks.swap`'s to measure.
"""

import time
from pathlib import Path

import pytest

from headgate.app.workers import loading_lock
from headgate.store import atomic
from headgate.store.reports import FileReports
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

PREDICT = "/v1/endpoints/late/predict"
SWAPS = 12
ALLOWED_MB_PER_SWAP = 0.5
"""Each version is another model file, so that allocators keep some crumbs; a model that stayed would cost far more."""


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def swap(installation: Installation, number: int) -> None:
    """Publishes another live version and waits until every worker obeys."""
    installation.serve("late", {installation.linear(bias=number / 8): 1.0})
    installation.settled()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_swap_is_invisible_to_callers_and_to_memory(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", ack="buffered") as installation:
        installation.serve("late", {installation.linear(): 1.0})
        installation.start()
        with Callers(installation.port, "late", connections=4, requests=1_000_000, seconds=250) as callers:
            for number in range(1, 4):  # what is imported and allocated once
                swap(installation, number)
            gateway = installation.processes()["gateway 0"]
            before = resident_mb(gateway)
            for number in range(4, 4 + SWAPS):
                time.sleep(0.5)
                swap(installation, number)
            grown = resident_mb(gateway) - before
        promised = callers.finish()
    assert promised.problems == []
    assert promised.statuses.keys() == {200}
    assert promised.asked > 2000
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
