"""A store, traffic, keys and reports in memory: what tests and notebooks use where an installation has disks.

They keep the promises of the ports, so they pass the same conformance suites as the real ones.
"""

import itertools
import threading
from collections.abc import Sequence

import msgspec

from headgate.access.keys import Key, Published, refuse_taken
from headgate.errors import BadInput, Conflict, NotFound
from headgate.events import FIRST, Event, Sealed, seal
from headgate.registry.ports import Evaluation, Version
from headgate.review.leases import Lease
from headgate.rollouts.rollout import Edit, Rollout, edited_meanwhile, under_way
from headgate.rollouts.state import Move
from headgate.testing.memory_alerts import MemoryAlerts
from headgate.testing.memory_runs import MemoryRuns
from headgate.testing.memory_watches import MemoryWatches
from headgate.traffic.traffic import Traffic
from headgate.vocabulary import NAME, NAME_RULE, Micros


class MemoryStore(MemoryAlerts, MemoryRuns, MemoryWatches):
    """Registry, events, endpoints and rollouts in dictionaries; safe to share between threads.

    >>> from headgate.vocabulary import Micros
    >>> store = MemoryStore()
    >>> store.add_version(Version("default", "delay", 0, "sha256:0", Micros(0), "onnx", "binary")).ref
    'delay:1'
    """

    def __init__(self) -> None:
        MemoryAlerts.__init__(self)
        MemoryRuns.__init__(self)
        MemoryWatches.__init__(self)
        self._lock = threading.Lock()
        self._versions: dict[tuple[str, str], list[Version]] = {}
        self._aliases: dict[tuple[str, str], dict[str, int]] = {}
        self._evaluations: list[Evaluation] = []
        self._events: list[Sealed] = []
        self._keys: dict[str, Key] = {}
        self._rollouts: dict[tuple[str, str], list[Rollout]] = {}
        self._endpoints: dict[tuple[str, str], str] = {}
        self._leases: dict[tuple[str, str, str, int], Lease] = {}
        self._skipped: set[tuple[str, str, str, str]] = set()

    def close(self) -> None:
        """Nothing to give back."""

    def add_version(self, version: Version) -> Version:
        """Keep it under the next free number of its model, or return the one with that digest."""
        with self._lock:
            kept = self._versions.setdefault((version.project, version.model), [])
            for each in kept:
                if each.digest == version.digest:
                    return each
            numbered = msgspec.structs.replace(version, number=len(kept) + 1)
            kept.append(numbered)
            return numbered

    def versions(self, project: str, model: str | None = None) -> list[Version]:
        """By model and number."""
        with self._lock:
            wanted = sorted(key for key in self._versions if key[0] == project and model in (None, key[1]))
            return list(itertools.chain.from_iterable(self._versions[key] for key in wanted))

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Append it."""
        with self._lock:
            self._evaluations.append(evaluation)

    def evaluations(self, project: str, version: str) -> list[Evaluation]:
        """In the order they were added."""
        with self._lock:
            return [each for each in self._evaluations if (each.project, each.version) == (project, version)]

    def set_alias(self, project: str, model: str, alias: str, number: int) -> None:
        """Point ``model@alias`` at a version that exists; NotFound otherwise."""
        with self._lock:
            if not any(each.number == number for each in self._versions.get((project, model), [])):
                raise NotFound("version", f"{model}:{number}")
            self._aliases.setdefault((project, model), {})[alias] = number

    def aliases(self, project: str, model: str) -> dict[str, int]:
        """Version numbers by alias."""
        with self._lock:
            return dict(sorted(self._aliases.get((project, model), {}).items()))

    def add_event(self, event: Event) -> None:
        """Append it, sealed behind the record before it."""
        with self._lock:
            self._append(event)

    def sealed(self, after: int = 0, limit: int = 1000) -> list[Sealed]:
        """Records of all projects behind number `after`, oldest first; at most `limit`."""
        with self._lock:
            return self._events[after : after + max(0, limit)]

    def put_keys(self, keys: Sequence[Key], event: Event) -> None:
        """Keep keys and what is to be remembered of it; Conflict when a new one bears the name of one in force."""
        with self._lock:
            kept = dict(self._keys)
            for key in keys:
                if key.id not in kept:
                    refuse_taken(key, [e for e in kept.values() if (e.project, e.name) == (key.project, key.name)])
                kept[key.id] = key
            self._keys = kept
            self._append(event)

    def keys(self, project: str | None = None) -> list[Key]:
        """Every key there ever was, oldest first."""
        with self._lock:
            found = [each for each in self._keys.values() if project in (None, each.project)]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def _append(self, event: Event) -> None:
        previous = self._events[-1].seal if self._events else FIRST
        self._events.append(Sealed(len(self._events) + 1, event, previous, seal(event, previous)))

    def events(self, project: str, subject: str | None = None, limit: int = 100) -> list[Event]:
        """Newest first, by the order in which they were added; at most `limit`."""
        with self._lock:
            found = (each.event for each in reversed(self._events) if each.event.project == project)
            wanted = (each for each in found if subject in (None, each.subject))
            return list(itertools.islice(wanted, max(0, limit)))

    def put_endpoint(
        self, project: str, name: str, spec: str, before: str | None = None, *, idle: bool = False
    ) -> None:
        """Keep the YAML text of an endpoint in place of `before`; Conflict when another text is there by now.

        Where the endpoint has to be `idle`, Conflict while a rollout of it has not ended too.
        """
        with self._lock:
            if idle:
                self._require_idle((project, name))
            self._check((project, name), Edit(before, spec))
            self._endpoints[project, name] = spec

    def endpoints(self, project: str | None = None) -> list[tuple[str, str, str]]:
        """(project, name, spec), sorted."""
        with self._lock:
            kept = sorted(self._endpoints.items())
        return [(owner, name, spec) for (owner, name), spec in kept if project in (None, owner)]

    def _check(self, key: tuple[str, str], edit: Edit) -> None:
        """Raise Conflict unless the file is as it was read."""
        if self._endpoints.get(key) != edit.before:
            raise edited_meanwhile(key[1])

    def _require_idle(self, key: tuple[str, str]) -> None:
        """Raise Conflict while a rollout of the endpoint has not ended."""
        kept = self._rollouts.get(key)
        if kept and not kept[-1].state.ended:
            raise under_way(kept[-1])

    def add_rollout(self, rollout: Rollout, event: Event, edit: Edit | None = None) -> Rollout:
        """Keep it under its endpoint's next number, with its event and the edited file.

        Raises Conflict while another runs, or when the file is another by now.
        """
        key = rollout.plan.project, rollout.plan.endpoint
        with self._lock:
            self._require_idle(key)
            kept = self._rollouts.setdefault(key, [])
            if edit is not None:
                self._check(key, edit)
                self._endpoints[key] = edit.after
            kept.append(msgspec.structs.replace(rollout, number=len(kept) + 1))
            self._append(event)
            return kept[-1]

    def move_rollout(self, rollout: Rollout, move: Move, event: Event, edit: Edit | None = None) -> Rollout:
        """Append `move` to its history, with its event and the edited file; Conflict if either changed meanwhile."""
        key = rollout.plan.project, rollout.plan.endpoint
        with self._lock:
            kept = self._rollouts[key]
            if kept[rollout.number - 1] != rollout:
                raise Conflict(f"rollout {rollout.number} of '{rollout.plan.endpoint}' moved meanwhile; look again")
            if edit is not None:
                self._check(key, edit)
                self._endpoints[key] = edit.after
            kept[rollout.number - 1] = rollout.after(move)
            self._append(event)
            return kept[rollout.number - 1]

    def take_case(self, project: str, endpoint: str, lease: Lease, now: Micros) -> bool:
        """Give the case to the lease's reviewer, unless another has its place and keeps it beyond `now`."""
        key = project, endpoint, lease.input_id, lease.place
        with self._lock:
            before = self._leases.get(key)
            if before is not None and before.until > now and before.reviewer != lease.reviewer:
                return False
            self._leases[key] = lease
            return True

    def leases(self, project: str, endpoint: str, now: Micros) -> list[Lease]:
        """Those that are in force at `now`, by input and place."""
        with self._lock:
            kept = sorted(self._leases.items())
            return [each for key, each in kept if key[:2] == (project, endpoint) and each.until > now]

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        """Never offer the case to that reviewer again, and take it back."""
        with self._lock:
            self._skipped.add((project, endpoint, input_id, reviewer))
            mine = [
                key
                for key, each in self._leases.items()
                if key[:3] == (project, endpoint, input_id) and each.reviewer == reviewer
            ]
            for key in mine:
                del self._leases[key]

    def skipped(self, project: str, endpoint: str, reviewer: str) -> frozenset[str]:
        """The inputs that reviewer skipped."""
        with self._lock:
            where = project, endpoint
            return frozenset(each[2] for each in self._skipped if each[:2] == where and each[3] == reviewer)

    def rollouts(self, project: str | None = None, endpoint: str | None = None) -> list[Rollout]:
        """By project, endpoint and number."""
        with self._lock:
            kept = sorted(self._rollouts.items())
        wanted = (found for (owner, name), found in kept if project in (None, owner) and endpoint in (None, name))
        return list(itertools.chain.from_iterable(wanted))

    def running(self) -> list[Rollout]:
        """Those that have not ended, of all projects."""
        return [each for each in self.rollouts() if not each.state.ended]


