"""A share of a tick that needs no work per row: rows that came as columns, columns in and columns out.

`divide.py` makes them where the live version answers whole requests of numbers: one of a large request's parts, or
several small requests joined. `lanes.py` has them answered, `answer.py` remembers them. Whatever is out of the
ordinary (a call that fails, a caller who left) turns one into an ordinary share, row by row, so that every rule exists
once.
"""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np

from headgate.contracts.contract import Output
from headgate.gateway.ask import Ask, Share, Speech, Spoken
from headgate.gateway.columns import Table
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import ID_BYTES, IdBlock
from headgate.journal.packed import Alike, Cells, PackedBlock, few
from headgate.journal.records import Answer, Input
from headgate.runtimes.ports import Array, Feeds, Outputs
from headgate.vocabulary import Role


class Span(NamedTuple):
    """Consecutive rows of one request."""

    ask: Ask
    start: int
    """The place of the first in its request."""
    rows: int


class Stretch:
    """Rows that the live version answers in one call, in the order of their requests."""

    __slots__ = ("at", "began", "columns", "ids", "off_loop", "sheds", "spans", "suspect", "view")

    def __init__(
        self, view: View, spans: Sequence[Span], columns: Table, ids: bytes, *, at: int, sheds: bool = False
    ) -> None:
        """`columns` and `ids`, 16 bytes for each row, are of all spans together; `at` is the event time.

        Where it `sheds`, the records have no features.
        """
        self.view = view
        self.spans = spans
        self.columns = columns
        self.ids = ids
        self.at = at
        self.sheds = sheds
        self.began = 0
        self.off_loop = True
        self.suspect = True
        """As of a Share: its columns become a matrix as they are, so no other rows may join them."""

    @property
    def asks(self) -> list[Ask]:
        """Whose rows these are."""
        return [each.ask for each in self.spans]

    @property
    def seat(self) -> Seat:
        """Who is asked."""
        return self.view.live

    def __len__(self) -> int:
        return len(self.columns)

    def waited_for(self) -> bool:
        """Whether any of its callers still waits."""
        return any(each.ask.open for each in self.spans)

    def all_wait(self) -> bool:
        """Whether all of its callers still wait."""
        return all(each.ask.open for each in self.spans)

    def may_fall_back(self) -> bool:
        """Never: it is the live version that is asked."""
        return False

    def feeds(self) -> Feeds:
        """What the model reads."""
        return self.columns.feeds(self.seat.served.feeds)

    def apart(self) -> Share:
        """The same as a share like any other."""
        share = Share(self.view, self.seat, Role.LIVE, 1.0)
        share.rows = list(self.columns.rows())
        captured: Sequence[Any] = [None] * len(share.rows) if self.sheds else share.rows
        flags = self.columns.flags() or [()] * len(share.rows)
        places = [(each.ask, each.start + row) for each in self.spans for row in range(each.rows)]
        share.asks = [ask for ask, _ in places]
        share.inputs = [
            Input(self.ids[at : at + ID_BYTES], self.at, kept, ask.request_id, place, flags=names)
            for at, kept, (ask, place), names in zip(
                range(0, len(self.ids), ID_BYTES), captured, places, flags, strict=True
            )
        ]
        share.began, share.off_loop = self.began, True
        return share

    def speak(self, outputs: Outputs) -> PackedBlock:
        """Leave the answers with their requests, for the doors to read; the records of all rows."""
        now, start, latencies = perf_counter_ns(), 0, []
        speech = Speech(self.seat, IdBlock(self.ids), outputs.prediction, outputs.scores)
        for ask, place, rows in self.spans:
            ask.hear(Spoken(speech, start, place, rows))
            latencies.append((now - ask.arrived) // 1000)
            start += rows
        answers = packed_answers(self.seat, outputs, latencies, self._counts(), role=Role.LIVE, probability=1.0)
        return PackedBlock(self.ids, inputs=self._inputs(), answers=answers)

    def _inputs(self) -> Alike:
        first = self.spans[0].ask
        cells = [Cells("row", self._places()), *self.columns.flag_cells()]
        if not self.sheds:
            cells += self.columns.features()
        if len(self.spans) > 1:
            names = [each.ask.request_id for each in self.spans]
            cells.append(few("request_id", names, np.repeat(np.arange(len(names)), self._counts())))
        return Alike(Input(b"", self.at, None, first.request_id, 0), cells)

    def _counts(self) -> list[int]:
        return [each.rows for each in self.spans]

    def _places(self) -> Array:
        """Each row's place in its request."""
        starts = [each.start for each in self.spans]
        places = np.arange(len(self), dtype=np.int32)
        if len(starts) == 1:
            return places + np.int32(starts[0])
        counts = self._counts()
        firsts = np.cumsum([0, *counts[:-1]])
        places += np.repeat((np.array(starts) - firsts).astype(np.int32), counts)
        return places


def packed_answers(
    seat: Seat, outputs: Outputs, latencies: Sequence[int], counts: Sequence[int], *, role: Role, probability: float
) -> Alike:
    """What `seat` said of all rows in its own name; `latencies`, in microseconds, are of so many rows each."""
    cells = [_words(outputs.prediction, seat.served.contract.output)]
    if outputs.scores is not None:
        cells.append(Cells("scores", outputs.scores))
    if len(latencies) > 1:
        cells.append(Cells("latency_us", np.repeat(np.array(latencies, np.int64), counts)))
    name = seat.version
    return Alike(Answer(b"", name, name, role, probability, None, None, outputs.compute_us, latencies[0]), cells)


def _words(prediction: Array, output: Output) -> Cells:
    if prediction.dtype.kind in "biuf":
        return Cells("prediction", prediction)
    places = {each: place for place, each in enumerate(output.classes)}
    which = np.array([places[each] for each in prediction.tolist()], dtype=np.intp)
    return few("prediction", output.classes, which)
