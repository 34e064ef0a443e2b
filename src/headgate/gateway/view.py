"""What a gateway obeys for one endpoint at one revision: an immutable view, replaced whole between two ticks.

`follow.py` builds views, doors look them up, `answer.py` answers under the view a request was read with, so a switch
in the middle of anything harms nothing. Only `waiting`, `shadowing` and `recent` change.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.decode import Decoder, compile_contract
from headgate.contracts.text import digest
from headgate.errors import BadInput, NotFound, Unavailable
from headgate.gateway.http.replies import header_text
from headgate.gateway.large import LargeFields, large_fields
from headgate.gateway.metrics.counting import EndpointCount, VersionCount
from headgate.gateway.reading import Reader
from headgate.gateway.screens import Screens, screens_of
from headgate.gateway.standing import Standing
from headgate.journal.capture import Capture
from headgate.journal.identifiers import endpoint_tag
from headgate.journal.records import Schema, SchemaField
from headgate.monitors.outliers.screen import OutlierScreen
from headgate.registry.package import Manifest
from headgate.registry.packages import Package
from headgate.runtimes.feeds import FeedPlan, compile_feeds
from headgate.runtimes.ports import Placement
from headgate.traffic.assignment import Assignment, assign
from headgate.traffic.people import PeopleShare, people_share
from headgate.traffic.shadows import ShadowShare, shadow_share
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import Ack, OnFailure, Role, Task

RECENT: Final = 64
"""Rows remembered for the next version."""
UNPROVED: Final = "has no passing evaluation record; evaluate it first"
"""Why a version may not answer."""
_LABEL_KINDS: Final = ((bool, "boolean"), (int, "integer"), (str, "text"))


@dataclass(slots=True, eq=False)
class Served:
    """A package made ready: everything that does not depend on the endpoint's revision."""

    contract: Contract
    """What callers are held to: the endpoint's own contract, else the package's."""
    manifest: Manifest
    placement: Placement
    earned: bool
    """Whether it was placed as a live version."""
    decoder: Decoder
    reader: Reader
    feeds: FeedPlan
    standing: Standing = field(default_factory=Standing)
    """How far callers may rely on it."""
    standing_aside: Standing = field(default_factory=Standing)
    """The same as a shadow: what becomes of rows nobody waits for must not decide who answers callers."""


def make_served(
    package: Package, contract: Contract, placement: Placement, *, earned: bool, rows_limit: int, replay: bool
) -> Served:
    """Compile everything a version needs; slow, so call it beside the loop.

    Raises BadInput when `contract` lacks a field the package's model reads.
    """
    decoder = compile_contract(contract)
    reader = Reader(decoder, rows_limit=rows_limit, replay=replay)
    feeds = compile_feeds(contract, package.manifest.signature, package.manifest.options)
    return Served(contract, package.manifest, placement, earned, decoder, reader, feeds)


@dataclass(slots=True, eq=False)
class Seat:
    """A version's place in a view."""

    version: str
    served: Served
    member: Member
    is_live: bool
    schema: Schema
    capture: Capture
    large: LargeFields | None
    """Where the captured fields may be too large for the journal; None, and then no cost, where none may."""
    count: VersionCount
    pick: tuple[int, ...] | None
    """Where its fields stand in a row of the live contract; None when they are the same."""

    header: bytes
    """Its name as the ``Headgate-Version`` header has it."""

    @property
    def role(self) -> Role:
        """In which capacity it answers callers who did not name it."""
        return Role.LIVE if self.is_live else Role.CANARY

    def convert(self, rows: Sequence[tuple[object, ...]]) -> Sequence[tuple[object, ...]]:
        """Rows of the live contract as this version's contract orders them."""
        pick = self.pick
        return rows if pick is None else [tuple([row[at] for at in pick]) for row in rows]


