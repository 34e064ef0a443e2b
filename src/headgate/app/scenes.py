"""What must be known of each endpoint to watch it: from its file, the traffic, the registry and the package."""

import hashlib
import logging
import threading

import pyarrow as pa

from headgate.app.observed import UNSEEN_ROLES, Observed
from headgate.app.references import COMPARED, as_journalled, comparable, held_out_rows, reference_rows
from headgate.contracts.contract import Contract, Field, Sensitivity
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.registry.evaluated import kept_evaluated
from headgate.registry.packages import Package
from headgate.registry.ports import Version
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.watched import Compared
from headgate.vocabulary import Digest

log = logging.getLogger("headgate.monitors")

_Made = tuple[EndpointSpec, str, int, Scene]


class Scenes:
    """Scenes, made anew where something of an endpoint is other than it was; threads may share it."""

    def __init__(self, observed: Observed, *, replayed: bool) -> None:
        self._observed = observed
        self._replayed = replayed
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], _Made] = {}

    def of(self, spec: EndpointSpec) -> Scene:
        """The scene of an endpoint. Raises NotFound for a version that is not registered."""
        where = spec.project, spec.endpoint
        live = self.live(spec)
        evaluations = len(self._observed.registry.evaluations(live))
        with self._lock:
            made = self._made.get(where)
            if made is None or made[:3] != (spec, live.ref, evaluations):
                made = spec, live.ref, evaluations, self._scene(spec, live)
                self._made[where] = made
            return made[3]

    def live(self, spec: EndpointSpec) -> Version:
        """Who is in charge: what was published says so, whatever an alias says meanwhile."""
        published = self._observed.traffic.read().get((spec.project, spec.endpoint))
        return self._observed.registry.resolve(published.live if published else spec.model, project=spec.project)

    def _scene(self, spec: EndpointSpec, live: Version) -> Scene:
        package, reference = self._observed.registry.package(live), self._observed.reference(live)
        contract = spec.contract or package.contract
        rows = compared_rows(package, contract, spec) if spec.monitors.reference is Compared.PACKAGE else None
        output, known = contract.output, known_rows(self._observed, live, contract, spec)
        roles, version = (SERVED, None) if spec.people is None else (UNSEEN_ROLES, live.ref)
        return Scene(
            source=Source(
                spec.project,
                spec.endpoint,
                roles,
                version,
                features=bool(_kept(contract, spec)),
                groups=tuple(spec.monitors.groups),
            ),
            version=live.ref,
            output=output,
            monitors=roster(
                spec,
                live.ref,
                output,
                reference,
                rows,
                held_out=held_out_rows(package),
                contract=contract,
                known=known,
            ),
            reference=reference,
            maturity_s=spec.label_maturity_s,
            deadline_ms=spec.deadline_ms,
            replayed=self._replayed,
        )


def _kept(contract: Contract, spec: EndpointSpec) -> list[Field]:
    """The public fields whose values the journal has."""
    kept, hidden = spec.capture.fields, set(spec.capture.redact)
    return [
        each
        for each in contract.fields
        if each.sensitivity is Sensitivity.PUBLIC and each.name not in hidden and (kept is None or each.name in kept)
    ]


def compared(package: Package, contract: Contract, spec: EndpointSpec) -> list[Field]:
    """The fields whose values the journal has and that can be compared with the reference of the package."""
    names = [each.name for each in comparable(package, contract)]
    return [each for each in _kept(contract, spec) if each.name in names]


def compared_rows(package: Package, contract: Contract, spec: EndpointSpec) -> pa.Table | None:
    """The reference as the journal would have it; None where none of its fields is compared, or it was taken away."""
    return reference_rows(package, compared(package, contract, spec))


def known_rows(observed: Observed, live: Version, contract: Contract, spec: EndpointSpec) -> Known | None:
    """The rows the version was last evaluated with; None where none are kept."""
    path = observed.registry.packages.evaluated(Digest(live.digest))
    try:
        found = kept_evaluated(path, contract)
    except (OSError, pa.ArrowException) as error:  # no ground for leaving the endpoint unwatched
        log.warning("%s is watched without the rows of its evaluation (%s); evaluate it again", live.ref, error)
        return None
    if found is None:
        return None
    rows, inputs = found
    fields = [each for each in _kept(contract, spec) if each.kind in COMPARED]
    return Known(rows, as_journalled(inputs, fields), hashlib.sha256(path.read_bytes()).hexdigest())
