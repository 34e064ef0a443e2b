"""Counters that are exact, add up over workers and outlive them."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gateway.test_versions import Scripted

from headgate.gateway.metrics import Slab, SlabCollector, render
from headgate.gateway.metrics.counting import EndpointCount, MachineCount
from headgate.gateway.metrics.families import FAMILIES
from headgate.vocabulary import VERSION

PREDICT = "/v1/endpoints/e/predict"
ROW = {"f0": 0.1, "f1": 0.2, "f2": 0.3}


def value(folder: Path, sample: str, **labels: str) -> float:
    found = [
        each.value
        for family in SlabCollector(folder).collect()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    return sum(found)


COUNT_AND_DIE = """
import os, pathlib, signal, sys
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import EndpointCount
count = EndpointCount(Slab(pathlib.Path(sys.argv[1])), "default", "e")
for _ in range(1000):
    count.replied("native", 200, 0.003)
count.in_flight(7)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_counts_survive_sigkill_add_up_and_go_on(tmp_path: Path) -> None:
    for _ in range(2):  # started again under its old name, a worker goes on counting
        worker = subprocess.run([sys.executable, "-c", COUNT_AND_DIE, tmp_path / "w0.slab"], timeout=60, check=False)
        assert worker.returncode == -signal.SIGKILL
    slab = Slab(tmp_path / "w1.slab")
    count = EndpointCount(slab, "default", "e")
    count.replied("native", 200, 0.2)
    count.in_flight(2)
    assert value(tmp_path, "headgate_requests_total", code="200", protocol="native") == 2001
    assert value(tmp_path, "headgate_request_duration_seconds_count") == 2001
    assert value(tmp_path, "headgate_request_duration_seconds_bucket", le="0.005") == 2000
    assert value(tmp_path, "headgate_in_flight") == 2  # a dead worker has nothing in flight
    slab.close()


