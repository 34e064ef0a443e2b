"""What an endpoint did, gathered from the journal, the registry and the traffic; the facade's readers call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from headgate.clock import Clock
from headgate.controller.declared import Declared
from headgate.evaluation.report import Report, from_json
from headgate.journal.reader import LIVE_ROLES, Reader
from headgate.monitors.columns import NEEDED
from headgate.monitors.status import EndpointStatus, Share, endpoint_status
from headgate.monitors.windows import Window, windows
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.ports import TrafficSource
from headgate.traffic.traffic import People
from headgate.vocabulary import PEOPLE, Micros, Role

UNSEEN_ROLES: Final = (*LIVE_ROLES, Role.SHADOW, Role.SUGGESTION)
"""Roles in which a model answers where people decide."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Looks at endpoints, and changes nothing."""

    declared: Declared
    registry: Registry
    traffic: TrafficSource
    reader: Reader
    clock: Clock

    def windows(
        self,
        spec: EndpointSpec,
        *,
        every: str | float,
        version: str | None = None,
        start: Micros | None = None,
        end: Micros | None = None,
        as_of: Micros | None = None,
        zone: str = "UTC",
    ) -> list[Window]:
        """Its windows of event time; see ``monitors.windows.windows``.

        Where people decide they are those of the model beside them, whoever heard what it said.
        """
        live = self._live(spec)
        roles: Sequence[Role] = LIVE_ROLES
        if spec.people is not None:
            version, roles = version or live.ref, UNSEEN_ROLES
        where = spec.project, spec.endpoint
        return windows(
            self.reader.joined(*where, start=start, end=end, as_of=as_of, roles=roles, columns=NEEDED),
            self.declared.contract(spec, live).output,
            every=every,
            version=version,
            reference=self.reference(live),
            maturity_s=spec.label_maturity_s,
            now=as_of or self.clock.now(),
            zone=zone,
        )

    def status(self, spec: EndpointSpec, *, every: str, last: int | None) -> EndpointStatus:
        """Its windows beside what its live version's evaluation measured and what its file promises."""
        found = self.windows(spec, every=every)
        live = self._live(spec)
        return endpoint_status(
            spec.endpoint,
            task=self.declared.contract(spec, live).output.task,
            versions=self._shares(spec),
            windows=found[-last:] if last else found,
            reference=self.reference(live),
            project=spec.project,
            slo=spec.slo,
        )

    def _shares(self, spec: EndpointSpec) -> list[Share]:
        """Who answers now: what was published, and before anything was what the file asks for."""
        published = self.traffic.read().get((spec.project, spec.endpoint))
        live, members = (published.live, published.members) if published else self.declared.members(spec)
        unseen = {each.version for each in published.shadows} if published else set()
        people = published.people if published else spec.people
        if people is not None:
            return _beside_people(live, people)
        found = []
        for each in members:
            role = "shadow" if each.version in unseen and not each.weight else "canary"
            found.append(Share(each.version, each.weight, "live" if each.version == live else role))
        return found

    def reference(self, version: Version) -> Report | None:
        """What the latest evaluation of a version measured."""
        evaluations = self.registry.evaluations(version)
        return from_json(evaluations[-1].report) if evaluations else None

    def _live(self, spec: EndpointSpec) -> Version:
        return self.registry.resolve(spec.model, project=spec.project)


def _beside_people(live: str, people: People) -> list[Share]:
    """Who answers where people decide: of what is the model's by its confidence, nobody knows the share before."""
    role = "shadow" if people.share == 1.0 else "live"
    return [Share(PEOPLE, people.share, "human"), Share(live, 1.0 - people.share, role)]
