"""What must be known of each endpoint to watch it: from its file, the traffic, the registry and the package."""

import hashlib
import threading
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from headgate.app.observed import UNSEEN_ROLES, Observed
from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.registry.evaluated import kept_evaluated
from headgate.registry.packages import REFERENCE, Package
from headgate.registry.ports import Version
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.watched import Compared
from headgate.vocabulary import Digest

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
        live = self._live(spec)
        evaluations = len(self._observed.registry.evaluations(live))
        with self._lock:
            made = self._made.get(where)
            if made is None or made[:3] != (spec, live.ref, evaluations):
                made = spec, live.ref, evaluations, self._scene(spec, live)
                self._made[where] = made
            return made[3]

    def _live(self, spec: EndpointSpec) -> Version:
        """Who is in charge: what was published says so, whatever an alias says meanwhile."""
        published = self._observed.traffic.read().get((spec.project, spec.endpoint))
        return self._observed.registry.resolve(published.live if published else spec.model, project=spec.project)

    def _scene(self, spec: EndpointSpec, live: Version) -> Scene:
        package, reference = self._observed.registry.package(live), self._observed.reference(live)
        contract = spec.contract or package.contract
        rows = _rows(package, contract, spec) if spec.monitors.reference is Compared.PACKAGE else None
        output, known = contract.output, self._known(live, contract, spec)
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
            monitors=roster(spec, live.ref, output, reference, rows, contract=contract, known=known),
            reference=reference,
            maturity_s=spec.label_maturity_s,
            deadline_ms=spec.deadline_ms,
            replayed=self._replayed,
        )

    def _known(self, live: Version, contract: Contract, spec: EndpointSpec) -> Known | None:
        """The rows the version was last evaluated with; None where none are kept."""
        path = self._observed.registry.packages.evaluated(Digest(live.digest))
        found = kept_evaluated(path, contract)
        if found is None:
            return None
        rows, inputs = found
        return Known(rows, _compared(inputs, _fields(contract, spec)), hashlib.sha256(path.read_bytes()).hexdigest())


def _kept(contract: Contract, spec: EndpointSpec) -> list[Field]:
    """The public fields whose values the journal has."""
    kept, hidden = spec.capture.fields, set(spec.capture.redact)
    return [
        each
        for each in contract.fields
        if each.sensitivity is Sensitivity.PUBLIC and each.name not in hidden and (kept is None or each.name in kept)
    ]


def _fields(contract: Contract, spec: EndpointSpec) -> list[Field]:
    """Those of them whose values are compared."""
    return [each for each in _kept(contract, spec) if each.kind in COMPARED]


def _rows(package: Package, contract: Contract, spec: EndpointSpec) -> pa.Table | None:
    """The reference as the journal would have it; None where none of its fields is compared, or it was taken away."""
    fields = [each for each in _fields(contract, spec) if each.name in package.contract.names]
    path = package.path / REFERENCE
    if not fields or not path.is_file():
        return None
    return _compared(pq.read_table(path, columns=[each.name for each in fields]), fields)


def _compared(rows: pa.Table, fields: Sequence[Field]) -> pa.Table:
    """Those of the fields that there are, as the journal has them.

    Numbers of any width are compared as numbers; categories are texts in the journal, whatever they were here.
    """
    here = [each for each in fields if each.name in rows.column_names]
    texts = {each.name: rows[each.name].cast(pa.string()) for each in here if each.kind is Kind.CATEGORY}
    return pa.table({each.name: texts.get(each.name, rows[each.name]) for each in here})
