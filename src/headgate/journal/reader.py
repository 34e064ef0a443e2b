"""Reads the journal as one thing: what the lake holds and what is not sealed yet, each record once.

Monitors, training, the controller and the Python API ask here. A reading lists the segments first, then loads
the tables, then reads the segments: what was sealed in between is in the tables, and a segment that vanished
meanwhile makes it begin again. Features and personal values are read only when asked for.
"""

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from headgate.errors import BadInput, NotFound, Unavailable
from headgate.journal.labels import (
    ANSWER_COLUMNS,
    INPUT_COLUMNS,
    JOINED_BY,
    JOINED_COLUMNS,
    LABEL_COLUMNS,
    Join,
    ask_joined,
)
from headgate.journal.lake import ALL_DAYS, Days, Generation, Lake, home_of
from headgate.journal.ports import SegmentRef, SegmentSource
from headgate.journal.queries import report
from headgate.journal.records import Refusal, Schema
from headgate.journal.snapshots import Snapshots
from headgate.journal.tables import DATED, FEATURES, MOMENT, Table, arrow_schema, conform, unite
from headgate.journal.tail import Part, Tail
from headgate.vocabulary import DAY, Micros, Role

Result = TypeVar("Result")
LIVE_ROLES: Final = (Role.LIVE, Role.CANARY)
_RELATIONS: Final = (
    (Table.INPUTS, INPUT_COLUMNS), (Table.ANSWERS, ANSWER_COLUMNS), (Table.LABELS, LABEL_COLUMNS),
)  # fmt: skip
"""What a join works on."""
RETRY_DAYS: Final = 1
"""How far before a window a first asking is looked for, so that a retry in the window does not count again."""
ATTEMPTS: Final = 10
"""How often a reading begins again when what it reads is sealed or compacted meanwhile."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the journal holds of one endpoint."""

    inputs: int
    """Rows asked, retries not counted; answered, refused, or neither."""
    refused: int
    answered: int
    """Inputs at least one version answered."""
    repeated: int
    """Inputs a retried request asked again."""
    answers: int
    """Every answer of every role, retries included."""
    labels: int
    """Labels received, revisions included, duplicates not."""
    labelled: int
    """Inputs whose truth is known."""
    unmatched: int
    """Labels that speak of no input."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the journal holds of one input."""

    input_id: str
    at: Micros
    request_id: str
    row: int
    entity: str | None
    contract: str
    flags: tuple[str, ...]
    refusal: Refusal | None
    features: Mapping[str, object]
    """Values by field; empty when capture left the row out or it was refused."""
    answers: pa.Table
    labels: pa.Table
    """Labels that name this input by its id or by its request and row, every revision."""


@dataclass(frozen=True, slots=True)
class View:
    """The tables of one endpoint at one moment: snapshots of the lake, and parts no snapshot holds."""

    generations: Mapping[Table, Sequence[Generation]]
    parts: Sequence[Part]

    def read(
        self, table: Table, columns: Sequence[str], days: Days = ALL_DAYS, where: pc.Expression | None = None
    ) -> pa.Table:
        """The rows of a table; columns its generations type differently come in a type that holds all."""
        pieces = [each.read(columns, days, where) for each in self.generations[table]]
        for part in self.parts:
            if part.table is table:
                # Whole days here as in the lake: a window says the same before and after a seal.
                rows = of_days(part.rows, days) if table in DATED else part.rows
                rows = rows if where is None else rows.filter(where)
                pieces.append(rows.select([each for each in columns if each in rows.column_names]))
        return laid_together(pieces, columns, table)

    def holds(self, table: Table, days: Days) -> bool:
        """Whether a table may have rows of `days`; no file is opened for it."""
        if any(each.files(days) for each in self.generations[table]):
            return True
        return any(len(of_days(part.rows, days)) for part in self.parts if part.table is table)

    def read_some(self, table: Table, columns: Sequence[str], asked: Collection[str], days: Days) -> pa.Table:
        """The rows of a table with all of `columns`; those not `asked` for are not read, and null."""
        rows = self.read(table, [each for each in columns if each in asked], days)
        return conform(rows, united([rows], columns, table))


