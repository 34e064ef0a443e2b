"""What an endpoint did, gathered from the journal, the registry and the traffic; the facade's readers call it."""

from dataclasses import dataclass

from headgate.clock import Clock
from headgate.controller.declared import Declared
from headgate.evaluation.report import Report, from_json
from headgate.journal.reader import Reader
from headgate.monitors.columns import NEEDED
from headgate.monitors.status import EndpointStatus, Share, endpoint_status
from headgate.monitors.windows import Window, windows
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.ports import TrafficSource
from headgate.vocabulary import Micros


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
        """Its windows of event time; see ``monitors.windows.windows``."""
        live = self._live(spec)
        return windows(
            self.reader.joined(spec.project, spec.endpoint, start=start, end=end, as_of=as_of, columns=NEEDED),
            self.declared.contract(spec, live).output,
            every=every,
            version=version,
            reference=self._reference(live),
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
            reference=self._reference(live),
            project=spec.project,
            slo=spec.slo,
        )

    def _shares(self, spec: EndpointSpec) -> list[Share]:
        """Who answers now: what was published, and before anything was what the file asks for."""
        published = self.traffic.read().get((spec.project, spec.endpoint))
        live, members = (published.live, published.members) if published else self.declared.members(spec)
        unseen = {each.version for each in published.shadows} if published else set()
        found = []
        for each in members:
            role = "shadow" if each.version in unseen and not each.weight else "canary"
            found.append(Share(each.version, each.weight, "live" if each.version == live else role))
        return found

    def _live(self, spec: EndpointSpec) -> Version:
        return self.registry.resolve(spec.model, project=spec.project)

    def _reference(self, version: Version) -> Report | None:
        """What the latest evaluation of a version measured."""
        evaluations = self.registry.evaluations(version)
        return from_json(evaluations[-1].report) if evaluations else None
