"""The inputs of an endpoint with what callers were answered, hour by hour, each once and at the cost of what is new.

An hour is handed over when nothing more of it can come: then it says the same whoever asks, and after a restart one
begins where the last hour ended. What a retried request asked again is left out, as the journal's reader leaves it out
of one day and the next; `AnswerFeed.take` never looks back farther.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.evidence.allocation import Bools
from headgate.journal.news import News
from headgate.journal.places import NOWHERE, Keys, Places, keys_of
from headgate.journal.reader import Reader, laid_behind, laid_together
from headgate.journal.tables import FEATURES, Table
from headgate.monitors.columns import NEEDED, Ints, moments, text, texts
from headgate.vocabulary import DAY, Micros, Role

COLUMNS: Final = ("input_id", "request_id", "refusal_field", *NEEDED)
"""What a portion's table has of each row, in the names of the journal's reader."""
_INPUTS: Final = ("input_id", "at", "request_id", "row", "refusal_field", "refusal_rule", "flags")
_ANSWERS: Final = (
    "input_id", "assigned", "answered", "role", "prediction", "scores", "compute_us", "latency_us", "fallback",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Whose inputs a feed reads, and which answers to them count."""

    project: str
    endpoint: str
    roles: tuple[Role, ...]
    """In which capacity an answer has to be given to count."""
    version: str | None = None
    """Only inputs this version was assigned to; None takes every input, those that nobody answered among them."""
    features: bool = False
    """Whether the public features are read as well, as the column ``features``."""
    groups: tuple[str, ...] = ()
    """Fields that say which group an input belongs to: read of a day with its labels, as the column ``groups``."""


class AnswerFeed:
    """Reads on and on; for one thread.

    >>> from pathlib import Path
    >>> from headgate.journal.lake import Lake
    >>> from headgate.testing.segments import MemorySegments
    >>> source = Source("default", "late", (Role.LIVE,))
    >>> feed = AnswerFeed(Reader(Lake(Path("no-such-lake")), MemorySegments()), source, Micros(0))
    >>> feed.take(Micros(DAY)).num_rows, feed.late
    (0, 0)
    """

    def __init__(self, reader: Reader, source: Source, start: Micros) -> None:
        """Inputs with moments before `start` were handed over already."""
        self._source = source
        self._inputs_of = (*_INPUTS, FEATURES) if source.features else _INPUTS
        columns = {Table.INPUTS: self._inputs_of, Table.ANSWERS: _ANSWERS}
        self._news = News(reader, source.project, source.endpoint, start, columns)
        self._inputs = laid_together([], self._inputs_of, Table.INPUTS)
        self._answers = laid_together([], _ANSWERS, Table.ANSWERS)
        self._asked = Places()
        """Request, row and day of every input since the day before `start`."""
        self._until = start
        self._began = False
        self.late = 0
        """Inputs that came when theirs had been handed over already: no monitor is told of them."""

    @property
    def cut(self) -> bool:
        """Whether a writer took back what was read of it: begin another feed, after what was handed over."""
        return self._news.cut

    @property
    def waits(self) -> bool:
        """Whether there are inputs that were read and not handed over yet."""
        return len(self._inputs) > 0

    def take(self, until: Micros) -> pa.Table:
        """Inputs before `until` that were not handed over, by moment and id, with what callers were answered.

        Raises Unavailable where the journal is rearranged all the time.
        """
        self._hold(self._news.take())
        ready = pa.array(moments(self._inputs["at"]) < until)
        rows, self._inputs = self._inputs.filter(ready), self._inputs.filter(pc.invert(ready))
        rows = rows.sort_by([("at", "ascending"), ("input_id", "ascending")])
        # Those before were read for the requests they are of, or came late.
        rows = rows.filter(pa.array(self._first_asked(rows) & (moments(rows["at"]) >= self._until)))
        table = self._answered(rows)
        waiting = pc.is_in(self._answers["input_id"], value_set=_plain(self._inputs["input_id"]))
        self._answers = self._answers.filter(waiting)
        self._until = until
        return table

    def _hold(self, new: "dict[Table, pa.Table]") -> None:
        inputs, answers = new[Table.INPUTS], new[Table.ANSWERS]
        if self._began:
            self.late += int((moments(inputs["at"]) < self._until).sum())
        self._began = True
        counts = pc.is_in(text(answers["role"]), value_set=texts([*self._source.roles, Role.HUMAN]))
        if self._source.version is not None:
            counts = pc.and_(counts, pc.fill_null(pc.equal(text(answers["assigned"]), self._source.version), False))
        self._inputs = laid_behind(self._inputs, inputs, Table.INPUTS)
        self._answers = laid_behind(self._answers, answers.filter(counts), Table.ANSWERS)

    def _first_asked(self, rows: pa.Table) -> Bools:
        """Which rows no request asked before on their day or the day before; `rows` are by moment."""
        days = moments(rows["at"]) // DAY
        names = list(zip(rows["request_id"].to_pylist(), rows["row"].to_pylist(), strict=True))
        named = np.array([bool(request) for request, _ in names], np.bool_)
        today, yesterday = (_dated(names, days - back) for back in (0, 1))
        known = (self._asked.find(today) != NOWHERE) | (self._asked.find(yesterday) != NOWHERE)
        repeated = named & (known | _follows(keys_of(names), days))
        new = np.unique(today[named])
        new = new[self._asked.find(new) == NOWHERE]
        self._asked.add(new, np.zeros(len(new), np.int64))
        fresh: Bools = ~repeated
        return fresh

    def _answered(self, rows: pa.Table) -> pa.Table:
        """The rows with what was said of each; null where nobody said anything."""
        by_people = _flags(pc.equal(text(self._answers["role"]), Role.HUMAN.value))
        left = self._answers.filter(pa.array(by_people))["input_id"]
        # Of each input one answer counts, by role, in whatever order files are read.
        answers = self._answers.filter(pa.array(~by_people)).sort_by([("role", "ascending")])
        places = pc.index_in(rows["input_id"], value_set=_plain(answers["input_id"]))
        # What was left to people is no error of a version.
        ours = pc.or_(pc.is_valid(places), pc.invert(pc.is_in(rows["input_id"], value_set=_plain(left))))
        rows, places = rows.filter(ours), places.filter(ours)
        for name in _ANSWERS[1:]:
            rows = rows.append_column(name, answers[name].take(places))
        if self._source.version is not None:
            rows = rows.filter(pc.is_valid(rows["role"]))
        rows = rows.append_column("label", pa.nulls(len(rows)))
        return rows.select([*COLUMNS, FEATURES] if self._source.features else COLUMNS)


def _follows(keys: Keys, days: Ints) -> Bools:
    """Which of some rows follow another of the same key on its day or the day after; rows are by moment."""
    order = np.argsort(keys, kind="stable")
    follows = np.zeros(len(keys), np.bool_)
    if len(keys):
        same = keys[order][1:] == keys[order][:-1]
        follows[order[1:]] = same & (days[order][1:] - days[order][:-1] <= 1)
    return follows


def _dated(names: Sequence[tuple[str, int]], days: Ints) -> Keys:
    return keys_of([(*name, day) for name, day in zip(names, days.tolist(), strict=True)])


def _flags(column: pa.ChunkedArray) -> Bools:
    flags: Bools = pc.fill_null(column, False).to_numpy().astype(np.bool_)
    return flags


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
