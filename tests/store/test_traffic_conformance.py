"""Traffic and reports keep the same promises in memory and in files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headgate.store.reports import FileReports
from headgate.store.trafficfiles import FileTraffic
from headgate.testing.conformance_traffic import REPORT_CHECKS, TRAFFIC_CHECKS, Open
from headgate.testing.memory import MemoryReports, MemoryTraffic
from headgate.traffic.ports import RevisionReports


@pytest.fixture(params=["memory", "files"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "files":
        return lambda: FileTraffic(tmp_path / "traffic")
    shared = MemoryTraffic()
    return lambda: shared


@pytest.fixture(params=["memory", "files"])
def reports(request: pytest.FixtureRequest, tmp_path: Path) -> RevisionReports:
    return FileReports(tmp_path / "reports") if request.param == "files" else MemoryReports()


@pytest.mark.parametrize("check", TRAFFIC_CHECKS, ids=lambda check: check.__name__)
def test_traffic(check: Callable[[Open], None], opened: Open) -> None:
    check(opened)


@pytest.mark.parametrize("check", REPORT_CHECKS, ids=lambda check: check.__name__)
def test_reports(check: Callable[[RevisionReports], None], reports: RevisionReports) -> None:
    check(reports)
