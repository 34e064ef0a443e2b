"""What the request path counts, with its cells found once: bumping one is an addition in memory."""

import os
import platform
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from headgate.alerts.delivery import Outcome
from headgate.alerts.finding import Severity
from headgate.errors import Overloaded
from headgate.gateway.metrics.families import FAMILIES
from headgate.gateway.metrics.slab import Slab
from headgate.vocabulary import VERSION

_VIOLATIONS_KEPT: Final = 200
"""Pairs of field and rule one endpoint counts apart; callers may invent field names without end."""
_OTHER: Final = "other"
PROCESSES: Final = ("gateway", "host", "controller")
"""Kinds of processes that may die."""
FALLBACKS: Final = ("failed", "late", "resting")
"""Why the live version answers in another's stead, and why a shadow answers nothing."""


class Histogram:
    """One histogram of one worker."""

    __slots__ = ("_bounds", "_first", "_sum", "_values")

    def __init__(self, slab: Slab, family: str, **labels: str) -> None:
        buckets = FAMILIES[family].buckets
        cells = [slab.cell(family, suffix, **labels) for suffix in (*map(str, buckets), "+Inf")]
        self._bounds = buckets
        self._first = cells
        self._sum = slab.cell(family, "sum", **labels)
        self._values = slab.values

    def observe(self, value: float) -> None:
        """Count `value` in its bucket."""
        values = self._values
        values[self._first[bisect_left(self._bounds, value)]] += 1.0
        values[self._sum] += value


class ShadowCount:
    """What is counted of one version as a shadow, from zero once it is one."""

    __slots__ = ("_answered", "_failed", "_share", "_shed", "_values")

    def __init__(self, slab: Slab, labels: Mapping[str, str]) -> None:
        self._values = slab.values
        self._answered = slab.cell("headgate_shadow_predictions_total", **labels)
        self._failed = {each: slab.cell("headgate_shadow_failures_total", reason=each, **labels) for each in FALLBACKS}
        self._shed = slab.cell("headgate_shadow_shed_total", **labels)
        self._share = slab.cell("headgate_shadow_share", **labels)

    def takes(self, share: float) -> None:
        """Its share of the rows the live version answers."""
        self._values[self._share] = share

    def answered(self, rows: int) -> None:
        """So many rows were answered."""
        self._values[self._answered] += rows

    def failed(self, reason: str, rows: int) -> None:
        """So many rows were not, for one of the reasons of FALLBACKS."""
        self._values[self._failed[reason]] += rows

    def shed(self, rows: float) -> None:
        """So many rows were never asked, or their answers not kept; under pressure as many as are to be expected."""
        self._values[self._shed] += rows


class VersionCount:
    """What is counted of one version of one endpoint."""

    __slots__ = ("_inference", "_labels", "_predictions", "_queued", "_rows", "_shadow", "_slab", "_values")

    def __init__(self, slab: Slab, project: str, endpoint: str, version: str) -> None:
        self._labels = {"project": project, "endpoint": endpoint, "version": version}
        self._slab, self._values = slab, slab.values
        self._predictions: dict[str, int] = {}
        for reason in FALLBACKS:  # from zero, for an alert that looks for growth cannot see a first one else
            slab.cell("headgate_fallbacks_total", reason=reason, **self._labels)
        self._inference = Histogram(slab, "headgate_inference_duration_seconds", **self._labels)
        self._queued = Histogram(slab, "headgate_queue_duration_seconds", **self._labels)
        self._rows = Histogram(slab, "headgate_batch_size", **self._labels)
        self._shadow: ShadowCount | None = None

    @property
    def shadow(self) -> ShadowCount:
        """The counts of the version as a shadow."""
        if self._shadow is None:
            self._shadow = ShadowCount(self._slab, self._labels)
        return self._shadow

    def ran_beside(self, rows: int, compute_us: int) -> None:
        """A call answered `rows` rows as a shadow."""
        self._rows.observe(rows)
        self._inference.observe(compute_us / 1e6)
        self.shadow.answered(rows)

    def ran(self, role: str, rows: int, compute_us: int, queued_ns: int) -> None:
        """A call answered `rows` rows in that role; the oldest of them had waited `queued_ns` for it."""
        self._rows.observe(rows)
        self._queued.observe(queued_ns / 1e9)
        self._inference.observe(compute_us / 1e6)
        cell = self._predictions.get(role)
        if cell is None:
            cell = self._slab.cell("headgate_predictions_total", role=role, **self._labels)
            self._predictions[role] = cell
        self._values[cell] += rows

    def fell_back(self, reason: str, rows: int) -> None:
        """The live version answered `rows` rows for this one."""
        self._values[self._slab.cell("headgate_fallbacks_total", reason=reason, **self._labels)] += rows

    def waits(self, rows: int) -> None:
        """So many rows wait while it is busy with others."""
        self._values[self._slab.cell("headgate_queue_depth", **self._labels)] = rows

    def loaded(self, digest: str, loaded: bool) -> None:
        """The version is loaded, or no longer."""
        self._values[self._slab.cell("headgate_model_info", digest=digest, **self._labels)] = float(loaded)

    def weighs(self, weight: float) -> None:
        """Its share of unpinned callers."""
        self._values[self._slab.cell("headgate_traffic_weight", **self._labels)] = weight


