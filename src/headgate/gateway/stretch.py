"""A share of a tick that needs no work per row: rows that came as columns, columns in and columns out.

`divide.py` makes them where the live version answers whole requests of numbers: one of a large request's parts, or
several small requests joined. `lanes.py` has them answered, `answer.py` remembers them. Whatever is out of the
ordinary (a call that fails, a caller who left) turns one into an ordinary share, row by row, so that every rule exists
once.
"""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from headgate.contracts.contract import Output
from headgate.gateway.ask import Ask, Share, Speech, Spoken
from headgate.gateway.columns import Table
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import ID_BYTES, IdBlock
from headgate.journal.packed import Cells, PackedBlock, Piece, array_head, id_cells, listed, number_cells, one_of
from headgate.journal.records import Answer, Input
from headgate.runtimes.ports import Array, Feeds, Outputs
from headgate.vocabulary import Role

_INPUT: Final = array_head(len(Input.__struct_fields__))
_ANSWER: Final = array_head(len(Answer.__struct_fields__))
_encode = msgspec.msgpack.Encoder().encode
_NULL: Final = _encode(None)
_NOWHERE: Final = _NULL + _NULL
"""No entity and no subject."""
_NO_FALLBACK: Final = _encode("")


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
        ids_ = id_cells(self.ids)
        answers = packed_answers(self.seat, outputs, ids_, self._each(latencies), role=Role.LIVE, probability=1.0)
        return PackedBlock(self._inputs(ids_), answers)

    def _inputs(self, ids: Piece) -> msgspec.Raw:
        features = [_NULL] if self.sheds else self.columns.features()
        pieces: tuple[Piece, ...] = (
            _INPUT, ids, _encode(self.at), *features, self._names(), number_cells(self._places()),
            _NOWHERE, self.columns.flag_piece(), _NULL,
        )  # fmt: skip
        return listed(len(self), pieces)

    def _counts(self) -> list[int]:
        return [each.rows for each in self.spans]

    def _each(self, numbers: list[int]) -> Piece:
        """A number of each span, as the records of its rows have it."""
        return repeated(numbers, self._counts())

    def _names(self) -> Piece:
        """The names of the requests."""
        names = [each.ask.request_id for each in self.spans]
        if len(names) == 1:
            return _encode(names[0])
        return one_of(names, np.repeat(np.arange(len(names)), self._counts()))

    def _places(self) -> Array:
        """Each row's place in its request."""
        starts = [each.start for each in self.spans]
        places = np.arange(len(self), dtype=np.int64)
        if len(starts) == 1:
            return places + starts[0]
        counts = self._counts()
        firsts = np.cumsum([0, *counts[:-1]])
        places += np.repeat(np.array(starts) - firsts, counts)
        return places


def packed_answers(
    seat: Seat, outputs: Outputs, ids: Cells, latencies: Piece, *, role: Role, probability: float
) -> msgspec.Raw:
    """What `seat` said of all rows in its own name, as the journal has it; `latencies` are in microseconds."""
    said = b"".join(map(_encode, (seat.version, seat.version, role, probability)))
    words = _words(outputs.prediction, seat.served.contract.output)
    end_ = (_encode(outputs.compute_us), latencies, _NO_FALLBACK)
    return listed(len(ids.values), (_ANSWER, ids, said, words, *_scores(outputs.scores), *end_))


def repeated(numbers: Sequence[int], counts: Sequence[int]) -> Piece:
    """Each of `numbers` for so many rows in a row."""
    if len(numbers) == 1:
        return _encode(numbers[0])
    return number_cells(np.repeat(np.array(numbers, np.int64), counts))


def _words(prediction: Array, output: Output) -> Piece:
    if prediction.dtype.kind in "biuf":
        return number_cells(prediction)
    places = {each: place for place, each in enumerate(output.classes)}
    return one_of(output.classes, np.array([places[each] for each in prediction.tolist()], dtype=np.intp))


def _scores(scores: Array | None) -> list[Piece]:
    if scores is None:
        return [_NULL]
    return [array_head(scores.shape[1]), number_cells(scores)]
