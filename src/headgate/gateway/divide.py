"""Which rows of a tick go to which version; pure, but for the identifiers it is given.

Called by `answer.py` once per endpoint and tick. An endpoint with one version, no sticky key and legal rows takes the
short road: no hash is made.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from headgate.errors import Violation
from headgate.gateway.ask import Ask, Share
from headgate.gateway.columns import Matrix, Table
from headgate.gateway.stretch import Span, Stretch
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import ID_BYTES, each_id, format_id
from headgate.journal.records import Input, Refusal
from headgate.traffic.assignment import Assignment
from headgate.vocabulary import Role

ROWS_PER_CALL: Final = 1024
"""Rows of one runtime call."""
QUICK_ROWS_PER_CALL: Final = 4 * ROWS_PER_CALL
"""The same of columns, where the model is quick: to call it costs more than a thousand rows of it do."""
BULK: Final = 64
"""Requests of more rows get calls of their own, so that small ones do not wait for them."""
BISECT_SECONDS: Final = 0.5
"""A failed call is tried again in halves, to find the row that did it, unless failing took longer than this."""

_Key = tuple[str, Role, bool]
DrawBlock = Callable[[int], bytes]
"""So many identifiers in one."""


class Division:
    """The shares of one endpoint's tick."""

    def __init__(
        self,
        view: View,
        assignment: Assignment,
        ids: Iterator[bytes],
        now: int,
        block: DrawBlock,
        *,
        sheds: bool = False,
    ) -> None:
        """`sheds`: no features are captured, whatever the endpoint's policy."""
        self._view = view
        self._assignment = assignment
        self._ids = ids
        self._block = block
        self._now = now
        self._shares: dict[_Key, Share] = {}
        self._sheds = sheds
        self.shed = 0
        """Rows whose features the policy would have kept."""
        self._undivided = (
            not view.sticks and not assignment.arms and view.people is None and view.live.capture.everything
        )
        """Whether all who ask nothing special share one version, and no hash need be made."""
        self.refused: tuple[list[Ask], list[Input]] = ([], [])
        """Whose rows broke their contract, and the records of those rows."""
        self.stretches: list[Stretch] = []
        """What to run of requests that stay columns."""
        self._small: list[tuple[Ask, Matrix]] = []
        """Requests of a few such rows, to be joined."""

    def shares(self) -> list[Share]:
        """What to run, no share larger than one call may be."""
        return [part for share in self._shares.values() for part in _calls(share)]

    def add(self, ask: Ask) -> None:
        """Give each of the request's rows an id and a version."""
        reading = ask.reading
        if reading.columns is not None:
            self._add_table(ask, reading.columns)
            return
        plain = reading.clean and reading.keys is None and reading.at is None
        if plain and self._undivided and ask.pinned is None and not self._sheds:
            self._add_plain(ask)
        else:
            self._add_each(ask)

    def _add_plain(self, ask: Ask) -> None:
        rows = ask.reading.rows
        share = self._share(self._view.live, Role.LIVE, 1.0, len(rows) > BULK)
        ids, now = self._ids, self._now
        first = next(ids)
        request_id = self._name(ask, first)
        share.asks.append(ask)
        share.inputs.append(Input(first, now, rows[0], request_id, 0))  # type: ignore[arg-type] # clean: no Violation
        if len(rows) == 1:
            share.rows.append(rows[0])  # type: ignore[arg-type]
            return
        for place in range(1, len(rows)):
            share.asks.append(ask)
            share.inputs.append(Input(next(ids), now, rows[place], request_id, place))  # type: ignore[arg-type]
        share.rows.extend(rows)  # type: ignore[arg-type]

    def _add_table(self, ask: Ask, columns: Table) -> None:
        """Keep columns together where flags are all that may be special about a row of theirs."""
        reading = ask.reading
        if self._undivided and reading.keys is None and reading.at is None and ask.pinned is None:
            if len(columns) <= BULK and isinstance(columns, Matrix):
                self._small.append((ask, columns))
            else:
                self._add_columns(ask, columns)
            return
        others, ids = self._ids, self._block(len(columns))
        self._ids = iter(each_id(ids))
        self._add_each(ask)
        self._ids = others

    def _add_columns(self, ask: Ask, columns: Table) -> None:
        ids = self._block(len(columns))
        self._name(ask, ids[:ID_BYTES])
        quick = self._view.live.served.placement.inline is not None
        limit = QUICK_ROWS_PER_CALL if quick else ROWS_PER_CALL
        for start in range(0, len(columns), limit):
            stop = min(start + limit, len(columns))
            part, own = columns.part(start, stop), ids[start * ID_BYTES : stop * ID_BYTES]
            self._run((Span(ask, start, stop - start),), part, own)

    def join(self) -> None:
        """Have small requests of columns answered together; called once, after the last was added."""
        spans: list[Span] = []
        parts: list[Matrix] = []
        rows = 0
        for ask, columns in self._small:
            count = len(columns)
            if rows + count > ROWS_PER_CALL:
                self._joined(spans, parts, rows)
                spans, parts, rows = [], [], 0
            spans.append(Span(ask, 0, count))
            parts.append(columns)
            rows += count
        if spans:
            self._joined(spans, parts, rows)

    def _joined(self, spans: list[Span], parts: list[Matrix], rows: int) -> None:
        ids, start = self._block(rows), 0
        for span in spans:
            self._name(span.ask, ids[start : start + ID_BYTES])
            start += span.rows * ID_BYTES
        self._run(spans, Matrix.joined(parts), ids)

    def _run(self, spans: Sequence[Span], columns: Table, ids: bytes) -> None:
        if self._sheds:
            self.shed += len(columns)
        self.stretches.append(Stretch(self._view, spans, columns, ids, at=self._now, sheds=self._sheds))

    def _add_each(self, ask: Ask) -> None:
        reading = ask.reading
        for place, row in enumerate(reading.rows):
            id = next(self._ids)  # noqa: A001 # the domain's own word
            request_id = ask.request_id or self._name(ask, id)
            at = self._now if reading.at is None else reading.at[place]
            entity = None if reading.keys is None else reading.keys[place]
            if isinstance(row, Violation):
                refusal = Refusal(row.field, row.rule, row.message)
                self.refused[0].append(ask)
                self.refused[1].append(Input(id, at, None, request_id, place, entity, refusal=refusal))
                ask.outcomes[place] = row
                continue
            entity = self._entity(entity, row)
            seat, role, probability = self._seat(ask, id, entity)
            share = self._share(seat, role, probability, len(reading.rows) > BULK)
            flags = () if reading.flags is None else reading.flags[place]
            features = self._captured(seat, id, row, own=ask.pinned is not None)
            share.asks.append(ask)
            share.inputs.append(Input(id, at, features, request_id, place, entity, flags=flags))
            share.rows.append(row)

    def _captured(self, seat: Seat, id: bytes, row: tuple[object, ...], *, own: bool) -> tuple[object, ...] | None:  # noqa: A002
        """The features to journal; `own` are those of the seat's contract already."""
        capture = seat.capture
        if not (capture.everybody or capture.samples(id)):
            return None
        if self._sheds:
            self.shed += bool(capture.names)
            return None
        return capture.kept(row if own else seat.convert([row])[0])

    def _seat(self, ask: Ask, id: bytes, entity: str | None) -> tuple[Seat, Role, float]:  # noqa: A002
        if ask.pinned is not None:
            return ask.pinned, Role.PINNED, 1.0
        key = entity.encode() if self._view.sticks and entity is not None else id
        people = self._view.people
        if people is not None and people.takes(key):
            return self._view.live, Role.HUMAN, people.share
        version, probability = self._assignment.version(key)
        seat = self._view.seats[version]
        return seat, seat.role, probability if people is None else probability * (1.0 - people.share)

    def _entity(self, key: str | None, row: tuple[object, ...]) -> str | None:
        if key is not None or self._view.sticky is None:
            return key
        value = self._view.sticky(row)
        return None if value is None else str(value)

    def _name(self, ask: Ask, first: bytes) -> str:
        ask.first_id = format_id(first)
        ask.request_id = ask.reading.id or ask.first_id
        return ask.request_id

    def _share(self, seat: Seat, role: Role, probability: float, bulk: bool) -> Share:
        key = (seat.version, role, bulk)
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(self._view, seat, role, probability)
        return share


def divide(
    view: View,
    asks: Sequence[Ask],
    assignment: Assignment,
    ids: Iterator[bytes],
    now: int,
    *,
    block: DrawBlock | None = None,
    sheds: bool = False,
) -> Division:
    """The rows of `asks`, each with an identifier, by the version that `assignment` gives them.

    Rows that came as columns get theirs from `block` where there is one, all others from `ids`. Where it `sheds`,
    features are not kept; ids, arms and outputs always are.
    """
    drawn = block or (lambda count: b"".join(islice(ids, count)))
    division = Division(view, assignment, ids, now, drawn, sheds=sheds)
    for ask in asks:
        division.add(ask)
    division.join()
    return division


def _calls(share: Share) -> list[Share]:
    limit = 1 if share.seat.served.feeds.ragged else ROWS_PER_CALL
    if len(share.rows) <= limit:
        return [share]
    places = range(len(share.rows))
    return [share.part(places[start : start + limit]) for start in range(0, len(share.rows), limit)]