class Reader:
    """Reads every endpoint's journal in `lake` and in the segments of `source`; threads may share it.

    >>> from pathlib import Path
    >>> from headgate.testing.segments import MemorySegments
    >>> reader = Reader(Lake(Path("no-such-lake")), MemorySegments())
    >>> reader.counts("default", "flights").inputs, reader.joined("default", "flights").num_rows
    (0, 0)
    """

    def __init__(self, lake: Lake, source: SegmentSource) -> None:
        self._lake = lake
        self._snapshots = Snapshots(lake)
        self._source = source
        self._tail = Tail(source)
        self._beside = ThreadPoolExecutor()  # as long as the reader: a small join would take as long to start a thread
        self._lock = threading.Lock()

    def endpoints(self) -> list[tuple[str, str]]:
        """Every (project, endpoint) the journal knows, sorted."""

        def read() -> list[tuple[str, str]]:
            segments = self._source.segments()
            sealed = self._lake.endpoints()
            return sorted({*sealed, *((each.schema.project, each.schema.endpoint) for each in self._parts(segments))})

        return self._again(read)

    def joined(
        self,
        project: str,
        endpoint: str,
        *,
        start: Micros | None = None,
        end: Micros | None = None,
        as_of: Micros | None = None,
        labels_since: Micros | None = None,
        roles: Sequence[str] = LIVE_ROLES,
        columns: Sequence[str] = JOINED_COLUMNS,
    ) -> pa.Table:
        """One row per input in [start, end) and answer in one of `roles`, by event time.

        Labels count if observed and received by `as_of`, and not received before `labels_since`: who asks for a few
        days need not have the labels of all years read. Inputs nobody answered, refused ones among them, have a
        null answer. A retry counts as new when its first asking lies more than a day before `start`. Fewer
        `columns` are read faster. Raises BadInput for a column that is none, and for none at all.
        """
        if not columns:
            raise BadInput("columns", "empty", f"name at least one of {', '.join(JOINED_COLUMNS)}")
        if unknown := sorted(set(columns) - set(JOINED_COLUMNS)):
            raise BadInput("columns", "unknown", f"no column is {unknown[0]!r}; there are {', '.join(JOINED_COLUMNS)}")

        def read() -> pa.Table:
            with self._join(project, endpoint, (start, end), (labels_since, as_of), columns=columns) as join:
                return join.joined(roles, start, end, columns)

        return self._again(read)

    def counts(self, project: str, endpoint: str, *, as_of: Micros | None = None) -> Counts:
        """How much the journal holds; labels count if observed and received by `as_of`."""

        def read() -> Counts:
            with self._join(project, endpoint, known=(None, as_of), columns=("refusal_rule",)) as join:
                return Counts(**join.ask("counts").to_pylist()[0])

        return self._again(read)

    def labels_unmatched(self, project: str, endpoint: str, *, as_of: Micros | None = None) -> pa.Table:
        """Labels received by `as_of` that speak of no input, in the order they came."""

        def read() -> pa.Table:
            with self._join(project, endpoint, known=(None, as_of), columns=()) as join:
                return join.ask("unmatched")

        return self._again(read)

    def query(
        self,
        name: str,
        project: str,
        endpoint: str,
        *,
        start: Micros | None = None,
        end: Micros | None = None,
        as_of: Micros | None = None,
        roles: Sequence[str] = LIVE_ROLES,
        **params: object,
    ) -> pa.Table:
        """A report of ``queries.sql`` over `joined`; `params` are the names with a ``$`` in it.

        Raises NotFound for a name that is no report.
        """
        asked = report(name)
        joined = self.joined(project, endpoint, start=start, end=end, as_of=as_of, roles=roles)
        return ask_joined(asked, joined, params)

    def features(
        self, project: str, endpoint: str, *, start: Micros | None = None, end: Micros | None = None
    ) -> pa.Table:
        """``input_id`` and the public ``features`` (a struct) of inputs in [start, end) whose features were kept."""

        def read() -> pa.Table:
            return features_within(self._view(project, endpoint, (Table.INPUTS,)), start, end)

        return self._again(read)

    def mark(self, project: str, endpoint: str) -> Hashable:
        """What the journal of an endpoint is like: while it stays the same, nothing new can be read.

        Costs a listing, for those who look at very many endpoints of which hardly any has news.
        """
        return tuple(self._source.segments()), self._lake.mark(project, endpoint)

    def looked(self, project: str, endpoint: str, tables: Sequence[Table], look: Callable[[View], Result]) -> Result:
        """What `look` makes of some tables of an endpoint as they are now; it is asked again where that went wrong."""
        return self._again(lambda: look(self._view(project, endpoint, tables)))

    def find(self, project: str, endpoint: str, input_id: str, *, personal: bool = False) -> Found | None:
        """Everything about one input, its personal values only if asked for; None when the journal has none."""
        tables = (Table.INPUTS, Table.PERSONAL, Table.ANSWERS, Table.LABELS)

        def read() -> Found | None:
            view = self._view(
                project, endpoint, tables if personal else tuple(t for t in tables if t != Table.PERSONAL)
            )
            mine = pc.field("input_id") == input_id
            columns = (*INPUT_COLUMNS, "contract", FEATURES)
            rows = view.read(Table.INPUTS, columns, where=mine).to_pylist()
            if not rows:
                return None
            row = rows[0]
            side = view.read(Table.PERSONAL, ("input_id", FEATURES), where=mine).to_pylist() if personal else []
            by_request = (pc.field("request_id") == row["request_id"]) & (pc.field("row") == row["row"])
            labels = view.read(Table.LABELS, LABEL_COLUMNS, where=mine | by_request)
            answers = view.read(Table.ANSWERS, ANSWER_COLUMNS, where=mine)
            return _found(row, side[0] if side else {}, answers, labels)

        return self._again(read)

    def _join(
        self,
        project: str,
        endpoint: str,
        within: tuple[Micros | None, Micros | None] = (None, None),
        known: tuple[Micros | None, Micros | None] = (None, None),
        *,
        columns: Sequence[str],
    ) -> Join:
        """What the queries work on, with `columns` and what a join goes by; other columns are null.

        Of days on which nothing was asked nothing is read.
        """
        start, end = within
        view = self._view(project, endpoint, (Table.INPUTS, Table.ANSWERS, Table.LABELS))
        if within != (None, None) and not view.holds(Table.INPUTS, _days_within(start, end)):
            return Join(*(laid_together([], names, table) for table, names in _RELATIONS))
        asked = {*columns, *JOINED_BY}
        answers = self._beside.submit(view.read_some, Table.ANSWERS, ANSWER_COLUMNS, asked, days_of(start, end))
        labels = view.read(Table.LABELS, LABEL_COLUMNS, where=_known(*known))
        # A label by entity may belong to an input after the window: without it, one in the window would take it.
        by_entity = labels.column("entity").null_count < len(labels)
        also, until = ({"entity"}, None) if by_entity else (set(), end)
        inputs = view.read_some(Table.INPUTS, INPUT_COLUMNS, asked | also, days_of(start, until))
        return Join(inputs, answers.result(), labels)

    def _view(self, project: str, endpoint: str, tables: Sequence[Table]) -> View:
        segments = self._source.segments()
        # Inputs before answers before labels: what a later snapshot has more of joins nothing and is left out.
        generations = {each: self._snapshots.generations(project, endpoint, each) for each in tables}
        parts = [
            part
            for part in self._parts(segments)
            if (part.schema.project, part.schema.endpoint) == (project, endpoint)
            and part.table in generations
            and not _is_sealed(part, generations[part.table])
        ]
        return View(generations, parts)

    def _parts(self, segments: Iterable[SegmentRef]) -> list[Part]:
        with self._lock:
            return self._tail.parts(segments)

    def _again(self, read: Callable[[], Result]) -> Result:
        for _ in range(ATTEMPTS):
            try:
                return read()
            except FileNotFoundError:
                continue
            except NotFound as missing:
                if missing.what != "segment":
                    raise
        raise Unavailable("the journal is being rearranged faster than it can be read; try again")


