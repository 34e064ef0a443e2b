"""Follows aliases of a tracking server: what one points at is registered, proved and rolled out, once.

The controller alone runs it, on a thread of its own: it waits for the server, and nothing waits for it. Each step may
be taken again, so that one cut short is finished by the next look.
"""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import pyarrow.parquet as pq

from headgate import durability
from headgate.app.facade import Headgate
from headgate.clock import Clock, SystemClock
from headgate.contracts.yaml_text import write_yaml
from headgate.errors import BadInput, CallerError, Conflict, HeadgateError, OperatorError
from headgate.events import Event, EventKind
from headgate.registry.packages import REFERENCE
from headgate.registry.ports import Version
from headgate.registry.register import Registration, register
from headgate.retraining.proof.terms import Terms
from headgate.retraining.proof.values import Proof
from headgate.runtimes.predictor import predict_with
from headgate.tracking.following import Reached, Step, decide
from headgate.tracking.models import Found, fetch, find, known_as, read_uri
from headgate.tracking.sending import DIGEST_TAG
from headgate.tracking.trackingfile import Followed
from headgate.tracking.webhook import Heard
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import SECOND, Micros

log = logging.getLogger("headgate.tracking")

EVERY_S: Final = 30.0
"""Seconds between two looks at an alias; a webhook makes the next one come at once."""
ACTOR: Final = "mlflow"
"""Who the history says it was."""


class Following:
    """The aliases that endpoints of one home follow; call `turn` from one thread."""

    def __init__(self, hg: Headgate, *, wall: Clock | None = None) -> None:
        """`wall` is the real clock, by which aliases are looked at; everything else goes by the endpoints' own."""
        self._hg = hg
        self._wall = wall or SystemClock()
        self._next = Micros(0)
        self._heard: Heard | None = None
        self._folder = hg.home.tracking / "followed"

    def turn(self, *, at_once: bool = False) -> list[Reached]:
        """Look where aliases point, if it is time, and do what is to be done; returns what was done."""
        tracking = self._hg.tracking
        if not tracking.wanted():
            return []
        heard = tracking.last_heard()
        if not at_once and heard == self._heard and self._wall.now() < self._next:
            return []
        self._heard = heard
        self._next = Micros(self._wall.now() + round(EVERY_S * SECOND))
        said = tracking.said()
        done = []
        for endpoint, followed in () if said is None else said.follow.items():
            try:
                reached = self._look(endpoint, followed)
            except HeadgateError as error:  # one that cannot be looked at must not keep the others
                log.warning("the alias that %s follows: %s", endpoint, error)
                continue
            if reached is not None:
                done.append(reached)
        return done

    def _look(self, endpoint: str, followed: Followed) -> Reached | None:
        found = find(self._hg.tracking.exchange(), read_uri(followed.model))
        before = self._hg.tracking.reached().get(endpoint)
        rolling = any(not each.state.ended for each in self._hg.rollouts.history(endpoint))
        if decide(before, found, rolling=rolling) is not Step.TAKE:
            return None
        begun = before
        if begun is None or (begun.name, begun.version) != (found.name, found.version) or begun.done:
            begun = Reached(name=found.name, version=found.version, at=self._now())
            # Before anything is done: whoever is killed behind it knows which rollout is of this move of the alias.
            self._keep(endpoint, begun)
        try:
            after = self._take(endpoint, followed, found, begun)
        except Conflict:
            raise  # somebody is at it; the next look goes on
        except (CallerError, OperatorError) as error:
            after = msgspec.structs.replace(begun, done=True, said=f"not taken: {error}")
        self._keep(endpoint, after)
        self._note(endpoint, followed, after)
        return after

    def _take(self, endpoint: str, followed: Followed, found: Found, begun: Reached) -> Reached:
        live = self._hg.registry.resolve(self._spec(endpoint).model, project=self._hg.project)
        version = self._registered(followed, found, live)
        reached = msgspec.structs.replace(begun, became=version.ref)
        if version.ref == live.ref:
            return msgspec.structs.replace(reached, done=True, said="it is in charge already")
        rollouts = self._hg.rollouts.history(endpoint)
        if any(each.plan.candidate == version.ref and each.started >= begun.at for each in rollouts):
            return msgspec.structs.replace(reached, done=True, said="its rollout has begun")
        proof = self._proved(endpoint, followed, version, live)
        if not proof.may_promote:
            asks = f"; headgate deploy begins its rollout on a person's word ({version.ref})" if proof.passed else ""
            return msgspec.structs.replace(reached, done=True, said=f"not proved: {proof.why}{asks}")
        why = f"{followed.model} points at version {found.version}"
        plan = {"endpoint": endpoint, "candidate": version.ref, "strategy": followed.strategy, "why": why}
        self._hg.rollouts.by(ACTOR).deploy(write_yaml(plan), endpoint=endpoint)
        return msgspec.structs.replace(reached, done=True, said="its rollout has begun")

    def _registered(self, followed: Followed, found: Found, live: Version) -> Version:
        """The version it becomes; one that came from there before, or was put there from here, is the one there is."""
        digest = dict(found.tags).get(DIGEST_TAG)
        for each in reversed(self._hg.versions(live.model)):
            if known_as(each.code) == (found.name, found.version) or each.digest == digest:
                return each
        reference = pq.read_table(self._hg.registry.package(live).path / REFERENCE)
        contract = self._hg.registry.package(live).contract
        label = contract.output.label if contract.output.label in reference.column_names else None
        asked = Registration(
            name=live.model,
            label=label,
            parent=live.ref,
            code=found.code,
            why=f"{followed.model} points at it",
            actor=ACTOR,
            trust=followed.trust,
            project=self._hg.project,
        )
        with tempfile.TemporaryDirectory(prefix="headgate-tracking-") as folder:
            file = fetch(self._hg.tracking.exchange(), found, Path(folder))
            return register(self._hg.registry, predict_with, file, reference, asked).version

    def _proved(self, endpoint: str, followed: Followed, version: Version, live: Version) -> Proof:
        """Proved on the journal's newest rows; where too few have a label, on those the live version came with."""
        proving = replace(self._hg.proving, actor=ACTOR)
        terms = Terms(gates=followed.gates)
        try:
            proof = proving.prove(version.ref, against=live.ref, endpoint=endpoint, terms=terms)
        except BadInput as error:
            log.info("%s cannot be proved on the journal of %s: %s", version.ref, endpoint, error)
        else:
            if proof.rows >= terms.minimum_rows:
                return proof
        rows = pq.read_table(self._hg.registry.package(live).path / REFERENCE)
        return proving.prove(version.ref, against=live.ref, rows=rows, terms=terms)

    def _spec(self, endpoint: str) -> EndpointSpec:
        return self._hg.rollouts.declared.spec(self._hg.project, endpoint)

    def _now(self) -> Micros:
        return self._hg.rollouts.clock.now()

    def _keep(self, endpoint: str, reached: Reached) -> None:
        durability.make_folder(self._folder)
        beside = self._folder / f".{endpoint}.tmp"
        beside.write_bytes(msgspec.json.encode(reached))
        durability.sync(beside)
        beside.replace(self._folder / f"{endpoint}.json")
        durability.sync(self._folder)

    def _note(self, endpoint: str, followed: Followed, reached: Reached) -> None:
        details: dict[str, str | int | float | bool | None] = {
            "model": followed.model,
            "version": reached.version,
            "became": reached.became,
        }
        where = self._hg.project, endpoint
        self._hg.tracking.events.add_event(Event(self._now(), EventKind.FOLLOWED, *where, ACTOR, reached.said, details))