class MemoryTraffic:
    """Traffic in a dictionary; one object is one reader's view of it.

    >>> traffic = MemoryTraffic()
    >>> (traffic.changed(), traffic.read(), traffic.changed())
    (True, {}, False)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Traffic] = {}
        self._swaps = 0
        self._beats = 0
        self._read_at: int | None = None

    def read(self) -> dict[tuple[str, str], Traffic]:
        """Every endpoint's newest traffic by (project, endpoint)."""
        with self._lock:
            self._read_at = self._swaps
            return dict(self._kept)

    def changed(self) -> bool:
        """Whether somebody swapped since the last `read`."""
        return self._read_at != self._swaps

    def pulse(self) -> int:
        """How often the controller called `beat`."""
        return self._beats

    def beat(self) -> None:
        """Let gateways know that somebody still watches."""
        self._beats += 1

    def swap(self, traffic: Traffic, expected_revision: int) -> None:
        """Publish `traffic` if the present revision is `expected_revision`; Conflict otherwise."""
        for field, name in (("project", traffic.project), ("endpoint", traffic.endpoint)):
            if not NAME.fullmatch(name):
                raise BadInput(field, "name", f"must match {NAME_RULE}")
        if traffic.revision <= expected_revision:
            raise Conflict(f"the new traffic revision must be larger than {expected_revision}")
        with self._lock:
            key = (traffic.project, traffic.endpoint)
            present = self._kept[key].revision if key in self._kept else 0
            if present != expected_revision:
                raise Conflict(
                    f"traffic of '{traffic.endpoint}' is at revision {present}, not {expected_revision}; read it again"
                )
            self._kept[key] = traffic
            self._swaps += 1


