"""What every endpoint was declared to be, resolved against the registry: the desired side of a reconciliation."""

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from headgate.alerts.rule import Rule
from headgate.contracts.compare import Compatibility, compare
from headgate.contracts.contract import Contract
from headgate.contracts.text import to_document
from headgate.errors import BadConfiguration, NotFound
from headgate.registry.packages import Package
from headgate.registry.ports import EndpointStore, Version
from headgate.registry.registry import Registry
from headgate.retraining.run import Run, Stage
from headgate.rollouts.rollout import Rollout, RolloutStore
from headgate.rollouts.state import State, weights
from headgate.traffic.endpoint import EndpointSpec, Live, load_endpoint
from headgate.traffic.outliers import screen_of
from headgate.traffic.traffic import Member, People, Shadow, Traffic
from headgate.vocabulary import PEOPLE, Task

log = logging.getLogger("headgate.controller")

_SALT_BYTES = 8
LEASE_S = 15.0
"""Seconds that gateways trust a candidate while they hear nothing of whoever watches over it."""


class Declared:
    """Reads endpoint files from the store and resolves the versions they name."""

    def __init__(
        self,
        endpoints: EndpointStore,
        registry: Registry,
        secret: Callable[[], bytes],
        rollouts: RolloutStore,
        runs: Callable[[], Sequence[Run]] = tuple,
    ) -> None:
        """`secret` is asked when a salt is made: who may only look at a home may not know it.

        `runs` are those of the loop that have not ended.
        """
        self._runs = runs
        self._endpoints = endpoints
        self._rollouts = rollouts
        self._registry = registry
        self._secret = secret
        self._read: dict[str, EndpointSpec | None] = {}
        """Files by their text, None for what cannot be read: the loops look several times a second, and reading YAML
        is what a look costs."""

    def traffic(self) -> list[Traffic]:
        """What every endpoint's callers should get, of all projects, at revision 0: publishing gives it one.

        An endpoint whose versions cannot be found is left as it is: gateways go on with what they know.
        """
        found = []
        probations = {(each.project, each.endpoint): each for each in self._runs() if each.stage is Stage.PROBATION}
        running = {(each.plan.project, each.plan.endpoint): each for each in self._rollouts.running()}
        for spec in self.specs():
            rollout = running.get((spec.project, spec.endpoint))
            try:
                wanted = self.resolve(spec) if rollout is None else self.during(spec, rollout)
                probation = probations.get((spec.project, spec.endpoint)) if rollout is None else None
                found.append(wanted if probation is None else self.on_probation(spec, wanted, probation))
            except NotFound:
                continue
        return found

    def retention_days(self) -> dict[tuple[str, str], int]:
        """Days that records are kept, by project and endpoint, where a limit was set."""
        return {
            (spec.project, spec.endpoint): spec.retention_days
            for spec in self.specs()
            if spec.retention_days is not None
        }

    def alert_rules(self) -> dict[tuple[str, str], Rule]:
        """What every file that can be read says of its alerts, by project and endpoint."""
        return {(spec.project, spec.endpoint): spec.alert_rule for spec in self.specs()}

    def specs(self) -> list[EndpointSpec]:
        """Every file that can be read; one that cannot, such as a newer Headgate's, holds up no other."""
        files, before = self._endpoints.endpoints(), self._read
        read: dict[str, EndpointSpec | None] = {}
        for project, name, text in files:
            read[text] = before[text] if text in before else _readable(text, f"endpoint {project}/{name}")
        self._read = read  # whole, because several threads look
        return [spec for _, _, text in files if (spec := read[text]) is not None]

    def spec(self, project: str, name: str) -> EndpointSpec:
        """One endpoint's file. Raises NotFound naming what there is."""
        return self.file(project, name)[1]

    def file(self, project: str, name: str) -> tuple[str, EndpointSpec]:
        """One endpoint's file, its text and what it says; who replaces it has to show the text that was read.

        Raises NotFound naming what there is.
        """
        there = {each: text for _, each, text in self._endpoints.endpoints(project)}
        if name not in there:
            hint = f"Endpoints here: {', '.join(there)}" if there else "`headgate apply endpoint.yaml` makes one"
            raise NotFound("endpoint", name, hint)
        text = there[name]
        return text, self._read.get(text) or load_endpoint(text, f"endpoint {project}/{name}")

    def resolve(self, spec: EndpointSpec) -> Traffic:
        """The traffic a file asks for, at revision 0.

        Raises NotFound for a version that is not registered.
        """
        live, members = self.members(spec)
        own = None if spec.contract is None else msgspec.json.encode(to_document(spec.contract)).decode()
        return Traffic(
            project=spec.project,
            endpoint=spec.endpoint,
            revision=0,
            live=live,
            members=members,
            salt=self._salt(spec),
            sticky_key=spec.traffic.sticky_key if spec.traffic else None,
            policy=spec.policy,
            resources=spec.resources,
            contract=own,
            people=spec.people,
            shadows=[Shadow(live, 1.0)] if spec.people else [],
            screen=screen_of(spec.outliers, members[0].digest, own),
        )

    def during(self, spec: EndpointSpec, rollout: Rollout) -> Traffic:
        """The traffic an endpoint has while `rollout` runs, at revision 0.

        The live version is the one that was live when it began, whatever an alias or a newer version says meanwhile.
        """
        state, candidate = rollout.state, rollout.plan.candidate
        if rollout.live == PEOPLE:
            return self._beside_people(spec, rollout)
        pinned = msgspec.structs.replace(spec, model=rollout.live, traffic=None)
        return msgspec.structs.replace(
            self.resolve(pinned),
            members=self._members(weights(state, rollout.live, candidate), spec),
            canary_lease_s=LEASE_S,
            sticky_key=rollout.plan.sticky_key,
            shadows=_unheard(state, rollout.live, candidate),
        )

    def on_probation(self, spec: EndpointSpec, wanted: Traffic, run: Run) -> Traffic:
        """The same while the version that `run` promoted is on probation: the one before answers all of it unseen."""
        if wanted.live != run.challenger or wanted.people is not None or len(wanted.members) > 1:
            return wanted
        members = self._members({run.challenger: 1.0, run.champion: 0.0}, spec)
        return msgspec.structs.replace(wanted, members=members, shadows=[Shadow(run.champion, 1.0)])

    def _beside_people(self, spec: EndpointSpec, rollout: Rollout) -> Traffic:
        """The same where the candidate takes inputs from people: it answers all the others unseen."""
        state = rollout.state
        pinned = msgspec.structs.replace(spec, model=rollout.plan.candidate, live=Live.HUMAN)
        return msgspec.structs.replace(
            self.resolve(pinned),
            people=People(1.0 - state.weight, state.confidence, state.suggests),
            canary_lease_s=LEASE_S,
            sticky_key=rollout.plan.sticky_key,
        )

    def contract(self, spec: EndpointSpec, version: Version) -> Contract:
        """What an endpoint holds a version to: its own contract, else the package's."""
        return spec.contract or self._registry.package(version).contract

    def live_contract(self, spec: EndpointSpec) -> Contract:
        """What an endpoint holds its callers to: its own contract, else its live version's. Raises NotFound."""
        return self.contract(spec, self._registry.resolve(spec.model, project=spec.project))

    def members(self, spec: EndpointSpec) -> tuple[str, list[Member]]:
        """The live version of the traffic a file asks for, and all versions with their weights.

        Raises NotFound for a version that is not registered.
        """
        live = self._registry.resolve(spec.model, project=spec.project).ref
        weights = {share.version: share.weight for share in spec.traffic.split} if spec.traffic else {live: 1.0}
        return live, self._members({live: 0.0} | weights, spec)

    def check(self, spec: EndpointSpec) -> None:
        """Nothing, or BadConfiguration naming the key whose version or contract cannot stand beside the live one.

        Gateways give no traffic to a version that reads other fields, no one can read answers to two questions, and
        one reply may hold answers of both versions.
        """
        live = self._registry.resolve(spec.model, project=spec.project)
        served = self._registry.package(live)
        wanted = served.contract
        if spec.contract is not None:
            _same_question("contract", "the contract", spec.contract, live.ref, wanted)
            _reads("contract", live.ref, wanted, "the contract", spec.contract)
        known = set((spec.contract or wanted).names)
        for i, share in enumerate(spec.traffic.split if spec.traffic else ()):
            version, key = self._registry.resolve(share.version, project=spec.project), f"traffic.split[{i}].version"
            package = self._registry.package(version)
            known.update(package.contract.names)
            _same_question(key, version.ref, package.contract, live.ref, wanted)
            _same_outputs(key, version.ref, package, live.ref, served)
            _reads(key, version.ref, package.contract, live.ref, wanted)
        _knows("capture.fields", spec.policy.capture.fields or (), known)
        _knows("capture.redact", spec.policy.capture.redact, known)
        _knows("monitors.groups", spec.monitors.groups, known)

    def check_successor(self, spec: EndpointSpec, live: Version, candidate: Version) -> None:
        """Nothing, or BadConfiguration when callers of `live` would notice that `candidate` has taken its place.

        Where the endpoint has a contract of its own, callers are held to that one's fields before and after.
        """
        old, new = (self._registry.package(each).contract for each in (live, candidate))
        if spec.contract is not None:
            old, new = (replace(each, fields=spec.contract.fields) for each in (old, new))
        breaks = [each for each in compare(old, new).differences if each.compatibility is Compatibility.BREAKING]
        if breaks:
            reasons = "; ".join(f"{each.subject}: {each.reason}" for each in breaks)
            remedy = f"register it under the contract of {live.ref}, or give the endpoint a contract of its own"
            raise BadConfiguration("model", f"{candidate.ref} breaks the contract of {live.ref} ({reasons}); {remedy}")

    def unproved(self, spec: EndpointSpec) -> list[str]:
        """Versions that `spec` would give traffic to, that have no passing evaluation and were not forced."""
        _, members = self.members(spec)
        if spec.people is not None and spec.people.share == 1.0 and not spec.people.suggests:
            return []  # nobody hears what the model says
        return [each.version for each in members if each.weight > 0 and not each.entitled]

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
        return hashlib.blake2b(name, key=self._secret(), digest_size=_SALT_BYTES, person=b"headgate-salt").hexdigest()


