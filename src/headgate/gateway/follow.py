"""Obeys the traffic: loads beside live traffic, switches between two ticks, unloads what is named no more.

`server.py` runs one follower per process. A revision whose versions are loaded is obeyed within one poll; a rollback
therefore loads nothing, also where the version before is named no more: what ran in this process stays for a while. A
new live version is loaded, by one gateway after the other, and warmed with rows that were asked lately, while the old
one goes on answering.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Protocol

from headgate.contracts.text import from_document
from headgate.errors import HeadgateError
from headgate.gateway.metrics.counting import EndpointCount, Histogram
from headgate.gateway.metrics.slab import Slab
from headgate.gateway.residents import RESIDENT_SECONDS, Key, Part, Residents, runs_here
from headgate.gateway.screens import Detectors, Shelf
from headgate.gateway.view import Served, View, Views, make_served, make_view
from headgate.registry.packages import Package
from headgate.runtimes.ports import Placement
from headgate.traffic.ports import RevisionReports, TrafficSource
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import Digest

POLL_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 5.0
"""Pause before a package that could not be loaded is tried again."""
WARM_CALLS: Final = 3
"""How often the rows asked lately are asked a version that was just loaded."""
WARM_SECONDS: Final = 5.0
"""Longest that may take; a version that is slower is warm enough."""
_LOG: Final = logging.getLogger(__name__)


class Packages(Protocol):
    """Where packages come from; registry.packages.PackageStore is one."""

    def open(self, digest: Digest) -> Package:
        """The package of that digest, every byte checked."""
        ...


PlacementFor = Callable[[str, bool], Placement]
"""A digest and whether it is live, to where it runs; called in a thread, may take as long as loading takes."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How versions come and go beside live traffic."""

    turn: Callable[[], AbstractContextManager[object]] = nullcontext
    """Held while one is loaded; entered in a thread, may wait for other gateways to have done."""
    resident_seconds: float = RESIDENT_SECONDS
    """How long what was live stays."""
    detectors: Detectors | None = None
    """Where that comes from which rows are held against, where an endpoint wants it."""


USUAL: Final = Manners()