def features_within(view: View, start: Micros | None, end: Micros | None) -> pa.Table:
    """``input_id`` and public ``features`` of a view's inputs in [start, end) whose features were kept."""
    rows = view.read(Table.INPUTS, ("input_id", "at", FEATURES), _days_within(start, end), _within(start, end))
    return rows.filter(pc.is_valid(rows.column(FEATURES))).drop_columns(["at"])


def _is_sealed(part: Part, generations: Sequence[Generation]) -> bool:
    home = home_of(generations, part.rows.schema)
    return home is not None and part.sequence <= home.sealed(part.stream)


def _days_within(start: int | None, end: int | None) -> Days:
    """The days on which moments in [start, end) lie."""
    return Days(None if start is None else _day(start), None if end is None else _day(end - 1))


def _day(moment: int) -> date:
    """The UTC day of a moment; one beyond the calendar is its first or last."""
    days = moment // DAY + date(1970, 1, 1).toordinal()
    return date.fromordinal(min(max(days, date.min.toordinal() + RETRY_DAYS), date.max.toordinal()))


def of_days(rows: pa.Table, days: Days) -> pa.Table:
    """The rows of `days`, and those whose day is unknown."""
    if days == ALL_DAYS or not len(rows):
        return rows
    day = rows.column("date")
    held = pc.is_null(day)
    after = True if days.first is None else pc.greater_equal(day, pa.scalar(days.first, pa.date32()))
    before = True if days.last is None else pc.less_equal(day, pa.scalar(days.last, pa.date32()))
    return rows.filter(pc.or_kleene(held, pc.and_kleene(after, before)))


