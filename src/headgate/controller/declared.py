"""What every endpoint was declared to be, resolved against the registry: the desired side of a reconciliation."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from headgate.contracts.contract import Contract
from headgate.contracts.text import to_document
from headgate.errors import BadConfiguration, NotFound
from headgate.registry.ports import EndpointStore
from headgate.registry.registry import Registry
from headgate.traffic.endpoint import EndpointSpec, load_endpoint
from headgate.traffic.traffic import Member, Traffic

_SALT_BYTES = 8


@dataclass(frozen=True, slots=True)
class DeclaredEndpoint:
    """One endpoint as it should be."""

    traffic: Traffic
    """Its revision means nothing; publishing gives it one."""
    retention_days: int | None


class Declared:
    """Reads endpoint files from the store and resolves the versions they name."""

    def __init__(self, endpoints: EndpointStore, registry: Registry, secret: bytes) -> None:
        self._endpoints = endpoints
        self._registry = registry
        self._secret = secret

    def endpoints(self) -> list[DeclaredEndpoint]:
        """Every endpoint as it should be, of all projects.

        An endpoint whose versions cannot be found is left as it is: gateways go on with what they know.
        """
        found = []
        for project, name, text in self._endpoints.endpoints():
            try:
                spec = load_endpoint(text, f"endpoint {project}/{name}")
                found.append(DeclaredEndpoint(self.resolve(spec), spec.retention_days))
            except NotFound:
                continue
        return found

    def spec(self, project: str, name: str) -> EndpointSpec:
        """One endpoint's file. Raises NotFound naming what there is."""
        there = {each: text for _, each, text in self._endpoints.endpoints(project)}
        if name not in there:
            hint = f"Endpoints here: {', '.join(there)}" if there else "`headgate apply endpoint.yaml` makes one"
            raise NotFound("endpoint", name, hint)
        return load_endpoint(there[name], f"endpoint {project}/{name}")

    def resolve(self, spec: EndpointSpec) -> Traffic:
        """The traffic a file asks for, at revision 0.

        Raises NotFound for a version that is not registered.
        """
        live = self._registry.resolve(spec.model, project=spec.project).ref
        weights = {share.version: share.weight for share in spec.traffic.split} if spec.traffic else {live: 1.0}
        return Traffic(
            project=spec.project,
            endpoint=spec.endpoint,
            revision=0,
            live=live,
            members=self._members({live: 0.0} | weights, spec),
            salt=self._salt(spec),
            sticky_key=spec.traffic.sticky_key if spec.traffic else None,
            policy=spec.policy,
            resources=spec.resources,
            contract=None if spec.contract is None else msgspec.json.encode(to_document(spec.contract)).decode(),
        )

    def check(self, spec: EndpointSpec) -> None:
        """Nothing, or BadConfiguration naming the key whose version or contract cannot stand beside the live one.

        Gateways give no traffic to a version that reads other fields, and no one can read answers to two questions.
        """
        live = self._registry.resolve(spec.model, project=spec.project)
        wanted = self._registry.package(live).contract
        if spec.contract is not None:
            _same_question("contract", "the contract", spec.contract, live.ref, wanted)
            _reads("contract", live.ref, wanted, "the contract", spec.contract)
        known = set((spec.contract or wanted).names)
        for i, share in enumerate(spec.traffic.split if spec.traffic else ()):
            version = self._registry.resolve(share.version, project=spec.project)
            theirs = self._registry.package(version).contract
            known.update(theirs.names)
            _same_question(f"traffic.split[{i}].version", version.ref, theirs, live.ref, wanted)
            _reads(f"traffic.split[{i}].version", version.ref, theirs, live.ref, wanted)
        _knows("capture.fields", spec.policy.capture.fields or (), known)
        _knows("capture.redact", spec.policy.capture.redact, known)

    def unproved(self, spec: EndpointSpec) -> list[str]:
        """Versions that `spec` would give traffic to, that have no passing evaluation and were not forced."""
        members = self.resolve(spec).members
        return [each.version for each in members if each.weight > 0 and not (each.proved or each.forced)]

    def forced(self, spec: EndpointSpec) -> EndpointSpec:
        """`spec` with every unproved version written down as forced."""
        return msgspec.structs.replace(spec, forced=sorted({*spec.forced, *self.unproved(spec)}))

    def _members(self, weights: Mapping[str, float], spec: EndpointSpec) -> list[Member]:
        versions = [(self._registry.resolve(ref, project=spec.project), weight) for ref, weight in weights.items()]
        return [
            Member(
                version=version.ref,
                digest=version.digest,
                weight=weight,
                proved=self._registry.proved(version),
                forced=version.ref in spec.forced,
            )
            for version, weight in versions
        ]

    def _salt(self, spec: EndpointSpec) -> str:
        """Fixed for an endpoint of this home, and nothing a caller could work out."""
        name = f"{spec.project}/{spec.endpoint}".encode()
        return hashlib.blake2b(name, key=self._secret, digest_size=_SALT_BYTES, person=b"headgate-salt").hexdigest()


def _same_question(key: str, name: str, theirs: Contract, live: str, wanted: Contract) -> None:
    mine, yours = wanted.output, theirs.output
    if (mine.task, mine.classes) != (yours.task, yours.classes):
        raise BadConfiguration(key, f"{name} answers another question than {live}: tasks and classes must be the same")


def _knows(key: str, names: Sequence[str], known: Collection[str]) -> None:
    """Every name is one of `known`: a misspelled field would be written after all, and nobody would notice."""
    for name in names:
        if name not in known:
            raise BadConfiguration(key, f"'{name}' is no field of this endpoint; it has {', '.join(sorted(known))}")


def _reads(key: str, name: str, theirs: Contract, other: str, offered: Contract) -> None:
    kinds = {each.name: each.kind for each in offered.fields}
    for field in theirs.fields:
        if kinds.get(field.name) is not field.kind:
            has = f"has it as {kinds[field.name]}" if field.name in kinds else "does not have it"
            raise BadConfiguration(key, f"{name} reads the field '{field.name}' as {field.kind}, {other} {has}")