class MemoryReports:
    """Reports in a dictionary; its workers live until `forget` says otherwise.

    >>> reports = MemoryReports()
    >>> reports.report("w0", {"default/delays": 3})
    >>> reports.forget("w0")
    >>> reports.obeyed()
    {}
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, int]] = {}

    def report(self, worker: str, revisions: dict[str, int]) -> None:
        """Worker `worker` now obeys these revisions, by ``project/endpoint``."""
        if not NAME.fullmatch(worker):
            raise BadInput("worker", "name", f"must match {NAME_RULE}")
        self._kept[worker] = dict(revisions)

    def obeyed(self) -> dict[str, dict[str, int]]:
        """The last report of every worker alive, by worker."""
        return {worker: dict(revisions) for worker, revisions in sorted(self._kept.items())}

    def forget(self, worker: str) -> None:
        """The worker is dead."""
        self._kept.pop(worker, None)


class MemoryKeys:
    """Published keys in memory; one object is one reader's view of them.

    >>> keys = MemoryKeys()
    >>> (keys.changed(), keys.read().required, keys.changed())
    (True, False, False)
    """

    def __init__(self) -> None:
        self._published = Published()
        self._seen: Published | None = None

    def publish(self, keys: Sequence[Key]) -> None:
        """Let readers have `keys`, and ask callers who they are from now on."""
        self._published = Published(self._published.revision + 1, True, tuple(keys))

    def read(self) -> Published:
        """The keys published last."""
        self._seen = self._published
        return self._published

    def changed(self) -> bool:
        """Whether somebody published since the last `read`."""
        return self._seen is not self._published
