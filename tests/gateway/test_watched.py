"""Gauges of how endpoints stand: what is told, and that it is gone once it is told no more."""

from pathlib import Path

import msgspec
import pytest
from tests.monitors.watch.page.stood import LIVE, MONDAY, day, stood

from headgate.gateway.metrics import Slab, render
from headgate.gateway.metrics.families import FAMILIES, Kind
from headgate.gateway.metrics.watched import SHARED, MonitorCount, told
from headgate.monitors.standing import Standing
from headgate.monitors.watch.report import Line

WHERE = 'endpoint="flights"'


def samples(folder: Path) -> dict[str, float]:
    lines = [line for line in render(folder).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_how_monitors_stand_and_what_the_last_days_came_to_is_told(tmp_path: Path) -> None:
    with MonitorCount(tmp_path) as count:
        count.stands(stood(price_per_cpu_hour=9.0))
        found = samples(tmp_path)
    where = f'{WHERE},monitor="errors",project="default"'
    assert found[f'headgate_monitor_standing{{{where},standing="alarm"}}'] == 1.0
    assert found[f'headgate_monitor_standing{{{where},standing="steady"}}'] == 0.0
    assert found[f'headgate_label_coverage_ratio{{{WHERE},project="default"}}'] == pytest.approx(0.9, abs=0.001)
    assert found[f'headgate_watched_until_timestamp_seconds{{{WHERE},project="default"}}'] == MONDAY / 1e6 + 10 * 86400
    assert found[f'headgate_measured_metric{{bound="low",{WHERE},metric="auc",project="default"}}'] == pytest.approx(
        0.7
    )
    assert found[f'headgate_evaluated_metric{{{WHERE},metric="auc",project="default"}}'] == 0.81
    assert found[f'headgate_answer_model_seconds{{{WHERE},project="default"}}'] == pytest.approx(0.0004)
    assert found[f'headgate_answer_cost{{{WHERE},project="default"}}'] == pytest.approx(1e-6)
    assert not any("brier" in name or "f1" in name for name in found), "what has no value is not told"
    assert found["headgate_metrics_dropped_total"] == 0.0


def test_only_who_is_in_charge_is_told_of() -> None:
    assert not [each for each in told(stood(version="flight:9")) if each[0] == "headgate_measured_metric"]


def test_what_is_told_no_more_is_gone(tmp_path: Path) -> None:
    with MonitorCount(tmp_path) as count:
        count.stands(stood())
        unlabelled = stood(days=(day(LIVE, 0, 100, labelled=False),), monitors=stood().monitors[:1], reference={})
        count.stands(unlabelled)
        found = samples(tmp_path)
    monitors = {name for name in found if name.startswith("headgate_monitor_standing")}
    assert len(monitors) == len(Standing)
    assert not [name for name in found if "metric=" in name or "coverage" in name]


def test_a_controller_that_begins_anew_tells_nothing_it_has_not_seen(tmp_path: Path) -> None:
    with MonitorCount(tmp_path) as count:
        count.stands(stood())
    with MonitorCount(tmp_path) as count:
        count.stands(stood(endpoint="others"))
        assert not [name for name in samples(tmp_path) if WHERE in name]


def test_many_endpoints_find_room(tmp_path: Path) -> None:
    monitors = tuple(Line(f"monitor-{at}", stood().monitors[0].says) for at in range(16))
    with MonitorCount(tmp_path) as count:
        for number in range(SHARED + 1):
            count.stands(stood(endpoint=f"e{number}", monitors=monitors))
        found = samples(tmp_path)
    assert found["headgate_metrics_dropped_total"] == 0.0
    assert sum(name.startswith("headgate_monitor_standing") for name in found) == (SHARED + 1) * 16 * len(Standing)
    assert len(list(tmp_path.glob("*.slab"))) == 2


def test_what_finds_no_room_is_counted_and_overwrites_nothing(tmp_path: Path) -> None:
    slab = Slab(tmp_path / "w.slab")
    assert slab.put(0.5, "headgate_label_coverage_ratio", project="default", endpoint="e" * 300) is None
    assert samples(tmp_path) == {"headgate_metrics_dropped_total": 1.0}
    slab.close()


def test_everything_that_is_told_is_a_family_with_these_labels() -> None:
    for name, _, labels in told(stood(price_per_cpu_hour=1.0)):
        assert FAMILIES[name].kind is Kind.FIGURE
        assert set(FAMILIES[name].labels) == {"project", "endpoint", *labels}


def test_of_a_day_without_answers_nothing_is_said_of_time() -> None:
    idle = msgspec.structs.replace(day(LIVE, 0, 10, labelled=False), answered=0)
    assert not [each for each in told(stood(days=(idle,))) if "answer" in each[0]]
