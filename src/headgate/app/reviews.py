"""Cases for people: the next one to decide, and those somebody has; one method per word of the command line."""

from dataclasses import dataclass
from typing import Final

import msgspec
import pyarrow.compute as pc

from headgate.clock import Clock
from headgate.contracts.contract import Field, Kind
from headgate.controller.declared import Declared
from headgate.errors import IntegrityError, NotFound
from headgate.gateway.large import MEDIA_TYPES, UNKNOWN, is_long_text, reference_in
from headgate.journal.blobs import BlobRef, BlobStore
from headgate.journal.reader import Reader
from headgate.review.cases import NEEDED, ROLES, Shares, Waiting, waiting
from headgate.review.leases import LeaseStore, by_input, holders, offers
from headgate.traffic.endpoint import EndpointSpec, Live, Review
from headgate.vocabulary import DAY, SECOND, Micros, Role

REACH: Final = Micros(30 * DAY)
"""How old a case may be; nobody waits for the decision of an older one."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One input for one person."""

    input_id: str
    """What the decision has to name as ``id``."""
    at: Micros
    features: dict[str, object]
    """By field, the personal ones among them; a picture is ``{"blob", "size", "media_type"}``, to be asked for."""
    until: Micros
    """Until when nobody else gets it."""
    suggestion: object = None
    """What the model says, where the endpoint shows it."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for people."""

    cases: int
    """Inputs that lack a decision."""
    audits: int
    """Of these, inputs that the model decided."""
    oldest: Micros | None
    """Event time of the one that waits longest."""
    held: int
    """Cases somebody has."""


@dataclass(frozen=True, slots=True)
class Reviews:
    """The cases of one project's endpoints."""

    project: str
    declared: Declared
    leases: LeaseStore
    reader: Reader
    blobs: BlobStore
    clock: Clock

    def next(self, endpoint: str, reviewer: str) -> Case | None:
        """The case that `reviewer` has, else the oldest that nobody has; None where none waits.

        Whoever has one keeps it until it is decided, skipped, or the lease has run out. Raises NotFound.
        """
        spec, now = self.declared.spec(self.project, endpoint), self.clock.now()
        where, until = (self.project, endpoint), Micros(now + _rule(spec).lease_s * SECOND)
        cases, held = self._waiting(spec, now), self.leases.leases(*where, now)
        for offer in offers(cases, held, self.leases.skipped(*where, reviewer), reviewer, until):
            if self.leases.take_case(*where, offer, now):
                return self._case(spec, offer.input_id, until)
        return None

    def skip(self, endpoint: str, input_id: str, reviewer: str) -> None:
        """Give a case back; `reviewer` does not get it again. Raises NotFound where the journal has no such input."""
        self.declared.spec(self.project, endpoint)
        if self.reader.find(self.project, endpoint, input_id) is None:
            raise NotFound("input", input_id[:64], f"the journal of '{endpoint}' has none of that id")
        self.leases.skip_case(self.project, endpoint, input_id, reviewer)

    def queue(self, endpoint: str) -> Queue:
        """What waits. Raises NotFound."""
        spec, now = self.declared.spec(self.project, endpoint), self.clock.now()
        cases = self._waiting(spec, now)
        held = by_input(self.leases.leases(self.project, endpoint, now))
        return Queue(
            cases=len(cases),
            audits=sum(each.audit for each in cases),
            oldest=cases[0].at if cases else None,
            held=sum(bool(holders(each, held.get(each.input_id, ()))) for each in cases),
        )

    def picture(self, endpoint: str, input_id: str, field: str) -> tuple[bytes, str]:
        """The bytes and the media type of a value that is kept beside the journal. Raises NotFound.

        The type is one that gateways give, and none that a caller made up.
        """
        fields = self._fields(self.declared.spec(self.project, endpoint))
        found = self.reader.find(self.project, endpoint, input_id, personal=True)
        value = None if found is None else found.features.get(field)
        reference = self._reference(fields.get(field), value)
        if reference is None:
            raise NotFound("picture", f"{input_id[:64]}/{field[:64]}", "no value of that input is kept apart")
        media_type = reference.media_type if reference.media_type in MEDIA_TYPES else UNKNOWN
        return self.blobs.get(reference.digest), media_type

    def _waiting(self, spec: EndpointSpec, now: Micros) -> list[Waiting]:
        start, end = Micros(now - REACH), Micros(now + 1)
        joined = self.reader.joined(
            self.project, spec.endpoint, start=start, end=end, as_of=now, roles=ROLES, columns=NEEDED
        )
        return waiting(joined, self._shares(spec))

    def _shares(self, spec: EndpointSpec) -> Shares:
        rule = _rule(spec)
        audited = rule.audit_percent / 100 if spec.live is Live.HUMAN or spec.review is not None else 0.0
        return Shares(rule.double_percent / 100, audited, self.declared.resolve(spec).salt)

    def _case(self, spec: EndpointSpec, input_id: str, until: Micros) -> Case:
        found = self.reader.find(self.project, spec.endpoint, input_id, personal=True)
        if found is None:
            raise NotFound("input", input_id, "it passed its retention just now")
        fields = self._fields(spec)
        shown = found.answers.filter(pc.equal(found.answers["role"], Role.SUGGESTION.value))
        return Case(
            input_id=input_id,
            at=found.at,
            features={name: self._shown(fields.get(name), value) for name, value in found.features.items()},
            until=until,
            suggestion=shown["prediction"].to_pylist()[0] if len(shown) else None,
        )

    def _fields(self, spec: EndpointSpec) -> dict[str, Field]:
        return {each.name: each for each in self.declared.live_contract(spec).fields}

    def _shown(self, field: Field | None, value: object) -> object:
        reference = self._reference(field, value)
        if reference is None:
            return value
        return {"blob": reference.digest, "size": reference.size, "media_type": reference.media_type}

    def _reference(self, field: Field | None, value: object) -> BlobRef | None:
        """The reference that a value is; None where it is one of its own, be it a text that looks like a reference."""
        found = None if field is None else reference_in(field, value)
        if field is None or found is None or field.kind is not Kind.TEXT:
            return found
        try:
            return found if is_long_text(found, self.blobs.get(found.digest)) else None
        except NotFound:
            return None
        except IntegrityError:  # it is there, and whoever asks for it is told what is wrong with it
            return found


def _rule(spec: EndpointSpec) -> Review:
    return spec.review or Review()