@dataclass(slots=True, eq=False)
class View:
    """One endpoint at one revision."""

    traffic: Traffic
    live: Seat
    seats: dict[str, Seat]
    assignment: Assignment
    tag: bytes
    """What identifiers of this endpoint are bound to."""
    count: EndpointCount
    sticky: Callable[[tuple[object, ...]], object] | None
    """Reads the sticky key from a row; None when it comes as a request key or not at all."""
    proved: bool
    """Whether the live version may take traffic, or is asked to take none."""
    is_durable: bool
    """Whether replies wait for the disk."""
    must_remember: bool
    """Whether nothing is answered that cannot be remembered."""
    sticks: bool
    """Whether callers keep their version by a key of theirs."""
    deadline_ns: int
    """Longest a caller waits."""
    people: PeopleShare | None = None
    """Which rows people decide, where any do."""
    screens: Screens | None = None
    """What looks for rows unlike the reference; None, and then no cost, where nobody asked for it."""
    shadows: tuple[tuple[Seat, ShadowShare], ...] = ()
    """Who answers beside another, and which of its rows: those that are loaded and read what the live version reads."""
    waiting: int = 0
    """Rows admitted and not yet answered."""
    shadowing: int = 0
    """Rows that shadows are still to answer; counted once for each of them."""
    recent: deque[tuple[object, ...]] = field(default_factory=lambda: deque(maxlen=RECENT))
    """Rows of the live contract that were asked lately, one of a tick: what the next version is warmed with."""

    samples: bool = True
    """Whether rows are small enough to keep some."""

    def recorded(self, contract: Contract) -> list[tuple[object, ...]]:
        """Rows asked lately as `contract` orders its fields; none where it has fields they do not."""
        pick = _pick(contract, self.live.served.contract)
        if pick == _MISFIT:
            return []
        return [row if pick is None else tuple([row[at] for at in pick]) for row in self.recent]

    @property
    def key(self) -> tuple[str, str]:
        """Project and endpoint."""
        return self.traffic.project, self.traffic.endpoint

    def member(self, version: str) -> Member:
        """The version a caller named: ``model:number``, the number alone, or ``@live``.

        Raises NotFound when it is none of this endpoint's, BadInput when it may not answer.
        """
        if version.startswith("@"):
            if version != "@live":
                raise NotFound("label", version[1:81], "Traffic knows the label 'live' alone; name the version itself")
            version = self.traffic.live
        name = version if ":" in version else f"{self.traffic.live.rpartition(':')[0]}:{version}"
        member = self.traffic.member(name)
        if member is None:
            known = ", ".join(sorted(each.version for each in self.traffic.members))
            raise NotFound("version", version[:80], f"This endpoint has {known}")
        if not member.entitled:
            raise BadInput("version", "proved", UNPROVED)
        return member

    def seat(self, version: str) -> Seat:
        """The same with its place. Raises Unavailable while it is not loaded, and what `member` does."""
        seat = self.seats.get(self.member(version).version)
        if seat is None:
            raise Unavailable("the version is not loaded yet")
        return seat

    def named(self, version: str | None) -> Seat:
        """The seat that a question is about: the live version's where it names none. Raises what `seat` does."""
        return self.live if version is None else self.seat(version)


Views = dict[tuple[str, str], View]
"""By project and endpoint."""


