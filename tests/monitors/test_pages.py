"""Each number that monitoring shows has its paragraph: on a page of docs/monitoring, found from the one entrance."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.monitors.watch.rows import OUTPUT, VERSION

from headgate.evaluation.estimate import Estimate
from headgate.monitors.attribution.attribute import Attribution
from headgate.monitors.attribution.changepoint import ChangePoint
from headgate.monitors.attribution.courses import Course
from headgate.monitors.attribution.kinds import Drift, Remedy
from headgate.monitors.attribution.overlap import Checks
from headgate.monitors.comparison.comparison import compare
from headgate.monitors.comparison.sources import TableSource
from headgate.monitors.estimation.expectations import Source
from headgate.monitors.fairness.gaps import GAPS
from headgate.monitors.fairness.groups import Group
from headgate.monitors.fairness.signed import Signed
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.report import Monitored
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.text import as_text
from headgate.traffic.endpoint import EndpointSpec, Slo
from headgate.vocabulary import Micros

DOCS = Path(__file__).parents[2] / "docs"
ENTRANCE = (DOCS / "monitoring.md").read_text("utf-8")


def effects() -> set[str]:
    """The names of all sizes of a difference, of numbers and of categories."""
    table = pa.table({"km": np.arange(60.0), "kind": pa.array(["a", "b"] * 30).dictionary_encode()})
    return {name for each in compare(TableSource(table), TableSource(table)).columns for name in each.effects}


def columns() -> set[str]:
    """The heads of the table of days, but for those that are labels of its rows and names of metrics."""
    accuracy = {"accuracy": Estimate("accuracy", 0.8, 0.7, 0.9, 60)}
    day = Day(version=VERSION, start=Micros(0), figures=accuracy)
    shown = as_text(Monitored(project="default", endpoint="e", version="m:1", days=(day,), price_per_cpu_hour=1.0))
    [head] = [line for line in shown.splitlines() if line.startswith("day (UTC)")]
    return set(re.split(r" {2,}", head)) - {"day (UTC)", "version", "accuracy"}


def watching() -> set[str]:
    """The monitors of an endpoint that has all of them."""
    spec = EndpointSpec("flights", "flight", slo=Slo(latency_p99_ms=50.0))
    rows = pa.table({"km": np.arange(300.0)})
    return {each.name for each in roster(spec, VERSION, OUTPUT, None, rows)}


NAMES = {
    "alarms": {"RiskDrift", "InputDrift", "ScoreDrift"},
    "comparison": effects(),
    "diagnosis": {*Drift, *Remedy, *Course}
    | set(Checks.__struct_fields__) - {"failed"}
    | set(Attribution.__struct_fields__) - {"metric", "reference", "current"}
    | set(ChangePoint.__struct_fields__) - {"course"},
    "estimation": {*Source, "relation", "support", "calibration", "size", "selection"},
    "fairness": {*GAPS, *Signed.__struct_fields__} | set(Group.__struct_fields__) - {"name", "rows", "labelled"},
    "watch": watching(),
}


@pytest.mark.parametrize("page", NAMES)
def test_every_name_is_on_its_page(page: str) -> None:
    assert NAMES[page]
    text = (DOCS / "monitoring" / f"{page}.md").read_text("utf-8")
    assert {name for name in NAMES[page] if f"`{name}`" not in text} == set()


def test_every_column_of_the_table_of_days_has_its_line() -> None:
    text = (DOCS / "monitoring" / "watch.md").read_text("utf-8")
    lines = ", ".join(re.findall(r"^\* \*\*(.+?)\*\*", text, re.MULTILINE))
    assert {each.removesuffix(" ms") for each in columns()} - set(lines.replace(" ms", "").split(", ")) == set()


def test_the_entrance_leads_to_every_page_and_says_how_anything_stands() -> None:
    pages = {path.name for path in (DOCS / "monitoring").glob("*.md")}
    assert pages == set(re.findall(r"monitoring/(\w+\.md)", ENTRANCE))
    assert set(re.findall(r"^\| `(\w+)` \|", ENTRANCE, re.MULTILINE)) == set(Standing)


def test_every_anchor_is_a_heading() -> None:
    pages = [DOCS / "monitoring.md", *(DOCS / "monitoring").glob("*.md")]
    lost = []
    for page in pages:
        for path, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text("utf-8")):
            target = page if not path else page.parent / path
            heads = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            if anchor not in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}:
                lost.append(f"{page.name}: {path}#{anchor}")
    assert lost == []
