"""What the controller tells Prometheus of how endpoints stand: numbers that disappear once they are told no more."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from headgate.gateway.metrics.slab import Slab
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import Day
from headgate.monitors.watch.report import Monitored

SHARED: Final = 32
"""Endpoints that share a slab, so that each has room for 128 numbers."""
Told = tuple[str, float, dict[str, str]]
"""A family, a number and the labels beside project and endpoint."""


class MonitorCount:
    """The gauges of every endpoint's monitors; use it as a context, it holds files."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the slabs of the home's processes lie."""
        self._folder = folder
        self._slabs: list[Slab] = []
        self._mine: dict[tuple[str, str], Slab] = {}
        self._told: dict[tuple[str, str], set[int]] = {}

    def __enter__(self) -> "MonitorCount":
        return self

    def __exit__(self, *_: object) -> None:
        for slab in self._slabs:
            slab.close()

    def stands(self, found: Monitored) -> None:
        """An endpoint stands so; what was told of it before and is not told now is gone."""
        where = found.project, found.endpoint
        slab = self._slab(where)
        labels = {"project": found.project, "endpoint": found.endpoint}
        cells = {slab.put(number, family, **labels, **more) for family, number, more in told(found)}
        now = {each for each in cells if each is not None}
        for cell in self._told.get(where, set()) - now:
            slab.values[cell] = math.nan
        self._told[where] = now

    def _slab(self, where: tuple[str, str]) -> Slab:
        found = self._mine.get(where)
        if found is None:
            if len(self._mine) == SHARED * len(self._slabs):
                self._slabs.append(Slab(self._folder / f"monitors-{len(self._slabs)}.slab"))
            found = self._mine[where] = self._slabs[-1]
        return found


def told(found: Monitored) -> Iterator[Told]:
    """Everything that is told of an endpoint; what is not known is left out.

    >>> list(told(Monitored(project="default", endpoint="late", version="m:1")))
    []
    """
    for line in found.monitors:
        for each in Standing:
            labels = {"monitor": line.monitor, "standing": each.value}
            yield "headgate_monitor_standing", float(line.says.standing is each), labels
    hours, days = "headgate_watched_until_timestamp_seconds", "headgate_labelled_until_timestamp_seconds"
    for family, until in ((hours, found.until), (days, found.matured)):
        if until is not None:
            yield family, until / 1e6, {}
    yield from _days(found)
    for name, measured in found.reference.items():
        if measured.value is not None:
            yield "headgate_evaluated_metric", measured.value, {"metric": name}


def _days(found: Monitored) -> Iterator[Told]:
    """What the newest days of who is in charge came to: the last one that was looked at, and the last with labels."""
    mine = [day for day in found.days if day.version == found.version]
    if mine:
        yield from _cost(mine[-1], found.price_per_cpu_hour)
    labelled = [day for day in mine if day.due]
    if labelled:
        yield from _labels(labelled[-1])


def _cost(day: Day, price: float | None) -> Iterator[Told]:
    if day.model_s_per_thousand is not None:
        yield "headgate_answer_model_seconds", day.model_s_per_thousand / 1000, {}
    cost = None if price is None else day.cost_per_thousand(price)
    if cost is not None:
        yield "headgate_answer_cost", cost / 1000, {}


def _labels(day: Day) -> Iterator[Told]:
    yield "headgate_label_coverage_ratio", day.labelled / day.due, {}
    for name, each in day.figures.items():
        for bound, value in (("value", each.value), ("low", each.low), ("high", each.high)):
            if value is not None:
                yield "headgate_measured_metric", value, {"metric": name, "bound": bound}
