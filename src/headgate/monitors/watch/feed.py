"""The inputs of an endpoint with what callers were answered, hour by hour, each once and at the cost of what is new.

An hour is handed over when nothing more of it can come: then it says the same whoever asks, and after a restart one
begins where the last hour ended. What a retried request asked again is left out, as the journal's reader leaves it out
of one day and the next; `AnswerFeed.take` never looks back farther.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.evidence.allocation import Bools
from headgate.journal.news import News, row_keys
from headgate.journal.places import NOWHERE, Keys, Places
from headgate.journal.reader import Reader, View, days_of, laid_behind, laid_together
from headgate.journal.tables import FEATURES, Table
from headgate.monitors.columns import NEEDED, Ints, moments, text, texts
from headgate.vocabulary import DAY, Micros, Role

COLUMNS: Final = ("input_id", "request_id", "refusal_field", *NEEDED)
"""What a portion's table has of each row, in the names of the journal's reader."""
_INPUTS: Final = ("input_id", "at", "request_id", "row", "refusal_field", "refusal_rule", "flags")
_ANSWERS: Final = (
    "input_id", "assigned", "answered", "role", "prediction", "scores", "compute_us", "latency_us", "fallback",
)  # fmt: skip
_NAMES: Final = ("request_id", "row")
"""What is the same where a retried request asks again."""
_GOLDEN: Final = np.int64(-7046029254386353131)
"""2^64 divided by the golden ratio, as Knuth's multiplicative hashing has it (1973, section 6.4)."""


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

    def __init__(self, reader: Reader, source: Source, start: Micros, end: Micros | None = None) -> None:
        """Inputs with moments before `start` were handed over already, and none of days that begin at `end` is read.

        Without an end it reads on and on; with one, no more is held at once than there is until then.
        """
        self._source = source
        self._inputs_of = (*_INPUTS, FEATURES) if source.features else _INPUTS
        columns = {Table.INPUTS: self._inputs_of, Table.ANSWERS: _ANSWERS}
        self._reader = reader
        # Of the day before `start`, which `News` would read as well, nothing but names is needed: see `_recall`.
        self._news = News(reader, source.project, source.endpoint, Micros(start + DAY), columns, end=end)
        self._inputs = laid_together([], self._inputs_of, Table.INPUTS)
        self._answers = laid_together([], _ANSWERS, Table.ANSWERS)
        self._asked = Places()
        """Request, row and day of every input since the day before `start`, at eight bytes each."""
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
        if not self._began:
            self._recall()
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

    def _recall(self) -> None:
        """What was asked on the day before: by name alone, since none of it is handed over."""
        day = Micros(self._until // DAY * DAY)
        names = ("at", *_NAMES)
        yesterday = days_of(day, day)

        def look(view: View) -> pa.Table:
            return view.read(Table.INPUTS, names, yesterday)

        rows = self._reader.looked(self._source.project, self._source.endpoint, (Table.INPUTS,), look)
        rows = rows.filter(pa.array(moments(rows["at"]) < day))
        self._remember(_dated(row_keys(rows, _NAMES), moments(rows["at"]) // DAY)[_named(rows)])

    def _first_asked(self, rows: pa.Table) -> Bools:
        """Which rows no request asked before on their day or the day before; `rows` are by moment."""
        days = moments(rows["at"]) // DAY
        named, keys = _named(rows), row_keys(rows, _NAMES)
        today, yesterday = (_dated(keys, days - back) for back in (0, 1))
        known = (self._asked.find(today) != NOWHERE) | (self._asked.find(yesterday) != NOWHERE)
        repeated = named & (known | _follows(keys, days))
        self._remember(today[named])
        fresh: Bools = ~repeated
        return fresh

    def _remember(self, asked: Keys) -> None:
        new = np.unique(asked)
        self._asked.add(new[self._asked.find(new) == NOWHERE])

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


def _named(rows: pa.Table) -> Bools:
    """Which rows are of a request that has a name."""
    return _flags(pc.not_equal(text(rows["request_id"]), ""))


def _dated(keys: Keys, days: Ints) -> Keys:
    """Keys of names on a day: as far from each other as keys of any names are."""
    return keys + days * _GOLDEN


def _flags(column: pa.ChunkedArray) -> Bools:
    flags: Bools = pc.fill_null(column, False).to_numpy().astype(np.bool_)
    return flags


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