class Follower:
    """Keeps `views` what the traffic says."""

    def __init__(
        self,
        *,
        source: TrafficSource,
        packages: Packages,
        placement_for: PlacementFor,
        reports: RevisionReports,
        worker: str,
        slab: Slab,
        views: Views,
        rows_limit: int,
        replay: bool,
        manners: Manners,
    ) -> None:
        self._source = source
        self._shelf = Shelf(manners.detectors)
        self._packages = packages
        self._placement_for = placement_for
        self._reports = reports
        self._worker = worker
        self._slab = slab
        self._views = views
        self._rows_limit = rows_limit
        self._replay = replay
        self._turn = manners.turn
        self._residents = Residents(manners.resident_seconds)
        self._published: dict[Key, Traffic] = {}
        self._wanted: dict[Key, Traffic] = {}
        """What was published, of endpoints whose lease has run out less what is not live."""
        self._pulse: object = source.pulse()
        self._heard = perf_counter()
        """When the controller was last heard."""
        self._unheard: frozenset[Key] = frozenset()
        """Endpoints whose lease has run out."""
        self._loaded: dict[Part, Served] = {}
        self._failed_at: dict[Part, float] = {}
        self._retired: list[View] = []
        """Views with rows under way, of callers or of shadows."""
        self._replaced: list[Served] = []
        """Packages loaded a second time, at a better place."""
        self._closing: set[asyncio.Task[None]] = set()
        """Models that are being given back."""
        self._counts: dict[Key, EndpointCount] = {}
        self._reported: dict[str, int] | None = None
        self._load_seconds = Histogram(slab, "headgate_model_load_duration_seconds")
        self._task: asyncio.Task[None] | None = None
        self._loading: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.settled = False
        """Whether every live version was loaded, or tried, at least once."""

    async def start(self) -> None:
        """Obey the traffic there is, as far as its live versions can be loaded, then go on watching."""
        while True:
            await self._step()
            if self._loading is None or self._lives_are_settled():
                break
            await self._pause()
        self.settled = True
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more and give every model back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._loading is not None:
            # Not cancelled: its thread would go on all the same, and nobody could give back what it opened.
            await asyncio.gather(self._loading, return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)
        for served in (*self._loaded.values(), *self._replaced):
            await served.placement.close()
        self._loaded.clear()

    async def _watch(self) -> None:
        while True:
            await self._pause()
            try:
                await self._step()
            except Exception:  # a fault here must not end the obedience of a process that answers well
                _LOG.exception("the traffic could not be followed; trying again")

    async def _pause(self) -> None:
        """Until the next look: a poll's length, or less when something was loaded."""
        # Not asyncio.wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
        timer = asyncio.get_running_loop().call_later(POLL_SECONDS, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    async def _step(self) -> None:
        """One look at the traffic. Loading goes on beside it, so that a rollback never waits for another's loading."""
        self._look()
        await self._shelf.read(self._wanted.values())
        self._switch()
        if self._loading is not None and self._loading.done():
            self._loading = None
        if self._loading is None and (missing := self._next_missing()) is not None:
            self._loading = asyncio.get_running_loop().create_task(self._load(*missing))
        self._report()
        self._unload()

    def _look(self) -> None:
        """See what is to be obeyed.

        A gateway that does not hear the controller cannot hear of a rollback either: once the lease has run out it
        trusts what is live alone. Heard is by its own clock, so that nobody's clock that jumps ends a lease.
        """
        now, changed = perf_counter(), False
        try:
            pulse, changed = self._source.pulse(), self._source.changed()
            if changed:
                self._published = self._source.read()
            if pulse != self._pulse:
                self._pulse, self._heard = pulse, now
        except OSError as error:
            _LOG.error("the traffic cannot be read: %s; going on with what is known", error.strerror)
        leases = {key: each.canary_lease_s for key, each in self._published.items()}
        unheard = frozenset(key for key, lease in leases.items() if lease is not None and now - self._heard > lease)
        if unheard != self._unheard:
            _say_unheard(unheard, self._unheard)
        if changed or unheard != self._unheard:
            self._unheard = unheard
            self._wanted = {key: each.alone() if key in unheard else each for key, each in self._published.items()}

    def _lives_are_settled(self) -> bool:
        lives = [part for each in self._wanted.values() if (part := _live_part(each)) is not None]
        return all(each in self._loaded or each in self._failed_at for each in lives)

    def _switch(self) -> None:
        """Put every endpoint on the newest revision its loaded packages allow; between two ticks, on the loop."""
        for key in self._views.keys() - self._wanted.keys():
            self._retire(self._views.pop(key))
            self._residents.forget(key)
        for key, traffic in self._wanted.items():
            live = traffic.member(traffic.live)
            if live is None or _part(traffic, live) not in self._loaded:
                continue
            old = self._views.get(key)
            parts = {each.digest: self._loaded.get(_part(traffic, each)) for each in traffic.members}
            served = {digest: part for digest, part in parts.items() if part is not None}
            if old is not None and old.traffic == traffic and _seated(old) == served:
                continue
            try:
                view = make_view(traffic, served, self._count(key), self._shelf.of(traffic))
            except HeadgateError as error:
                _LOG.error("revision %d of %s/%s cannot be obeyed: %s", traffic.revision, *key, error)
                continue
            self._views[key] = view
            self._show(view)
            if old is not None:
                self._succeed(key, old, view)

    def _succeed(self, key: Key, old: View, view: View) -> None:
        view.recent.extend(old.recorded(view.live.served.contract))
        before = _live_part(old.traffic)
        if before is not None and before != _live_part(view.traffic) and _is_here(old.live.served):
            self._residents.left(key, before, perf_counter())
        self._retire(old)

    def _next_missing(self) -> tuple[Part, bool] | None:
        """What to load next, and whether as a live version: first live ones, then others, then live ones run afar."""
        now = perf_counter()
        resting = {part for part, at in self._failed_at.items() if now - at < RETRY_SECONDS}
        lives = {(part, True) for each in self._wanted.values() if (part := _live_part(each)) is not None}
        others = {
            (_part(t, each), False) for t in self._wanted.values() for each in t.members if _may_be_asked(t, each)
        }
        for part, live in (*sorted(lives), *sorted(others)):
            if part not in self._loaded and part not in resting:
                return part, live
        for part, live in sorted(lives):
            loaded = self._loaded.get(part)
            if loaded is not None and not loaded.earned and part not in resting:
                return part, live
        return None

    async def _load(self, part: Part, live: bool) -> None:
        try:
            served, seconds = await asyncio.get_running_loop().run_in_executor(None, self._open, part, live)
            began = perf_counter()
            await self._warm(part, served)
        except Exception as error:
            self._failed_at[part] = perf_counter()
            _LOG.error("package %s cannot be loaded: %s", part[0][:19], error)
            return
        finally:
            self._wake.set()
        self._failed_at.pop(part, None)
        self._load_seconds.observe(seconds + perf_counter() - began)
        old = self._loaded.get(part)
        self._loaded[part] = served
        if old is not None:
            self._replaced.append(old)

    async def _warm(self, part: Part, served: Served) -> None:
        """Ask it rows that were really asked lately, before anybody waits for its answers."""
        views = [self._views[key] for key, each in self._wanted.items() if key in self._views and _names(each, part)]
        try:
            rows = next((found for view in views if (found := view.recorded(served.contract))), [])
            if not rows:
                return
            feeds = served.feeds.from_values(rows[:1] if served.feeds.ragged else rows)
            async with asyncio.timeout(WARM_SECONDS):
                for _ in range(WARM_CALLS):
                    await served.placement.run(feeds)
        except Exception as error:  # whatever it is: rows of another contract prove nothing, and callers' own will tell
            name = type(error).__name__
            _LOG.warning("package %s could not answer rows of the version before it (%s)", part[0][:19], name)

    def _open(self, part: Part, live: bool) -> tuple[Served, float]:
        """The version made ready, and the seconds that took."""
        digest, own = part
        package = self._packages.open(Digest(digest))
        contract = from_document(json.loads(own), "the endpoint's contract") if own else package.contract
        # At the start nobody is answered yet, and all gateways may load at once; what runs elsewhere loads there.
        with self._turn() if self.settled and runs_here(package.manifest, live) else nullcontext():
            began = perf_counter()
            place = self._placement_for(digest, live)
            rows, replay = self._rows_limit, self._replay
            served = make_served(package, contract, place, earned=live, rows_limit=rows, replay=replay)
            return served, perf_counter() - began

    def _unload(self) -> None:
        """Close what neither the traffic nor a request under way needs."""
        self._retired = [view for view in self._retired if view.waiting or view.shadowing]
        needed = {served for view in (*self._retired, *self._views.values()) for served in _seated(view).values()}
        named = {_part(traffic, each) for traffic in self._wanted.values() for each in traffic.members}
        named |= self._residents.kept(perf_counter())
        gone = [served for served in self._replaced if served not in needed]
        for part in [each for each in self._loaded if each not in named and self._loaded[each] not in needed]:
            gone.append(self._loaded.pop(part))
        self._replaced = [served for served in self._replaced if served in needed]
        for served in gone:
            # Beside the following: whoever still computes ends first, and a rollback does not wait for that.
            closing = asyncio.get_running_loop().create_task(served.placement.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closed)

    def _closed(self, closing: asyncio.Task[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and (problem := closing.exception()) is not None:
            _LOG.error("a model could not be given back: %s", problem)

    def waiting(self) -> dict[EndpointCount, int]:
        """Rows admitted and not yet answered, by endpoint, those of views that were replaced among them."""
        found = dict.fromkeys(self._counts.values(), 0)
        for view in (*self._retired, *self._views.values()):
            found[view.count] += view.waiting
        return found

    def _report(self) -> None:
        """Say which revisions are obeyed: those with nothing left to load that was not tried at least once."""
        reported = dict(self._reported or {})
        for (project, name), view in self._views.items():
            traffic = view.traffic
            asked = [_part(traffic, each) for each in traffic.members if _is_asked(traffic, each)]
            if all(each in self._loaded or each in self._failed_at for each in asked):
                reported[f"{project}/{name}"] = traffic.revision
        present = {f"{project}/{name}" for project, name in self._views}
        reported = {name: revision for name, revision in reported.items() if name in present}
        if reported != self._reported:
            self._reports.report(self._worker, reported)
            self._reported = reported

    def _retire(self, view: View) -> None:
        self._retired.append(view)
        for seat in view.seats.values():
            seat.count.weighs(0.0)
            seat.count.loaded(seat.member.digest, loaded=False)
        for seat, _ in view.shadows:
            seat.count.shadow.takes(0.0)
        current = self._views.get((view.traffic.project, view.traffic.endpoint))
        if current is not None:
            self._show(current)

    def _show(self, view: View) -> None:
        """Let the metrics say what is obeyed."""
        weights = {arm.version: arm.probability for arm in view.assignment.arms}
        weights[view.live.version] = view.assignment.live_probability
        ours = 1.0 if view.people is None else 1.0 - view.people.share
        for name, seat in view.seats.items():
            seat.count.weighs(weights.get(name, 0.0) * ours)
            seat.count.loaded(seat.member.digest, loaded=True)
        for seat, share in view.shadows:
            seat.count.shadow.takes(share.share)
        view.count.obeys(view.traffic.revision)
        view.count.promises(view.traffic.policy.latency_p99_ms)

    def _count(self, key: Key) -> EndpointCount:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = EndpointCount(self._slab, *key)
        return count


def _say_unheard(now: frozenset[Key], before: frozenset[Key]) -> None:
    for project, endpoint in now - before:
        _LOG.warning("%s/%s: the controller is not heard; what is live answers until it is", project, endpoint)
    for project, endpoint in before - now:
        _LOG.warning("%s/%s: the controller is heard again", project, endpoint)


def _is_here(served: Served) -> bool:
    return runs_here(served.manifest, served.earned)


def _may_be_asked(traffic: Traffic, member: Member) -> bool:
    """Whether anybody may: callers one that was proved or forced, the live version's rows one that is a shadow."""
    return member.entitled or traffic.shadows_with(member.version)


def _is_asked(traffic: Traffic, member: Member) -> bool:
    """Whether a revision is not obeyed without it."""
    return (member.weight > 0 and member.entitled) or traffic.shadows_with(member.version)


def _live_part(traffic: Traffic) -> Part | None:
    member = traffic.member(traffic.live)
    return None if member is None else _part(traffic, member)


def _names(traffic: Traffic, part: Part) -> bool:
    return any(_part(traffic, each) == part for each in traffic.members)


def _part(traffic: Traffic, member: Member) -> Part:
    return member.digest, traffic.contract or ""


def _seated(view: View) -> dict[str, Served]:
    return {seat.member.digest: seat.served for seat in view.seats.values()}
