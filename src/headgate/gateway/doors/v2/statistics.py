"""The statistics extension: what the metrics of all the home's workers say, in Triton's shape.

Requests are counted per endpoint and rows per version, so an endpoint's requests are shared out over its versions
by the rows each answered; with one version the numbers are exact. Queueing and the halves of a call are not measured
apart: they are 0, as Triton's are where it has nothing to tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from headgate.gateway.metrics.collector import SlabCollector

_NANO: Final = 1_000_000_000
_OTHER: Final = frozenset({"labels", "decisions"})
"""Protocols that ask for no prediction."""
_GOOD: Final = frozenset({"200", "0"})
"""Codes of requests that were answered: HTTP's, and gRPC's own."""
_UNMEASURED: Final = ("queue", "compute_input", "compute_output", "cache_hit", "cache_miss")
_encode = msgspec.json.Encoder().encode

Totals = Mapping[tuple[str, ...], float]
"""Sums by what they are, the endpoint and, for versions, the version."""
Names = Mapping[str, list[str]]
"""The versions to tell about, by endpoint."""


def totals(folder: Path, project: str) -> Totals:
    """What the workers whose slabs are in `folder` counted for the endpoints of `project`; reads files."""
    found: dict[tuple[str, ...], float] = defaultdict(float)
    for metric in SlabCollector(folder).collect():
        for sample in metric.samples:
            name = sample.name.removeprefix("headgate_")
            labels = sample.labels
            if labels.get("project") != project or name not in _READ:
                continue
            key = [_READ[name], labels["endpoint"], *([labels["version"]] if "version" in labels else [])]
            if name == "requests_total":
                if labels["protocol"] in _OTHER:
                    continue
                key[0] = "success" if labels["code"] in _GOOD else "fail"
            found[tuple(key)] += sample.value
    return found


_READ: Final = {
    "requests_total": "",
    "request_duration_seconds_sum": "seconds",
    "predictions_total": "rows",
    "inference_duration_seconds_count": "calls",
    "inference_duration_seconds_sum": "computing",
}
"""What each sample counts."""


def document(found: Totals, names: Names) -> bytes:
    """The body that tells about the versions in `names`.

    >>> counted = {("success", "e"): 4.0, ("rows", "e", "m:1"): 8.0, ("calls", "e", "m:1"): 2.0}
    >>> told = msgspec.json.decode(document(counted, {"e": ["m:1"]}))["model_stats"][0]
    >>> told["inference_count"], told["execution_count"], told["inference_stats"]["success"]["count"]
    (8, 2, 4)
    """
    return _encode({"model_stats": stats(found, names)})


def stats(found: Totals, names: Names) -> list[dict[str, Any]]:
    """What is told about each of the versions in `names`."""
    return [each for endpoint, versions in names.items() for each in _endpoint(found, endpoint, versions)]


def _endpoint(found: Totals, endpoint: str, versions: Iterable[str]) -> Iterable[dict[str, Any]]:
    counted = {key[2] for key in found if key[0] == "rows" and key[1] == endpoint}
    whole = sum(found.get(("rows", endpoint, each), 0.0) for each in counted)
    for version in versions:
        rows, calls = (found.get((what, endpoint, version), 0.0) for what in ("rows", "calls"))
        share = rows / whole if whole else 0.0
        success, fail, seconds = (found.get((what, endpoint), 0.0) * share for what in ("success", "fail", "seconds"))
        computing = found.get(("computing", endpoint, version), 0.0)
        yield {
            "name": endpoint,
            "version": version,
            "last_inference": 0,
            "inference_count": int(rows),
            "execution_count": int(calls),
            "inference_stats": {
                "success": _duration(success, seconds),
                "fail": _duration(fail, 0.0),
                "compute_infer": _duration(calls, computing),
                **{name: _duration(0.0, 0.0) for name in _UNMEASURED},
            },
            "batch_stats": [],
            "memory_usage": [],
        }


def _duration(count: float, seconds: float) -> dict[str, int]:
    return {"count": round(count), "ns": round(seconds * _NANO)}
