"""The Traffic value: which versions of an endpoint answer, and for which share of the callers.

The controller writes it by compare-and-swap on ``revision``; gateways obey the newest they can read.
"""

import msgspec

from headgate.traffic.outliers import Screen
from headgate.vocabulary import Ack, OnFailure, readable


class Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which features of which share of requests the journal keeps; ids, arm and outputs always are."""

    sampling_percent: float = 100.0
    fields: list[str] | None = None
    """Names to keep; None keeps all."""
    redact: list[str] = []
    """Names never written."""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a gateway treats the callers of one endpoint."""

    ack: Ack = Ack.DURABLE
    on_failure: OnFailure = OnFailure.REFUSE
    deadline_ms: int = 10_000
    """Longest a caller waits when it states no deadline of its own."""
    capture: Capture = Capture()
    label_maturity_s: float = 0.0
    """Seconds after a prediction at which its label counts as due."""
    latency_p99_ms: float | None = None
    """What the endpoint promises, for metrics to show beside what is; None promises nothing."""


class Resources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the endpoint's models may use where they run in a process of their own."""

    memory_mb: int | None = None
    """Private memory such a process may hold, in MiB; None means no limit, for ONNX half of the machine."""
    call_seconds: float | None = None
    """Seconds by the clock one call may take before its process is ended and started again; None means a minute."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version an endpoint may send callers to."""

    version: str
    """``model:number``."""
    digest: str
    """The package's content address."""
    weight: float = 0.0
    """Share of unpinned callers, 0 to 1."""
    proved: bool = False
    """Whether an evaluation record with passing gates exists; without it only `forced` takes traffic."""
    forced: bool = False
    """Whether an operator insisted, in writing."""

    @property
    def entitled(self) -> bool:
        """Whether it may answer callers: somebody proved it, or insisted."""
        return self.proved or self.forced


class Shadow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member that answers what another answers too; no caller sees it, so it needs no proof."""

    version: str
    """``model:number``."""
    share: float
    """Of the rows the live version answers, 0 to 1; the live version's own is of those that others answer for it."""


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People who decide some inputs of an endpoint, or all of them, in the place of its model."""

    share: float = 1.0
    """Of the inputs, 0 to 1: these are theirs whatever the model says."""
    confidence: float = 0.0
    """Of the other inputs those are theirs too of which the model is less sure than this, 0 to 1."""
    suggests: bool = False
    """Whether who asks for an input that is theirs hears what the model says of it."""


@readable
class Traffic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What gateways obey for one endpoint."""

    project: str
    endpoint: str
    revision: int
    live: str
    """The version that owns the endpoint; it answers when another fails."""
    members: list[Member]
    salt: str
    """Enters the assignment hash; changing it reshuffles keys."""
    shadows: list[Shadow] = []
    """Members, of any weight, that answer beside the live version; those that are no members are passed over.

    The live version itself answers beside whoever has callers in its place.
    """
    sticky_key: str | None = None
    """Field or request key by which callers keep their version; None draws per request."""
    canary_lease_s: float | None = None
    """Seconds that a gateway which hears nothing of the controller goes on as it was told; None is for good."""
    policy: Policy = Policy()
    contract: str | None = None
    """The endpoint's own contract, as the JSON of what ``contracts.text`` writes; None takes each package's."""
    resources: Resources = Resources()
    people: People | None = None
    """Who decides beside the model; None where nobody does."""
    screen: Screen | None = None
    """What rows are held against that may be unlike the reference; None looks at none."""

    @property
    def may_be_heard(self) -> bool:
        """Whether callers may have what the live version says: it is entitled to it, or nobody hears it."""
        live = self.member(self.live)
        is_unheard = self.people is not None and self.people.share >= 1.0 and not self.people.suggests
        return is_unheard or (live is not None and live.entitled)

    def alone(self) -> "Traffic":
        """The same once the lease has run out: whoever owns the endpoint answers everything.

        >>> members = [Member("m:1", "sha256:1", 0.9), Member("m:2", "sha256:2", 0.1)]
        >>> [each.weight for each in Traffic("default", "delays", 1, "m:1", members, "salt").alone().members]
        [1.0, 0.0]
        """
        members = [msgspec.structs.replace(each, weight=float(each.version == self.live)) for each in self.members]
        people = None if self.people is None else People(suggests=self.people.suggests)
        return msgspec.structs.replace(self, members=members, people=people)

    def member(self, version: str) -> Member | None:
        """The member of that name, if it is one."""
        return next((each for each in self.members if each.version == version), None)

    def shadows_with(self, version: str) -> bool:
        """Whether that version is to answer beside the live one, beside people, or beside who has its callers."""
        others = any(each.weight > 0 for each in self.members if each.version != self.live)
        is_beside = version != self.live or self.people is not None or others
        return is_beside and any(each.version == version for each in self.shadows)
