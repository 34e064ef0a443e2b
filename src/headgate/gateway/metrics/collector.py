"""All workers' slabs as one page for Prometheus, rendered in whichever process is scraped."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from headgate.gateway.metrics.families import FAMILIES, PASSING, Family, Kind
from headgate.gateway.metrics.slab import SUFFIX, read_slab

_Labels = tuple[tuple[str, str], ...]


class SlabCollector(Collector):
    """A prometheus_client collector over every slab in a folder, the dead workers' included.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [family.name for family in SlabCollector(Path(folder)).collect()]
    []
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """One family for every metric some worker has."""
        found: dict[str, dict[tuple[str, _Labels], float]] = {}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            for sample in read_slab(path):
                name, suffix, labels = sample.key
                cells = found.setdefault(name, {})
                before = cells.get((suffix, labels))
                cells[suffix, labels] = _together(FAMILIES[name].kind, before, sample.value)
        return [_family(FAMILIES[name], cells) for name, cells in sorted(found.items())]


def render(folder: Path) -> bytes:
    """The page ``/metrics`` shows for the slabs in `folder`, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SlabCollector(folder))
    return generate_latest(registry)


def _together(kind: Kind, before: float | None, value: float) -> float:
    if before is None:
        return value
    return max(before, value) if kind in (Kind.STATE, Kind.FIGURE) else before + value


def _family(family: Family, cells: dict[tuple[str, _Labels], float]) -> Metric:
    kind = "gauge" if family.kind in PASSING else family.kind.value
    name = family.name.removesuffix("_total") if family.kind is Kind.COUNTER else family.name
    metric = Metric(name, family.says, kind)
    if family.kind is not Kind.HISTOGRAM:
        for (_, labels), value in sorted(cells.items()):
            metric.add_sample(family.name, dict(labels), value)
        return metric
    for labels in sorted({labels for _, labels in cells}):
        count = 0.0
        for bound in (*family.buckets, None):
            suffix = "+Inf" if bound is None else str(bound)
            count += cells.get((suffix, labels), 0.0)
            metric.add_sample(f"{family.name}_bucket", {**dict(labels), "le": suffix}, count)
        metric.add_sample(f"{family.name}_count", dict(labels), count)
        metric.add_sample(f"{family.name}_sum", dict(labels), cells.get(("sum", labels), 0.0))
    return metric
