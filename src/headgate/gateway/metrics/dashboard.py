"""A Grafana dashboard of the metrics a Headgate keeps; ``headgate metrics dashboard`` prints it.

Panels that answer a question are written down here; every family none of them shows gets one made from its kind, so
that a new metric is on the dashboard as soon as it exists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from headgate.gateway.metrics.families import FAMILIES, Family, Kind

_CHOSEN: Final = 'project=~"$project",endpoint=~"$endpoint"'
_FAILED: Final = ',code=~"5.."'
_ON: Final = 'instance=~"$instance"'
_NAME: Final = re.compile(r"headgate_[a-z0-9_]+")
_SUFFIXES: Final = ("_bucket", "_count", "_sum")
_WIDTH, _HEIGHT, _ACROSS = 8, 8, 3
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_UNITS: Final = {"seconds": "s", "bytes": "bytes"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph: its title, the unit Grafana shows and (query, legend) pairs."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    says: str = ""


def _rate(name: str, by: str, more: str = "", chosen: str = _CHOSEN) -> str:
    return f"sum by ({by}) (rate({name}{{{chosen}{more}}}[$__rate_interval]))"


def _quantile(q: float, name: str, by: str, chosen: str = _CHOSEN) -> str:
    return f"histogram_quantile({q}, {_rate(f'{name}_bucket', f'{by}, le', chosen=chosen)})"


def _mean(name: str, by: str) -> str:
    return f"{_rate(f'{name}_sum', by)} / {_rate(f'{name}_count', by)}"


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Traffic",
        (
            Panel(
                "Rows answered", "rowsps",
                ((_rate("headgate_predictions_total", "version, role"), "{{version}} {{role}}"),),
            ),
            Panel("Replies", "reqps", ((_rate("headgate_requests_total", "endpoint, code"), "{{endpoint}} {{code}}"),)),
            Panel(
                "Share of errors", "percentunit",
                ((
                    f"{_rate('headgate_requests_total', 'endpoint', _FAILED)} "
                    f"/ {_rate('headgate_requests_total', 'endpoint')}", "{{endpoint}}",
                ),),
            ),
            Panel(
                "Weights", "percentunit",
                ((f"max by (endpoint, version) (headgate_traffic_weight{{{_CHOSEN}}})", "{{endpoint}} {{version}}"),),
            ),
            Panel(
                "Fallbacks", "rowsps",
                ((_rate("headgate_fallbacks_total", "endpoint, version, reason"), "{{version}} {{reason}}"),),
                "Rows the live version answered for another.",
            ),
            Panel(
                "Mean rows per call", "short",
                ((_mean("headgate_batch_size", "endpoint, version"), "{{endpoint}} {{version}}"),),
            ),
        ),
    ),
    (
        "Latency",
        (
            Panel(
                "Request p50, p99 and objective", "s",
                (
                    (_quantile(0.5, "headgate_request_duration_seconds", "endpoint"), "{{endpoint}} p50"),
                    (_quantile(0.99, "headgate_request_duration_seconds", "endpoint"), "{{endpoint}} p99"),
                    (f"max by (endpoint) (headgate_slo_latency_seconds{{{_CHOSEN}}} > 0)", "{{endpoint}} objective"),
                ),
            ),
            Panel(
                "Model call p99", "s",
                ((_quantile(0.99, "headgate_inference_duration_seconds", "version"), "{{version}}"),),
            ),
            Panel(
                "Waiting for the model p99", "s",
                ((_quantile(0.99, "headgate_queue_duration_seconds", "version"), "{{version}}"),),
            ),
            Panel(
                "Journal commit p99", "s",
                ((_quantile(0.99, "headgate_journal_commit_seconds", "instance", _ON), "{{instance}}"),),
            ),
            Panel(
                "In flight of what is admitted", "percentunit",
                ((
                    f"sum by (instance) (headgate_in_flight{{{_ON}}}) "
                    f"/ sum by (instance) (headgate_queue_limit{{{_ON}}})",
                    "{{instance}}",
                ),),
            ),
            Panel(
                "Rows waiting", "short",
                ((f"sum by (endpoint, version) (headgate_queue_depth{{{_CHOSEN}}})", "{{endpoint}} {{version}}"),),
            ),
        ),
    ),
    (
        "Refusals and truth",
        (
            Panel(
                "Rows that broke a rule", "rowsps",
                ((_rate("headgate_contract_violations_total", "endpoint, field, rule"), "{{field}} {{rule}}"),),
            ),
            Panel("Requests refused", "reqps", ((_rate("headgate_rejected_total", "endpoint, reason"), "{{reason}}"),)),
            Panel(
                "Labels and decisions", "short",
                ((_rate("headgate_labels_total", "endpoint, source"), "{{endpoint}} {{source}}"),),
            ),
            Panel(
                "Lag of labels, median", "s",
                ((_quantile(0.5, "headgate_label_lag_seconds", "endpoint"), "{{endpoint}}"),),
            ),
            Panel(
                "Answered, not remembered", "rowsps",
                ((_rate("headgate_unjournalled_total", "endpoint"), "{{endpoint}}"),),
            ),
        ),
    ),
    (
        "Monitors",
        (
            Panel(
                "Monitors that alarm", "short",
                ((f'max by (endpoint, monitor) (headgate_monitor_standing{{{_CHOSEN},standing="alarm"}})',
                  "{{endpoint}} {{monitor}}"),),
            ),
            Panel(
                "Monitors that cannot tell", "short",
                ((f'max by (endpoint, monitor, standing) (headgate_monitor_standing{{{_CHOSEN},'
                  'standing=~"undecided|broken"})', "{{endpoint}} {{monitor}} {{standing}}"),),
            ),
            Panel(
                "Alerts that stand", "short",
                ((
                    f"max by (endpoint, severity) (headgate_alerts_standing{{{_CHOSEN}}})", "{{endpoint}} {{severity}}",
                ),),
            ),
            Panel(
                "Metrics of the last day with labels", "short",
                (
                    (f"max by (endpoint, metric, bound) (headgate_measured_metric{{{_CHOSEN}}})",
                     "{{endpoint}} {{metric}} {{bound}}"),
                    (f"max by (endpoint, metric) (headgate_evaluated_metric{{{_CHOSEN}}})",
                     "{{endpoint}} {{metric}} when evaluated"),
                ),
            ),
            Panel(
                "Labels that came in time", "percentunit",
                ((f"max by (endpoint) (headgate_label_coverage_ratio{{{_CHOSEN}}})", "{{endpoint}}"),),
            ),
            Panel(
                "Hours and days looked at", "dateTimeAsIso",
                (
                    (f"1000 * max by (endpoint) (headgate_watched_until_timestamp_seconds{{{_CHOSEN}}})",
                     "{{endpoint}} hours"),
                    (f"1000 * max by (endpoint) (headgate_labelled_until_timestamp_seconds{{{_CHOSEN}}})",
                     "{{endpoint}} days with labels"),
                ),
            ),
        ),
    ),
    (
        "Machines",
        (
            Panel(
                "Disk free", "percentunit",
                ((f"headgate_disk_free_bytes{{{_ON}}} / headgate_disk_size_bytes{{{_ON}}}", "{{instance}}"),),
            ),
            Panel(
                "Deaths of processes", "short",
                ((f"increase(headgate_process_deaths_total{{{_ON}}}[$__rate_interval])", "{{instance}} {{process}}"),),
            ),
            Panel("Journal unwritable", "short", ((f"headgate_journal_unwritable{{{_ON}}}", "{{instance}}"),)),
        ),
    ),
)  # fmt: skip


def shown(queries: str) -> set[str]:
    """The families that PromQL or a whole dashboard in JSON speaks of.

    >>> sorted(shown("rate(headgate_batch_size_sum[5m]) / headgate_in_flight"))
    ['headgate_batch_size', 'headgate_in_flight']
    """
    found = set()
    for name in _NAME.findall(queries):
        root = next((name.removesuffix(each) for each in _SUFFIXES if name.endswith(each)), name)
        found.add(root if root in FAMILIES and FAMILIES[root].kind is Kind.HISTOGRAM else name)
    return found


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    written = shown(" ".join(query for _, panels in ROWS for each in panels for query, _ in each.queries))
    rest = tuple(_made(each) for each in FAMILIES.values() if each.name not in written)
    return {
        "uid": "headgate",
        "title": "Headgate",
        "tags": ["headgate"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": _laid_out((*ROWS, ("Everything else", rest))),
    }


def _made(family: Family) -> Panel:
    """A panel for a family nobody wrote one for."""
    chosen = _CHOSEN if "endpoint" in family.labels else _ON
    by = ", ".join(family.labels) or "instance"
    legend = " ".join(f"{{{{{each}}}}}" for each in family.labels) or "{{instance}}"
    unit = next((each for word, each in _UNITS.items() if word in family.name), "short")
    match family.kind:
        case Kind.HISTOGRAM:
            query = _quantile(0.99, family.name, by, chosen)
        case Kind.COUNTER:
            query = _rate(family.name, by, chosen=chosen)
        case Kind.GAUGE | Kind.STATE | Kind.FIGURE:
            query = f"max by ({by}) ({family.name}{{{chosen}}})"
    return Panel(family.name.removeprefix("headgate_").replace("_", " "), unit, ((query, legend),), family.says)


def _variables() -> list[dict[str, Any]]:
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return [
        source,
        _variable("project", "label_values(headgate_requests_total, project)"),
        _variable("endpoint", 'label_values(headgate_requests_total{project=~"$project"}, endpoint)'),
        _variable("instance", "label_values(headgate_build_info, instance)"),
    ]


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _laid_out(rows: Sequence[tuple[str, tuple[Panel, ...]]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    y = 0
    for title, panels in rows:
        place = {"x": 0, "y": y, "w": _WIDTH * _ACROSS, "h": 1}
        found.append(
            {"id": len(found) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place}
        )
        for at, each in enumerate(panels):
            place = {"x": at % _ACROSS * _WIDTH, "y": y + 1 + at // _ACROSS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            found.append(_panel(len(found) + 1, each, place))
        y += 1 + -(-len(panels) // _ACROSS) * _HEIGHT
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
        for at, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "gridPos": place,
        "targets": targets,
    }