def test_a_full_slab_says_what_it_lost(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    count = EndpointCount(slab, "default", "e")
    for i in range(5000):
        count.rejected(f"reason-{i}")
    assert value(tmp_path, "headgate_metrics_dropped_total") > 0
    assert value(tmp_path, "headgate_rejected_total") + value(tmp_path, "headgate_metrics_dropped_total") == 5000
    slab.close()


def test_invented_fields_do_not_fill_the_slab(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    count = EndpointCount(slab, "default", "e")
    for i in range(1000):
        count.violated(f"field-{i}", "unknown")
    assert value(tmp_path, "headgate_contract_violations_total", field="other") == 800
    assert value(tmp_path, "headgate_contract_violations_total") == 1000
    slab.close()


def test_a_file_that_is_no_slab_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "w0.slab").write_bytes(b"nonsense")
    assert SlabCollector(tmp_path).collect() == []


def test_a_gateway_counts_what_it_does(play: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        await caller.post(PREDICT, {"rows": [ROW, ROW, {"f0": 1}]})
        await caller.ask("POST", PREDICT, b"{")
        await caller.post("/v1/endpoints/e/labels", {"labels": [{"request_id": "r", "label": 1}]})
        folder = tmp_path / "metrics"
        assert value(folder, "headgate_requests_total", protocol="native", code="200") == 1
        assert value(folder, "headgate_requests_total", protocol="native", code="400") == 1
        assert value(folder, "headgate_predictions_total", version="m:1", role="live") == 2
        assert value(folder, "headgate_batch_size_sum", version="m:1") == 2
        assert value(folder, "headgate_contract_violations_total", field="f1", rule="missing") == 1
        assert value(folder, "headgate_rejected_total", reason="json") == 1
        assert value(folder, "headgate_labels_total", source="label") == 1
        assert value(folder, "headgate_traffic_weight", version="m:1") == 1
        assert value(folder, "headgate_model_info", version="m:1") == 1
        assert value(folder, "headgate_traffic_revision") == 1
        assert value(folder, "headgate_in_flight") == 0
        page = render(folder).decode()
        for name in ("headgate_requests_total", "headgate_batch_size_bucket", "headgate_model_info"):
            assert name in page
        assert json.dumps(sorted(FAMILIES)) == json.dumps(sorted(each.name for each in FAMILIES.values()))

    play(lambda town: town.serve_one(), scene)


def test_what_nobody_waits_for_any_more_is_not_in_flight(play: Any, tmp_path: Path) -> None:
    async def scene(town: Any) -> None:
        town.journal.held = True
        caller = await town.call()
        caller.send("POST", PREDICT, json.dumps({"rows": [ROW, ROW]}).encode())
        await _until(lambda: value(tmp_path / "metrics", "headgate_in_flight") == 2)
        assert (await caller.reply()).status == 504
        await _until(lambda: value(tmp_path / "metrics", "headgate_in_flight") == 0)
        town.journal.release()

    play(lambda town: town.serve_one(deadline_ms=400), scene)


def test_an_objective_is_a_metric_and_goes_with_the_file(play: Any, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"

    async def scene(town: Any) -> None:
        assert value(folder, "headgate_slo_latency_seconds", endpoint="e") == 0.05
        town.serve_one()
        await town.obeyed(2)
        assert value(folder, "headgate_slo_latency_seconds", endpoint="e") == 0

    play(lambda town: town.serve_one(latency_p99_ms=50.0), scene)


def test_a_label_by_id_tells_how_long_it_took(play: Any, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"

    async def scene(town: Any) -> None:
        caller = await town.call()
        first = (await caller.post(PREDICT, {"rows": [ROW]})).json["predictions"][0]["id"]
        await asyncio.sleep(0.02)
        labels = [{"id": first, "label": 1}, {"request_id": "r", "label": 0}]
        await caller.post("/v1/endpoints/e/labels", {"labels": labels})
        assert value(folder, "headgate_label_lag_seconds_count") == 1
        assert 0.015 < value(folder, "headgate_label_lag_seconds_sum") < 5

    play(lambda town: town.serve_one(), scene)


def test_waiting_for_a_busy_model_is_counted_while_and_after(play: Any, tmp_path: Path) -> None:
    gate, folder = asyncio.Event(), tmp_path / "metrics"

    def prepare(town: Any) -> None:
        town.placements[town.linear()] = Scripted(lambda _: gate.wait(), 0.0)
        town.serve_one()

    async def scene(town: Any) -> None:
        body = json.dumps({"rows": [ROW, ROW]}).encode()
        callers = [await town.call() for _ in range(3)]
        for caller in callers:
            caller.send("POST", PREDICT, body)
            await asyncio.sleep(0.02)  # the first is asked alone, and those after it wait
        await _until(lambda: value(folder, "headgate_queue_depth", version="m:1") == 4)
        await _until(lambda: value(folder, "headgate_in_flight") == 6)
        gate.set()
        for caller in callers:
            assert (await caller.reply()).status == 200
        await _until(lambda: value(folder, "headgate_queue_depth") == 0)
        assert value(folder, "headgate_queue_duration_seconds_count", version="m:1") == 2, (
            "those that waited share a call"
        )
        assert value(folder, "headgate_queue_duration_seconds_bucket", le="0.01") < 2
        assert value(folder, "headgate_batch_size_sum", version="m:1") == 6
        assert value(folder, "headgate_queue_limit") == 64

    play(prepare, scene, queue_rows=64)


def test_a_journal_that_cannot_be_written_is_seen_without_a_caller(play: Any, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"

    async def scene(town: Any) -> None:
        assert value(folder, "headgate_journal_unwritable") == 0
        town.journal.healthy = False
        await _until(lambda: value(folder, "headgate_journal_unwritable") == 1)
        town.journal.healthy = True
        await _until(lambda: value(folder, "headgate_journal_unwritable") == 0)

    play(lambda town: town.serve_one(), scene)


def test_the_parent_counts_deaths_and_looks_at_the_disk(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "supervisor.slab")
    count = MachineCount(slab, tmp_path)
    assert value(tmp_path, "headgate_process_deaths_total") == 0
    assert "headgate_process_deaths_total{" in render(tmp_path).decode()
    for name in ("gateway 0", "gateway 1", "host 0123456789ab", "controller"):
        count.died(name)
    count.look()
    assert value(tmp_path, "headgate_process_deaths_total", process="gateway") == 2
    assert value(tmp_path, "headgate_process_deaths_total") == 4
    assert value(tmp_path, "headgate_build_info", version=VERSION) == 1
    free, size = (value(tmp_path, f"headgate_disk_{each}_bytes") for each in ("free", "size"))
    assert 0 < free < size
    slab.close()


def test_a_parent_does_not_fall_over_a_disk_that_went_away(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "supervisor.slab")
    count = MachineCount(slab, tmp_path / "gone")
    count.look()
    count.died("something new")
    assert value(tmp_path, "headgate_disk_free_bytes") == 0
    assert value(tmp_path, "headgate_process_deaths_total", process="something") == 1
    slab.close()


def test_what_alerts_look_for_growth_of_is_counted_from_zero(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    EndpointCount(slab, "default", "e").version("m:1")
    page = render(tmp_path).decode()
    for name in ("headgate_unjournalled_total", "headgate_fallbacks_total", "headgate_rejected_total"):
        assert f"{name}{{" in page
    slab.close()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)