class EndpointCount:
    """What is counted of one endpoint."""

    def __init__(self, slab: Slab, project: str, endpoint: str) -> None:
        self._where = {"project": project, "endpoint": endpoint}
        self._slab, self._values = slab, slab.values
        self._replies: dict[tuple[str, int], int] = {}
        self._rejections: dict[str, int] = {}
        self._violations: dict[tuple[str, str], int] = {}
        self._duration = Histogram(slab, "headgate_request_duration_seconds", **self._where)
        self._in_flight = slab.cell("headgate_in_flight", **self._where)
        slab.cell("headgate_unjournalled_total", **self._where)  # from zero, as above
        slab.cell("headgate_capture_shed_total", **self._where)
        slab.cell("headgate_rejected_total", reason=Overloaded.__name__, **self._where)
        self._label_lag: Histogram | None = None
        self._versions: dict[str, VersionCount] = {}

    def version(self, version: str) -> VersionCount:
        """The counts of one version."""
        found = self._versions.get(version)
        if found is None:
            found = self._versions[version] = VersionCount(
                self._slab, self._where["project"], self._where["endpoint"], version
            )
        return found

    def replied(self, protocol: str, code: int, seconds: float) -> None:
        """A reply left."""
        cell = self._replies.get((protocol, code))
        if cell is None:
            cell = self._slab.cell("headgate_requests_total", protocol=protocol, code=str(code), **self._where)
            self._replies[protocol, code] = cell
        self._values[cell] += 1.0
        self._duration.observe(seconds)

    def in_flight(self, rows: int) -> None:
        """Rows admitted and not yet answered."""
        self._values[self._in_flight] = rows

    def rejected(self, reason: str) -> None:
        """A request was refused as a whole."""
        cell = self._rejections.get(reason)
        if cell is None:
            cell = self._slab.cell("headgate_rejected_total", reason=reason, **self._where)
            self._rejections[reason] = cell
        self._values[cell] += 1.0

    def violated(self, field: str, rule: str) -> None:
        """A row broke `rule` in `field`; fields beyond the first few hundred are counted as ``other``."""
        cell = self._violations.get((field, rule))
        if cell is None:
            crowded = len(self._violations) >= _VIOLATIONS_KEPT or len(field) > 64
            name = _OTHER if crowded else field
            cell = self._slab.cell("headgate_contract_violations_total", field=name, rule=rule, **self._where)
            if not crowded:
                self._violations[field, rule] = cell
        self._values[cell] += 1.0

    def outlying(self, flagged: int, refused: int) -> None:
        """So many rows were unlike the reference."""
        for mark, rows in (("flag", flagged), ("reject", refused)):
            self._values[self._slab.cell("headgate_outliers_total", mark=mark, **self._where)] += rows

    def unscreened(self, rows: int) -> None:
        """So many rows were to be held against the reference, and were not."""
        self._values[self._slab.cell("headgate_unscreened_total", **self._where)] += rows

    def left(self, rows: int) -> None:
        """So many rows were left to people."""
        if rows:
            self._values[self._slab.cell("headgate_left_to_people_total", **self._where)] += rows

    def labelled(self, source: str, count: int) -> None:
        """Labels or decisions were accepted."""
        self._values[self._slab.cell("headgate_labels_total", source=source, **self._where)] += count

    def lagged(self, seconds: float) -> None:
        """A label or decision came so long after its prediction."""
        if self._label_lag is None:
            self._label_lag = Histogram(self._slab, "headgate_label_lag_seconds", **self._where)
        self._label_lag.observe(seconds)

    def promises(self, latency_p99_ms: float | None) -> None:
        """What the endpoint's file says of its p99; None promises nothing."""
        cell = self._slab.cell("headgate_slo_latency_seconds", **self._where)
        self._values[cell] = (latency_p99_ms or 0.0) / 1000

    def unjournalled(self, rows: int) -> None:
        """Rows were answered without a record."""
        self._values[self._slab.cell("headgate_unjournalled_total", **self._where)] += rows

    def shed(self, rows: int) -> None:
        """The features of rows were left out because the journal's disk fell behind."""
        self._values[self._slab.cell("headgate_capture_shed_total", **self._where)] += rows

    def obeys(self, revision: int) -> None:
        """The traffic revision obeyed."""
        self._values[self._slab.cell("headgate_traffic_revision", **self._where)] = revision