def days_of(start: int | None, end: int | None) -> Days:
    """The days that hold the inputs of [start, end), and those before whose retries they may be."""
    days = _days_within(start, end)
    return Days(None if days.first is None else days.first - timedelta(days=RETRY_DAYS), days.last)


def _within(start: int | None, end: int | None) -> pc.Expression | None:
    bounds = []
    if start is not None:
        bounds.append(pc.field("at") >= pa.scalar(start, pa.int64()).cast(MOMENT))
    if end is not None:
        bounds.append(pc.field("at") < pa.scalar(end, pa.int64()).cast(MOMENT))
    return reduce(lambda one, other: one & other, bounds) if bounds else None


def _known(since: int | None, as_of: int | None) -> pc.Expression | None:
    """Labels received from one moment to another; those observed later still were sent ahead and do not count."""
    bounds = []
    if since is not None:
        bounds.append(pc.field("received_at") >= pa.scalar(since, pa.int64()).cast(MOMENT))
    if as_of is not None:
        moment = pa.scalar(as_of, pa.int64()).cast(MOMENT)
        bounds += [pc.field("received_at") <= moment, pc.field("observed_at") <= moment]
    return reduce(lambda one, other: one & other, bounds) if bounds else None


_UNKNOWN: Final = Schema("", "", "", (), "", "text")


def laid_together(pieces: Sequence[pa.Table], columns: Sequence[str], table: Table) -> pa.Table:
    """The rows of all `pieces` with `columns`, each in a type that holds all values; null where it is missing."""
    wanted = united(pieces, columns, table)
    return pa.concat_tables([conform(each, wanted) for each in pieces] or [wanted.empty_table()])


def laid_behind(held: pa.Table, rows: pa.Table, table: Table) -> pa.Table:
    """`rows` behind those `held`, with their columns; what is empty has no say in the types of columns."""
    return laid_together([each for each in (held, rows) if len(each)] or [rows], rows.column_names, table)


def united(pieces: Sequence[Any], columns: Sequence[str], table: Table) -> pa.Schema:
    """The columns of all `pieces`, each in a type that holds all values; those none has as the table is made."""
    base = arrow_schema(table, _UNKNOWN)
    fields = []
    for name in columns:
        kinds = [each.schema.field(name).type for each in pieces if name in each.schema.names]
        if kinds:
            fields.append(pa.field(name, reduce(unite, kinds)))
        else:
            fields.append(pa.field(name, base.field(name).type if name in base.names else pa.struct([])))
    return pa.schema(fields)


def _found(row: Mapping[str, Any], side: Mapping[str, Any], answers: pa.Table, labels: pa.Table) -> Found:
    """The pieces of one input as a value."""
    values: dict[str, object] = {}
    for part in (row.get(FEATURES), side.get(FEATURES)):
        if isinstance(part, dict):
            values.update(part)
    rule = row["refusal_rule"]
    refusal = None if rule is None else Refusal(row["refusal_field"], rule, row["refusal_message"])
    return Found(
        input_id=row["input_id"],
        at=Micros((row["at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)),
        request_id=row["request_id"],
        row=row["row"],
        entity=row["entity"],
        contract=row["contract"],
        flags=tuple(row["flags"]),
        refusal=refusal,
        features=values,
        answers=answers,
        labels=labels,
    )
