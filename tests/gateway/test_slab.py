"""A worker's cells: exact, readable by anybody at any moment, and its own again when it is started again."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headgate.gateway.metrics import Slab, SlabCollector, render
from headgate.gateway.metrics.counting import EndpointCount, Histogram
from headgate.gateway.metrics.families import FAMILIES, PASSING, Kind
from headgate.gateway.metrics.slab import read_slab

WHERE = {"project": "default", "endpoint": "e"}


def cells(path: Path) -> dict[tuple[str, str, str], float]:
    return {(each.key[0], each.key[1], dict(each.key[2]).get("reason", "")): each.value for each in read_slab(path)}


def test_a_worker_started_again_counts_on_and_its_gauges_begin_at_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "w0.slab"
    first = Slab(path)
    first.values[first.cell("headgate_rejected_total", reason="json", **WHERE)] += 5
    first.values[first.cell("headgate_in_flight", **WHERE)] = 7
    first.values[first.cell("headgate_traffic_weight", version="m:1", **WHERE)] = 0.5
    first.close()
    again = Slab(path)
    assert cells(path)["headgate_rejected_total", "", "json"] == 5
    assert cells(path)["headgate_in_flight", "", ""] == 0
    assert cells(path)["headgate_traffic_weight", "", ""] == 0
    again.values[again.cell("headgate_rejected_total", reason="json", **WHERE)] += 1
    assert cells(path)["headgate_rejected_total", "", "json"] == 6
    again.close()


def test_labels_in_any_order_are_one_cell(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    one = slab.cell("headgate_rejected_total", project="p", endpoint="e", reason="r")
    two = slab.cell("headgate_rejected_total", reason="r", endpoint="e", project="p")
    assert one == two
    assert slab.cell("headgate_rejected_total", project="p", endpoint="e", reason="other") != one
    slab.close()


def test_a_dead_workers_gauges_are_passed_over_and_its_counts_are_not(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    slab = Slab(path)
    slab.values[slab.cell("headgate_rejected_total", reason="json", **WHERE)] += 2
    slab.values[slab.cell("headgate_in_flight", **WHERE)] = 3
    slab.close()
    assert cells(path)["headgate_in_flight", "", ""] == 3
    data = bytearray(path.read_bytes())
    magic, _, began, entries = struct.unpack_from("<8sQQQ", data)
    for pid, start in ((2**22 + 1, began), (os.getpid(), began + 1)):  # nobody; or somebody else under its number
        struct.pack_into("<8sQQQ", data, 0, magic, pid, start, entries)
        path.write_bytes(data)
        found = cells(path)
        assert ("headgate_in_flight", "", "") not in found
        assert found["headgate_rejected_total", "", "json"] == 2


def test_what_is_no_slab_has_no_samples(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    assert list(read_slab(path)) == []
    for content in (b"", b"HGSLAB1\0", b"x" * 5_000_000):
        path.write_bytes(content)
        assert list(read_slab(path)) == []
    Slab(path).close()  # it becomes one: the worker's name is the file's
    assert cells(path) == {("headgate_metrics_dropped_total", "", ""): 0.0}


def test_a_metric_of_a_newer_release_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    slab = Slab(path)
    slab.cell("headgate_rejected_total", reason="json", **WHERE)
    slab.close()
    data = path.read_bytes().replace(b"headgate_rejected_total", b"headgate_rejected_totem")
    path.write_bytes(data)
    assert SlabCollector(tmp_path).collect() != []
    assert not any(name == "headgate_rejected_totem" for name, _, _ in cells(path))


PAGE, ENTRY = 4096, 256


@pytest.mark.parametrize("damage", [b"\0" * ENTRY, b"\xff" * ENTRY, b"\0" * 8 + struct.pack("<H", 6) + b'["new"'])
def test_a_torn_page_costs_its_own_counts_and_no_start(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "w0.slab"
    slab = Slab(path)
    for reason in ("first", "torn", "last"):
        slab.values[slab.cell("headgate_rejected_total", reason=reason, **WHERE)] += 4
    slab.close()
    data = bytearray(path.read_bytes())
    data[PAGE + 2 * ENTRY : PAGE + 2 * ENTRY + len(damage)] = damage
    path.write_bytes(data)
    kept = {("headgate_rejected_total", "", "first"): 4.0, ("headgate_rejected_total", "", "last"): 4.0}
    assert kept.items() <= cells(path).items()
    again = Slab(path)
    for reason in ("last", "torn", "fresh"):
        again.values[again.cell("headgate_rejected_total", reason=reason, **WHERE)] += 1
    found = cells(path)
    assert [found["headgate_rejected_total", "", each] for each in ("first", "torn", "last", "fresh")] == [4, 1, 5, 1]
    again.close()


def test_a_worker_starts_over_a_slab_of_another_release(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    slab = Slab(path)
    slab.values[slab.cell("headgate_in_flight", **WHERE)] = 3
    slab.values[slab.cell("headgate_rejected_total", reason="json", **WHERE)] = 3
    slab.close()
    path.write_bytes(path.read_bytes().replace(b"headgate_in_flight", b"headgate_in_fright"))
    again = Slab(path)
    again.values[again.cell("headgate_in_flight", **WHERE)] = 1
    assert cells(path)["headgate_in_flight", "", ""] == 1
    assert cells(path)["headgate_rejected_total", "", "json"] == 3
    again.close()


def test_a_header_that_lies_about_its_entries_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    Slab(path).close()
    data = bytearray(path.read_bytes())
    data[24:32] = (2**40).to_bytes(8, "little")
    path.write_bytes(data)
    assert list(cells(path).values()) == [0.0]
    Slab(path).close()


def test_a_name_too_long_for_its_cell_is_counted_as_dropped(tmp_path: Path) -> None:
    path = tmp_path / "w0.slab"
    slab = Slab(path)
    spill = slab.cell("headgate_metrics_dropped_total")
    assert slab.cell("headgate_rejected_total", reason="x" * 300, **WHERE) == spill
    slab.values[spill] += 1
    assert cells(path)["headgate_metrics_dropped_total", "", ""] == 1
    slab.close()


LATENCIES = st.lists(st.floats(0, 20) | st.sampled_from(FAMILIES["headgate_request_duration_seconds"].buckets))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(values=LATENCIES)
def test_a_histogram_counts_each_value_in_every_bucket_it_fits(tmp_path: Path, values: list[float]) -> None:
    (tmp_path / "w0.slab").unlink(missing_ok=True)
    slab = Slab(tmp_path / "w0.slab")
    histogram = Histogram(slab, "headgate_request_duration_seconds", **WHERE)
    for each in values:
        histogram.observe(each)
    samples = {
        (each.name, each.labels.get("le", "")): each.value
        for family in SlabCollector(tmp_path).collect()
        for each in family.samples
    }
    for bound in FAMILIES["headgate_request_duration_seconds"].buckets:
        expected = sum(each <= bound for each in values)
        assert samples["headgate_request_duration_seconds_bucket", str(bound)] == expected
    assert samples["headgate_request_duration_seconds_bucket", "+Inf"] == len(values)
    assert samples["headgate_request_duration_seconds_count", ""] == len(values)
    assert samples["headgate_request_duration_seconds_sum", ""] == pytest.approx(sum(values))
    slab.close()


@pytest.mark.parametrize("kind", Kind)
def test_workers_become_one_as_their_kind_says(tmp_path: Path, kind: Kind) -> None:
    family = {
        Kind.COUNTER: "headgate_unjournalled_total",
        Kind.GAUGE: "headgate_in_flight",
        Kind.STATE: "headgate_traffic_revision",
        Kind.FIGURE: "headgate_label_coverage_ratio",
        Kind.HISTOGRAM: "headgate_request_duration_seconds",
    }[kind]
    slabs = [Slab(tmp_path / f"w{at}.slab") for at in range(2)]
    for number, slab in zip((2.0, 5.0), slabs, strict=True):
        if kind is Kind.HISTOGRAM:
            Histogram(slab, family, **WHERE).observe(number)
        else:
            slab.values[slab.cell(family, **WHERE)] = number
    page = render(tmp_path).decode()
    labels = '{endpoint="e",project="default"}'
    expected = {
        Kind.COUNTER: f"{family}{labels} 7.0",
        Kind.GAUGE: f"{family}{labels} 7.0",
        Kind.STATE: f"{family}{labels} 5.0",
        Kind.FIGURE: f"{family}{labels} 5.0",
        Kind.HISTOGRAM: f"{family}_sum{labels} 7.0",
    }
    assert expected[kind] in page.splitlines()
    typed = "gauge" if kind in PASSING else kind.value
    assert any(line.startswith("# TYPE") and line.endswith(f" {typed}") for line in page.splitlines())
    for slab in slabs:
        slab.close()


def test_what_a_gateway_counts_of_one_endpoint(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    count = EndpointCount(slab, "default", "e")
    version = count.version("m:1")
    assert count.version("m:1") is version
    version.ran("live", 3, 2000, 0)
    version.ran("live", 1, 1000, 0)
    version.ran("canary", 5, 0, 0)
    version.fell_back("late", 2)
    version.fell_back("failed", 4)
    version.loaded("sha256:1", loaded=True)
    version.weighs(0.25)
    count.labelled("human", 3)
    count.unjournalled(2)
    count.obeys(9)
    lines = set(render(tmp_path).decode().splitlines())
    which = 'endpoint="e",project="default"'
    assert {
        f'headgate_predictions_total{{{which},role="live",version="m:1"}} 4.0',
        f'headgate_predictions_total{{{which},role="canary",version="m:1"}} 5.0',
        f'headgate_fallbacks_total{{{which},reason="late",version="m:1"}} 2.0',
        f'headgate_fallbacks_total{{{which},reason="failed",version="m:1"}} 4.0',
        f'headgate_model_info{{digest="sha256:1",{which},version="m:1"}} 1.0',
        f'headgate_traffic_weight{{{which},version="m:1"}} 0.25',
        f'headgate_labels_total{{{which},source="human"}} 3.0',
        f"headgate_unjournalled_total{{{which}}} 2.0",
        f"headgate_traffic_revision{{{which}}} 9.0",
        f'headgate_inference_duration_seconds_sum{{{which},version="m:1"}} 0.003',
        'headgate_batch_size_bucket{endpoint="e",le="4.0",project="default",version="m:1"} 2.0',
    } <= lines
    version.loaded("sha256:1", loaded=False)
    assert f'headgate_model_info{{digest="sha256:1",{which},version="m:1"}} 0.0' in render(tmp_path).decode()
    slab.close()


def test_a_field_name_of_any_length_is_counted_as_other(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w0.slab")
    count = EndpointCount(slab, "default", "e")
    for name in ("x" * 64, "x" * 65, "x" * 65):
        count.violated(name, "unknown")
    lines = render(tmp_path).decode()
    assert f'field="{"x" * 64}"' in lines
    assert 'field="other",project="default",rule="unknown"} 2.0' in lines
    slab.close()