def _unheard(state: State, live: str, candidate: str) -> list[Shadow]:
    """Who answers unseen what the other decides: the candidate, and the live version once it has no callers left."""
    return [Shadow(candidate if state.weight < 1.0 else live, state.shadow)] if state.shadow else []


def _readable(text: str, where: str) -> EndpointSpec | None:
    try:
        return load_endpoint(text, where)
    except BadConfiguration as error:
        log.error("%s; gateways go on with what they know", error)
        return None


def _same_question(key: str, name: str, theirs: Contract, live: str, wanted: Contract) -> None:
    mine, yours = wanted.output, theirs.output
    if (mine.task, mine.classes) != (yours.task, yours.classes):
        raise BadConfiguration(key, f"{name} answers another question than {live}: tasks and classes must be the same")


def _same_outputs(key: str, name: str, theirs: Package, live: str, wanted: Package) -> None:
    mine, yours = _outputs(wanted), _outputs(theirs)
    if mine != yours:
        raise BadConfiguration(key, f"{name} answers with {yours}, {live} with {mine}: they must be the same")


def _outputs(package: Package) -> str:
    """What every answer of a package consists of, as callers see it."""
    signature = package.manifest.signature
    match package.contract.output.task:
        case Task.TENSOR:
            return ", ".join(sorted(f"{each.name} ({each.dtype})" for each in signature.outputs)) or "nothing"
        case Task.REGRESSION:
            return "numbers"
        case _:
            return "classes alone" if signature.scores is None else "classes and scores"


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
