"""Forgets what is past its retention: whole event days, in every table of an endpoint.

The controller calls it with the endpoint's limit, and again when rows of such days were sealed later, so that the rows
which are left never depend on when they were sealed. Blobs that nobody names then are for `orphans.py` to collect.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pyarrow.compute as pc

from headgate.journal.identifiers import least_id
from headgate.journal.lake import Days, Generation, Lake, persist, writing
from headgate.journal.sealer import GRACE_HOURS, sweep
from headgate.journal.tables import Table
from headgate.vocabulary import Micros

_BATCH: Final = 1000
"""Ids per delete statement."""
_ORDER: Final = (Table.PERSONAL, Table.ANSWERS, Table.LABELS, Table.INPUTS)
"""Inputs last: the days of the other records are told by them, also after an interruption."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What one call removed."""

    before: date
    """Every row of an earlier UTC day is gone."""
    inputs: int
    answers: int
    labels: int
    personal: int


def retain(lake: Lake, project: str, endpoint: str, *, before: Micros, grace_hours: int = GRACE_HOURS) -> Retained:
    """Remove every sealed row of an event day that ended by `before`; doing it again changes nothing.

    A label goes with the day its truth was observed; an answer that came without its input goes with the input, or,
    where that is gone already, by the moment in its id. Rows not sealed yet are reached by the next call. Files of
    removed rows disappear from disk in the first call at least `grace_hours` later, which leaves running readers
    theirs.
    """
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=before)).date()
    removed = dict.fromkeys(Table, 0)
    for table in _ORDER:
        for generation in lake.generations(project, endpoint, table):
            removed[table] += _delete(generation, _is_old(table, day))
            if table is Table.ANSWERS:
                inputs = lake.generations(project, endpoint, Table.INPUTS)
                for condition in _by_id(_leaving(_undated(generation), inputs, day)):
                    removed[table] += _delete(generation, condition)
            sweep(generation, grace_hours)
    return Retained(
        before=day,
        inputs=removed[Table.INPUTS],
        answers=removed[Table.ANSWERS],
        labels=removed[Table.LABELS],
        personal=removed[Table.PERSONAL],
    )


def _is_old(table: Table, day: date) -> str:
    if table is Table.LABELS:
        return f"observed_at < '{day.isoformat()}T00:00:00Z'"
    return f"date < '{day.isoformat()}'"


def _by_id(ids: set[str]) -> Iterator[str]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _BATCH):
        listed = ", ".join(f"'{each}'" for each in ordered[start : start + _BATCH])
        yield f"date IS NULL AND input_id IN ({listed})"


def _undated(generation: Generation) -> set[str]:
    """Inputs of answers whose day is unknown: they came apart from their input."""
    nowhere = Days(date.max, date.min)
    rows = generation.read(("input_id", "at"), nowhere)
    return set(rows.filter(pc.is_null(rows.column("at"))).column("input_id").to_pylist())


def _leaving(undated: set[str], inputs: Sequence[Generation], day: date) -> set[str]:
    """Those of `undated` whose input is of a day before `day`, or is not there and was drawn before it."""
    if not undated:
        return set()
    mine = pc.field("input_id").isin(sorted(undated))

    def there(days: Days) -> set[str]:
        return {each for part in inputs for each in part.read(("input_id",), days, mine)["input_id"].to_pylist()}

    midnight = (day - date(1970, 1, 1)) // timedelta(microseconds=1)
    drawn_before = {each for each in undated if each < least_id(midnight)}
    return there(Days(last=day - timedelta(days=1))) | drawn_before - there(Days(first=day))


def _delete(generation: Generation, condition: str) -> int:
    done = generation.delta.delete(condition, writer_properties=writing(generation.table))
    if done.get("num_deleted_rows"):
        persist(generation.folder)
    return int(done.get("num_deleted_rows") or 0)
