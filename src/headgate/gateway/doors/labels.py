"""What turned out to be true: ``POST /v1/endpoints/{endpoint}/labels`` and ``/decisions``.

All of a request is kept or none of it: the first entry that breaks a rule refuses the request and is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

import msgspec

from headgate.clock import Clock
from headgate.contracts.decode import label_violation, parse_json
from headgate.contracts.explain import class_of, micros, off_calendar
from headgate.errors import BadInput, JournalUnavailable, PassingError
from headgate.gateway.doors.errors import refuse
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import send
from headgate.gateway.reading import LONGEST_ID, LONGEST_KEY
from headgate.gateway.remember import Memory
from headgate.gateway.view import View
from headgate.journal.identifiers import Mint, parse_id
from headgate.journal.records import Block, Label, Source
from headgate.vocabulary import Task, readable

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@readable
class Entry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One label as callers send it; `label` is checked against the contract afterwards."""

    id: str | None = None
    request_id: _Name | None = None
    row: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    key: _Key | None = None
    at: _Moment | None = None
    label: Any = msgspec.UNSET
    decision: Any = msgspec.UNSET
    observed_at: _Moment | None = None
    actor: _Name | None = None


_HINTS: Final = {
    "id": "expected the text of an id",
    "request_id": f"expected text of 1 to {LONGEST_ID} characters",
    "row": "expected a whole number from 0",
    "key": f"expected text of 1 to {LONGEST_KEY} characters",
    "at": "expected an RFC 3339 moment with an offset",
    "observed_at": "expected an RFC 3339 moment with an offset",
    "actor": f"expected text of 1 to {LONGEST_ID} characters",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How labels and decisions differ on the wire."""

    source: Source
    listed: str
    """The list in the body."""
    value: str
    """The truth in each entry."""
    fields: frozenset[str]


_REFERENCE: Final = frozenset({"id", "request_id", "row", "key", "at", "observed_at"})
LABELS: Final = Kind(Source.LABEL, "labels", "label", _REFERENCE | {"label"})
DECISIONS: Final = Kind(Source.HUMAN, "decisions", "decision", _REFERENCE | {"decision", "actor"})


class LabelDoor:
    """Translates labels, or people's decisions."""

    def __init__(self, kind: Kind, *, memory: Memory, mint: Mint, clock: Clock, entries_limit: int) -> None:
        """`entries_limit` bounds the entries of one request."""
        self._kind = kind
        self._entries_limit = entries_limit
        self._memory = memory
        self._mint = mint
        self._clock = clock

    def open(self, exchange: Exchange, view: View) -> None:
        """Keep what `exchange` says, and say so once it is kept."""
        try:
            if view.must_remember:
                self._memory.check()
            caller = exchange.caller
            labels = self._labels(self._entries(exchange.body), view, None if caller is None else caller.name)
            if caller is not None:
                caller.charge(len(labels))
        except (BadInput, PassingError) as error:
            view.count.replied(self._kind.listed, refuse(exchange, error, version=view.live.header), 0.0)
            return
        done = partial(self._kept, exchange, view, labels)
        self._memory.keep_surely(view, view.live.schema, Block(labels=labels), done)

    def _kept(self, exchange: Exchange, view: View, labels: list[Label], problem: JournalUnavailable | None) -> None:
        # A label that was not kept is lost whatever the policy, so its sender must know.
        if problem is not None:
            view.count.replied(self._kind.listed, refuse(exchange, problem, version=view.live.header), 0.0)
            return
        self._counted(view, labels)
        send(exchange, 200, b'{"accepted":%d}' % len(labels), version=view.live.header)

    def _counted(self, view: View, labels: list[Label]) -> None:
        """Count what is about to be told: who reads it may look at the counts at once."""
        view.count.replied(self._kind.listed, 200, 0.0)
        view.count.labelled(self._kind.source, len(labels))
        for label in labels:
            if label.input_id is not None:
                view.count.lagged(self._mint.age(label.input_id))

    def _entries(self, body: bytes) -> Sequence[dict[str, Any]]:
        document, listed = parse_json(body, "body"), self._kind.listed
        if not isinstance(document, dict):
            raise BadInput("body", "type", f"expected an object with '{listed}', got {class_of(document)}")
        for name in document:
            if name != listed:
                raise BadInput(name[:64], "unknown", f"is no part of this request: '{listed}' is")
        entries = document.get(listed)
        if not isinstance(entries, list):
            raise BadInput(listed, "missing" if entries is None else "type", "expected a list")
        if not 1 <= len(entries) <= self._entries_limit:
            raise BadInput(listed, "size", f"a request has 1 to {self._entries_limit} entries")
        return entries

    def _labels(self, entries: Sequence[object], view: View, caller: str | None) -> list[Label]:
        now = self._clock.now()
        ids = self._mint.draw_many(view.tag, len(entries))
        paths = [f"{self._kind.listed}[{place}]" for place in range(len(entries))]
        labels = []
        for raw, path, id_ in zip(entries, paths, ids, strict=True):
            entry = self._checked(raw, path)
            label = self._label(entry, path, view, id_, now)
            label.actor = self._actor(entry, path, caller)
            labels.append(label)
        return labels

    def _actor(self, entry: Entry, path: str, caller: str | None) -> str:
        """Who decided: a caller whose name is known and nobody else, for cases are held under that name too."""
        if caller is None or self._kind.source is not Source.HUMAN:
            return entry.actor or ""
        if entry.actor not in (None, caller):
            raise BadInput(f"{path}.actor", "actor", f"is not who shows this key; leave it out, or say {caller}")
        return caller

    def _label(self, entry: Entry, path: str, view: View, id: bytes, now: int) -> Label:  # noqa: A002
        value = getattr(entry, self._kind.value)
        if value is msgspec.UNSET:
            raise BadInput(f"{path}.{self._kind.value}", "missing", "is what this request is for; add it")
        violation = label_violation(view.live.served.contract.output, value, f"{path}.{self._kind.value}")
        if violation is not None:
            raise violation.as_error()
        if view.live.served.contract.output.task is Task.REGRESSION:
            value = float(value)
        observed = now if entry.observed_at is None else micros(entry.observed_at)
        label = Label(id, now, observed, value, source=self._kind.source)
        self._refer(label, entry, path, view)
        return label

    def _checked(self, raw: object, path: str) -> Entry:
        if not isinstance(raw, dict):
            raise BadInput(path, "type", f"expected an object, got {class_of(raw)}")
        for name, value in raw.items():
            if name not in self._kind.fields:
                allowed = ", ".join(sorted(self._kind.fields))
                raise BadInput(f"{path}.{name[:64]}", "unknown", f"is no part of an entry: {allowed} are")
            try:
                read = getattr(msgspec.convert({name: value}, Entry), name)
            except msgspec.ValidationError as error:
                raise BadInput(f"{path}.{name}", "type", _HINTS.get(name, "is of the wrong type")) from error
            if isinstance(read, datetime) and off_calendar(read):
                raise BadInput(f"{path}.{name}", "type", "expected a moment within the years 1 to 9999")
        return msgspec.convert(raw, Entry)

    def _refer(self, label: Label, entry: Entry, path: str, view: View) -> None:
        """Fill in which input `entry` speaks of, in exactly one of the three ways."""
        ways = [entry.id is not None, entry.request_id is not None, entry.key is not None]
        if sum(ways) != 1:
            found = "none" if not any(ways) else "several"
            raise BadInput(path, "reference", f"needs exactly one of id, request_id + row, key + at; it has {found}")
        if entry.id is not None:
            label.input_id = parse_id(entry.id, f"{path}.id")
            if not self._mint.issued(view.tag, label.input_id):
                raise BadInput(f"{path}.id", "known_id", "was never given to a row of this endpoint; send a reply's id")
        elif entry.request_id is not None:
            label.request_id, label.row = entry.request_id, entry.row or 0
        else:
            if entry.at is None:
                raise BadInput(f"{path}.at", "missing", "a key needs the moment it is meant for")
            label.entity, label.entity_at = entry.key, micros(entry.at)
        stray = (entry.row is not None and entry.request_id is None, entry.at is not None and entry.key is None)
        if any(stray):
            raise BadInput(f"{path}.{'row' if stray[0] else 'at'}", "reference", "goes with request_id or key only")
