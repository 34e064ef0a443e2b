"""What was measured and what follows from it, as values: what ``hg.size`` gives back and ``--json`` prints.

Milliseconds, mebibytes and seconds throughout. A p99 of fewer than a hundred calls is their slowest.
"""

from enum import StrEnum
from typing import Final

import msgspec

ENOUGH: Final = 100
"""Calls from which a p99 is one; of fewer it is the slowest."""


class How(StrEnum):
    """Where a figure of a change comes from."""

    MEASURED = "measured"
    """Both sides were run here."""
    COMPUTED = "computed"
    """From measured parts, by the arithmetic that is said beside it."""
    UNKNOWN = "not measured"
    """It could not be run here; the reason stands beside it."""


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured, and how busy others kept it."""

    cores: int
    """Cores this process may use."""
    processor: str
    load: float
    """Processes that wanted a core just before, on average over a minute."""
    busy: bool
    """Whether others took so much that latencies are not to be trusted; processor times are."""


class ModelTime(msgspec.Struct, frozen=True):
    """One batch size, the model called alone."""

    rows: int
    calls: int
    p50_ms: float
    p99_ms: float
    mean_ms: float
    variation: float
    """Squared coefficient of variation of the time of a call."""
    cpu_ms: float
    """Processor time of a call, all threads together."""
    check_us: float
    """Microseconds per row to decode and check its JSON and fill the model's arrays."""
    resident_mb: float


class Memory(msgspec.Struct, frozen=True):
    """Resident memory of the process that runs the package."""

    base_mb: float
    """Before it loaded the package."""
    version_mb: float
    """What one loaded version adds."""
    peak_mb: float
    """At most, with the largest batch."""


class Load(msgspec.Struct, frozen=True):
    """How the package starts."""

    load_ms: float
    """Opening it, every byte checked."""
    first_ms: float
    """The first call, of one row."""
    warm_ms: float
    """A later call of one row."""


class Requests(msgspec.Struct, frozen=True):
    """One way of asking a whole gateway over HTTP: decode, check, model, journal, encode, reply."""

    what: str
    """The form of the body: ``JSON``, ``V2 binary``."""
    rows: int
    """In each request."""
    callers: int
    """Requests under way at once."""
    requests: int
    failed: int
    per_second: float
    p50_ms: float
    p99_ms: float
    gateway_ms: float
    """Processor time of the gateway for one request."""
    host_ms: float
    """Processor time of the runtime host for one request; 0 where the gateway runs the model."""
    spread: float
    """How far the rates of the repeats lay apart, as a share of their median."""
    why: str = ""
    """Of the first failure."""

    @property
    def cpu_ms(self) -> float:
        """Processor time of one request."""
        return self.gateway_ms + self.host_ms

    @property
    def rows_per_core(self) -> float:
        """Rows a second that one core answers when it does nothing else."""
        return 1000.0 * self.rows / self.cpu_ms if self.cpu_ms > 0 else 0.0


class Objective(msgspec.Struct, frozen=True):
    """What was asked of the endpoint."""

    endpoint: str
    latency_p99_ms: float | None
    requests_per_second: float | None
    memory_mb: int | None = None
    """What ``resources`` grants the model's own process."""
    rows: int = 1
    """Rows in each request."""
    ceiling: float = 0.7
    """The utilisation never to be planned beyond."""

    @property
    def asks_nothing(self) -> bool:
        """Whether the endpoint promises neither a latency nor a rate."""
        return self.latency_p99_ms is None and self.requests_per_second is None


class Plan(msgspec.Struct, frozen=True):
    """What an objective needs."""

    met: bool
    """Whether a request alone on an idle machine is answered in time: if not, no number of cores helps."""
    alone_p99_ms: float
    """Such a request's p99."""
    largest_rows: int
    """Most rows in one request that still meet the latency; 0 for none."""
    together: int
    """Requests answered together, of the way of serving that was planned with."""
    utilisation: float
    """Of the bottleneck, at most, for waits to stay within the latency."""
    bound: str
    """What limits the rate: ``cores`` of gateways, or the one ``runtime host`` of a machine."""
    per_core: float
    """Requests a second that one gateway core bears at that utilisation."""
    per_replica: float
    """Requests a second that a machine like this one bears at that utilisation."""
    cores: int | None
    """For the rate, runtime hosts included; None when no rate was asked."""
    replicas: int | None
    """Machines like this one for the rate; None when no rate was asked."""
    spare: int
    """Further ones, so that one may fail."""
    workers: int
    """Gateway processes each replica needs for its part of the rate."""
    memory_mb: float
    """Gateways and runtime host of one replica, at their peak."""


class Saving(msgspec.Struct, frozen=True):
    """One change and what it would save."""

    change: str
    before: float
    after: float
    unit: str
    how: How
    says: str
    """How the figures were obtained."""
    cost: str = ""
    """What is given up for it, or comes with it."""

    @property
    def factor(self) -> float:
        """How many times smaller the figure gets."""
        return self.before / self.after if self.after > 0 else 0.0


class Sizing(msgspec.Struct, frozen=True):
    """Everything ``headgate size`` found out."""

    package: str
    """``model:number``, or the folder."""
    digest: str
    engine: str
    hosted: bool
    """Whether the model has a runtime host of its own, or runs inside the gateways."""
    rows: int
    """In each of the requests the plan is made for."""
    rows_from: str
    """Where the rows it was asked with come from."""
    machine: Machine
    seconds: float
    """Spent measuring."""
    load: Load
    gateway: Memory
    host: Memory | None
    model: tuple[ModelTime, ...]
    requests: tuple[Requests, ...]
    objective: Objective | None
    plan: Plan | None
    savings: tuple[Saving, ...]
    notes: tuple[str, ...]
    """What a reader should know before believing the figures."""

    @property
    def met(self) -> bool:
        """Whether the objective can be met at all; true where there is none."""
        return self.objective is None or self.plan is None or self.plan.met