def make_view(
    traffic: Traffic, served: dict[str, Served], count: EndpointCount, screen: OutlierScreen | None = None
) -> View:
    """The view of `traffic` over the packages loaded, by digest; the live one must be among them.

    Members whose package is missing or reads other fields than the live contract has take no traffic.
    `screen` is what the traffic names, where that could be read.
    """
    live_member = traffic.member(traffic.live)
    if live_member is None:
        raise Unavailable("the traffic names a live version that is no member")
    live = served[live_member.digest]
    seats = {}
    for member in traffic.members:
        found = served.get(member.digest)
        if found is not None:
            seats[member.version] = _seat(traffic, member, found, live.contract, count)
    absent = {each.version for each in traffic.members} - {name for name, seat in seats.items() if _fits(seat)}
    return View(
        traffic,
        seats[traffic.live],
        seats,
        assign(traffic, absent=frozenset(absent)),
        endpoint_tag(traffic.project, traffic.endpoint),
        count,
        _sticky(traffic.sticky_key, live.contract),
        traffic.may_be_heard,
        is_durable=traffic.policy.ack is Ack.DURABLE,
        must_remember=traffic.policy.on_failure is OnFailure.REFUSE,
        sticks=traffic.sticky_key is not None,
        deadline_ns=traffic.policy.deadline_ms * 1_000_000,
        people=None if traffic.people is None else people_share(traffic.salt, traffic.people),
        screens=screens_of(traffic, screen, {name: seat.served.contract for name, seat in seats.items()}, count),
        shadows=_shadows(traffic, seats),
        samples=large_fields(live.contract.fields) is None,
    )


_MISFIT: Final = (-1,)


def _fits(seat: Seat) -> bool:
    return seat.pick != _MISFIT


def _shadows(traffic: Traffic, seats: dict[str, Seat]) -> tuple[tuple[Seat, ShadowShare], ...]:
    """The shadows that can answer; unproved ones may, since no caller sees what they say."""
    shares = {each.version: shadow_share(traffic.salt, each) for each in traffic.shadows}
    there = [(seat, shares[name]) for name, seat in seats.items() if traffic.shadows_with(name)]
    return tuple((seat, share) for seat, share in there if _fits(seat) and share.threshold)


def _seat(traffic: Traffic, member: Member, served: Served, live: Contract, count: EndpointCount) -> Seat:
    policy = traffic.policy.capture
    names = served.contract.names
    capture = Capture(
        names,
        sampling_percent=policy.sampling_percent,
        fields=None if policy.fields is None else [each for each in policy.fields if each in names],
        redact=[each for each in policy.redact if each in names],
    )
    schema = schema_of(traffic, served.contract, capture)
    is_live = member.version == traffic.live
    pick = _pick(served.contract, live)
    return Seat(
        member.version,
        served,
        member,
        is_live,
        schema,
        capture,
        large_fields(_kept(served.contract, capture)),
        count.version(member.version),
        pick,
        header_text(member.version),
    )


def _pick(contract: Contract, live: Contract) -> tuple[int, ...] | None:
    """Where the fields of `contract` stand in `live`; None for the same place, _MISFIT when one is not there."""
    places = {(each.name, each.kind): place for place, each in enumerate(live.fields)}
    pick = tuple(places.get((each.name, each.kind), -1) for each in contract.fields)
    if -1 in pick:
        return _MISFIT
    return None if pick == tuple(range(len(live.fields))) else pick


def schema_of(traffic: Traffic, contract: Contract, capture: Capture) -> Schema:
    """What the journal must know to read this version's blocks."""
    return Schema(
        traffic.project,
        traffic.endpoint,
        digest(contract),
        tuple(SchemaField(each.name, each.kind, each.sensitivity) for each in _kept(contract, capture)),
        contract.output.task,
        _label_kind(contract),
        tuple(contract.output.classes),
    )


def _kept(contract: Contract, capture: Capture) -> list[Field]:
    """The fields that are journalled, in the order of the schema."""
    return [each for each in contract.fields if each.name in capture.names]


def _label_kind(contract: Contract) -> str:
    output = contract.output
    if output.task in (Task.REGRESSION, Task.TENSOR):
        return "number"
    return next((name for kind, name in _LABEL_KINDS if all(isinstance(each, kind) for each in output.classes)), "text")


def _sticky(key: str | None, contract: Contract) -> Callable[[tuple[object, ...]], object] | None:
    if key is None or key not in contract.names:
        return None
    if contract.fields[contract.names.index(key)].kind in (Kind.TENSOR, Kind.IMAGE):
        return None
    place = contract.names.index(key)
    return lambda row: row[place]
