"""From what was measured to what an objective needs: cores, replicas, memory. Pure; called by the app's sizing.

A gateway has no timer: what arrives while it is busy is answered together in its next turn. So every measured number of
callers at once is a way of serving, with batches of that many requests, and the plan takes the way that bears the
highest rate within the latency (`queueing` says how long callers wait).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.sizing.figures import Memory, ModelTime, Objective, Plan, Requests
from headgate.sizing.queueing import Service, highest_utilisation

JSON: Final = "JSON"
"""The form of body that plans are made for."""
SPARE: Final = 1
"""Replicas beyond what the rate needs, so that one may fail."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything a plan is made of."""

    requests: Sequence[Requests]
    model: Sequence[ModelTime]
    hosted: bool
    cores: int
    """Of one replica."""
    gateway: Memory
    host: Memory | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way of serving: `together` requests in each batch."""

    together: int
    utilisation: float
    cpu_s: float
    """Processor time of one request, runtime host included."""
    gateway_s: float
    """The gateway's part of it."""
    lane_s: float
    """Seconds for which one request holds the runtime host of its machine; 0 where there is none."""

    def rate(self, cores: int) -> float:
        """Requests a second that a machine of so many cores bears."""
        return min(self._of_cores(cores), self._of_lane())

    def bound(self, cores: int) -> str:
        """What the rate of such a machine is limited by."""
        return "runtime host" if self._of_lane() < self._of_cores(cores) else "cores"

    @property
    def per_gateway(self) -> float:
        """Requests a second that one gateway bears."""
        return self.utilisation / self.gateway_s if self.gateway_s > 0 else math.inf

    def _of_cores(self, cores: int) -> float:
        return cores * self.utilisation / self.cpu_s if self.cpu_s > 0 else math.inf

    def _of_lane(self) -> float:
        return self.utilisation / self.lane_s if self.lane_s > 0 else math.inf


def plan(objective: Objective, measured: Measured) -> Plan:
    """What `objective` needs, on machines like the one it was measured on.

    Raises ValueError when a single request of the objective's rows was not measured.
    """
    alone = _alone(objective, measured)
    latency = math.inf if objective.latency_p99_ms is None else objective.latency_p99_ms
    ways = [_way(each, objective, measured) for each in _alike(objective, measured)]
    best = max(ways, key=lambda way: way.rate(measured.cores))
    per_replica = best.rate(measured.cores)
    replicas, cores, workers = _counts(objective.requests_per_second, best, per_replica, measured.cores)
    return Plan(
        met=alone.p99_ms <= latency,
        alone_p99_ms=alone.p99_ms,
        largest_rows=max((each.rows for each in _lonely(measured) if each.p99_ms <= latency), default=0),
        together=best.together,
        utilisation=best.utilisation,
        bound=best.bound(measured.cores),
        per_core=best.rate(1) if best.lane_s == 0 else best.per_gateway,
        per_replica=per_replica,
        cores=cores,
        replicas=replicas,
        spare=SPARE,
        workers=workers,
        memory_mb=workers * measured.gateway.peak_mb + (measured.host.peak_mb if measured.host else 0.0),
    )


def model_ms(model: Sequence[ModelTime], rows: float) -> float:
    """Milliseconds a call of so many rows takes on average: along straight lines between those measured.

    Beyond the largest one measured, rows cost as much each as they do there.

    >>> times = [ModelTime(each, 9, 0.0, 0.0, mean, 0.0, 0.0, 0.0, 0.0) for each, mean in ((1, 2.0), (3, 4.0))]
    >>> model_ms(times, 2), model_ms(times, 6)
    (3.0, 8.0)
    """
    known = sorted((each.rows, each.mean_ms) for each in model)
    last_rows, last_ms = known[-1]
    if rows >= last_rows:
        return last_ms * rows / last_rows
    before = known[0]
    for after in known:
        if rows <= after[0]:
            break
        before = after
    if after[0] == before[0]:
        return after[1]
    return before[1] + (after[1] - before[1]) * (rows - before[0]) / (after[0] - before[0])


def _alone(objective: Objective, measured: Measured) -> Requests:
    for each in _lonely(measured):
        if each.rows == objective.rows:
            return each
    raise ValueError(f"no single request of {objective.rows} rows was measured")


def _lonely(measured: Measured) -> list[Requests]:
    """Requests that were asked one after the other."""
    return [each for each in measured.requests if each.what == JSON and each.callers == 1 and not each.failed]


def _alike(objective: Objective, measured: Measured) -> list[Requests]:
    """Requests as the objective's callers will make them, at every number of callers."""
    alike = [each for each in measured.requests if each.what == JSON and each.rows == objective.rows]
    return [each for each in alike if not each.failed] or alike


def _way(requests: Requests, objective: Objective, measured: Measured) -> Way:
    together = requests.callers
    batch_s = together * requests.gateway_ms / 1000
    lane_s = model_ms(measured.model, together * requests.rows) / 1000 if measured.hosted else 0.0
    near = min(measured.model, key=lambda each: abs(each.rows - together * requests.rows))
    service = Service(max(batch_s, lane_s), near.variation)
    allowed_s = math.inf
    if objective.latency_p99_ms is not None:
        allowed_s = (objective.latency_p99_ms - requests.p99_ms) / 1000
    utilisation = highest_utilisation(service, allowed_s, objective.ceiling)
    return Way(together, utilisation, requests.cpu_ms / 1000, requests.gateway_ms / 1000, lane_s / together)


def _counts(rate: float | None, way: Way, per_replica: float, cores: int) -> tuple[int | None, int | None, int]:
    """Replicas, cores and gateways per replica for a rate; without one, what one replica has."""
    if rate is None or per_replica <= 0:
        return None, None, cores
    replicas = max(1, math.ceil(rate / per_replica))
    needed = max(replicas, math.ceil(rate * way.cpu_s / way.utilisation))
    workers = max(1, min(cores, math.ceil(rate / replicas / way.per_gateway)))
    return replicas, needed, workers