class GatewayCount:
    """What is counted of a gateway as a whole, a few times a second."""

    def __init__(self, slab: Slab, queue_limit: int) -> None:
        self._values = slab.values
        self._unwritable = slab.cell("headgate_journal_unwritable")
        self._values[slab.cell("headgate_queue_limit")] = queue_limit
        self._waited: set[VersionCount] = set()

    def writes(self, healthy: bool) -> None:
        """Whether the journal can be written."""
        self._values[self._unwritable] = 0.0 if healthy else 1.0

    def waits(self, rows: Mapping[VersionCount, int]) -> None:
        """So many rows wait for each version; for every other, none."""
        for version in self._waited | rows.keys():
            version.waits(rows.get(version, 0))
        self._waited = set(rows)


class MachineCount:
    """What the parent of all processes counts."""

    def __init__(self, slab: Slab, home: Path) -> None:
        """Every kind of process counts from zero: an alert that looks for growth cannot see a first death else."""
        self._slab, self._values = slab, slab.values
        self._home = home
        for kind in PROCESSES:
            slab.cell("headgate_process_deaths_total", process=kind)
        self._free = slab.cell("headgate_disk_free_bytes")
        self._size = slab.cell("headgate_disk_size_bytes")
        self._values[slab.cell("headgate_build_info", version=VERSION, python=platform.python_version())] = 1.0

    def died(self, name: str) -> None:
        """A process ended by itself; the first word of its name is its kind."""
        self._values[self._slab.cell("headgate_process_deaths_total", process=name.partition(" ")[0])] += 1.0

    def look(self) -> None:
        """See how full the disk is."""
        try:
            disk = os.statvfs(self._home)
        except OSError:  # its caller keeps every process alive and must not fall over a disk that went away
            self._values[self._free] = 0.0
            return
        self._values[self._free] = disk.f_bavail * disk.f_frsize
        self._values[self._size] = disk.f_blocks * disk.f_frsize


class AlertCount:
    """What the controller counts of alerts."""

    def __init__(self, slab: Slab) -> None:
        self._slab, self._values = slab, slab.values
        self._stood: set[int] = set()

    def channel(self, channel: str) -> None:
        """A channel is there: its tries count from zero, for an alert that looks for growth cannot see a first one."""
        for outcome in Outcome:
            self._slab.cell("headgate_alert_deliveries_total", channel=channel, outcome=outcome.value)

    def stand(self, standing: Mapping[tuple[str, str, Severity], int]) -> None:
        """So many alerts stand, by project, endpoint and severity; none of any other."""
        now = {}
        for (project, endpoint, severity), count in standing.items():
            where = {"project": project, "endpoint": endpoint, "severity": severity.value}
            now[self._slab.cell("headgate_alerts_standing", **where)] = float(count)
        for cell in self._stood - now.keys():
            self._values[cell] = 0.0
        for cell, value in now.items():
            self._values[cell] = value
        self._stood = set(now)

    def tried(self, channel: str, outcome: Outcome) -> None:
        """A try to tell a channel came to that."""
        self._values[self._slab.cell("headgate_alert_deliveries_total", channel=channel, outcome=outcome.value)] += 1.0
