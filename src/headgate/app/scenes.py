"""What must be known of each endpoint to watch it: from its file, the traffic, the registry and the package."""

import threading
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from headgate.app.observed import UNSEEN_ROLES, Observed
from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.registry.packages import REFERENCE, Package
from headgate.registry.ports import Version
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.watched import Compared

COMPARED: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY)
"""Kinds of fields whose values are compared with the reference's, one by one."""
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
        rows = reference_rows(package, contract, spec) if spec.monitors.reference is Compared.PACKAGE else None
        output = contract.output
        roles, version = (SERVED, None) if spec.people is None else (UNSEEN_ROLES, live.ref)
        return Scene(
            source=Source(spec.project, spec.endpoint, roles, version, features=rows is not None),
            version=live.ref,
            output=output,
            monitors=roster(spec, live.ref, output, reference, rows),
            reference=reference,
            maturity_s=spec.label_maturity_s,
            deadline_ms=spec.deadline_ms,
            replayed=self._replayed,
        )


def compared(package: Package, contract: Contract, spec: EndpointSpec) -> list[Field]:
    """The fields whose values may be looked at: of kinds that can be compared, public, and kept in the journal."""
    kept, hidden = spec.capture.fields, set(spec.capture.redact)
    return [
        each
        for each in contract.fields
        if each.kind in COMPARED
        and each.sensitivity is Sensitivity.PUBLIC
        and each.name not in hidden
        and (kept is None or each.name in kept)
        and each.name in package.contract.names
    ]


def reference_rows(package: Package, contract: Contract, spec: EndpointSpec) -> pa.Table | None:
    """The reference as the journal would have it; None where none of its fields is compared, or it was taken away."""
    fields, path = compared(package, contract, spec), package.path / REFERENCE
    if not fields or not path.is_file():
        return None
    rows = pq.read_table(path, columns=[each.name for each in fields])
    # Numbers of any width are compared as numbers; categories are texts in the journal, whatever they were here.
    texts = {each.name: rows[each.name].cast(pa.string()) for each in fields if each.kind is Kind.CATEGORY}
    return pa.table({each.name: texts.get(each.name, rows[each.name]) for each in fields})
