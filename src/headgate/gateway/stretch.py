"""A share of a tick that needs no work per row: consecutive rows of one request, columns in and columns out.

`divide.py` makes them where the live version answers a whole request of numbers, `lanes.py` has them answered,
`answer.py` remembers them. Whatever is out of the ordinary (a call that fails, a caller who left) turns one into an
ordinary share, row by row, so that every rule exists once.
"""

from time import perf_counter_ns
from typing import Final

import msgspec
import numpy as np

from headgate.contracts.contract import Output
from headgate.gateway.ask import Ask, Share
from headgate.gateway.columns import Table
from headgate.gateway.view import Seat, View
from headgate.journal.packed import PackedBlock, Piece, array_head, id_cells, listed, number_cells, one_of
from headgate.journal.records import Answer, Input
from headgate.runtimes.ports import Array, Feeds, Outputs
from headgate.vocabulary import Role

_ID_BYTES: Final = 16
_INPUT: Final = array_head(len(Input.__struct_fields__))
_ANSWER: Final = array_head(len(Answer.__struct_fields__))
_encode = msgspec.msgpack.Encoder().encode
_NULL: Final = _encode(None)
_NOWHERE: Final = _NULL + _NULL
"""No entity and no subject."""


class Stretch:
    """Consecutive rows of one request that its live version answers in one call."""

    __slots__ = ("answers", "ask", "at", "began", "columns", "ids", "off_loop", "scores", "start", "suspect", "view")

    def __init__(self, view: View, ask: Ask, columns: Table, ids: bytes, *, start: int, at: int) -> None:
        """`ids`: 16 bytes for each row; `start`: the place of the first in its request; `at`: the event time."""
        self.view = view
        self.ask = ask
        self.columns = columns
        self.ids = ids
        self.start = start
        self.at = at
        self.began = 0
        self.off_loop = True
        self.suspect = True
        """As of a Share: its columns become a matrix as they are, so no other rows may join them."""
        self.answers: Array | None = None
        """What the version said of each row, once it did."""
        self.scores: Array | None = None

    @property
    def asks(self) -> list[Ask]:
        """Whose rows these are."""
        return [self.ask]

    @property
    def seat(self) -> Seat:
        """Who is asked."""
        return self.view.live

    def __len__(self) -> int:
        return len(self.columns)

    def waited_for(self) -> bool:
        """Whether its caller still waits."""
        return self.ask.open

    def may_fall_back(self) -> bool:
        """Never: it is the live version that is asked."""
        return False

    def feeds(self) -> Feeds:
        """What the model reads."""
        return self.columns.feeds(self.seat.served.feeds)

    def id_of(self, place: int) -> bytes:
        """The identifier of the row at `place` of the stretch."""
        return self.ids[place * _ID_BYTES : (place + 1) * _ID_BYTES]

    def apart(self) -> Share:
        """The same as a share like any other."""
        share = Share(self.view, self.seat, Role.LIVE, 1.0)
        share.rows = list(self.columns.rows())
        share.asks = [self.ask] * len(share.rows)
        flags = self.columns.flags()
        share.inputs = [
            Input(
                self.id_of(place), self.at, row, self.ask.request_id, self.start + place,
                flags=() if flags is None else flags[place],
            )
            for place, row in enumerate(share.rows)
        ]  # fmt: skip
        share.began, share.off_loop = self.began, True
        return share

    def speak(self, outputs: Outputs) -> PackedBlock:
        """Keep the answers for the door to read; the records of all rows."""
        self.answers, self.scores = outputs.prediction, outputs.scores
        self.ask.stretches = (*self.ask.stretches, self)
        latency_us = (perf_counter_ns() - self.ask.arrived) // 1000
        version = self.seat.version
        who = (version, version, Role.LIVE, 1.0)
        said = b"".join(map(_encode, who))
        end = b"".join(map(_encode, (outputs.compute_us, latency_us, "")))
        ids = id_cells(self.ids)
        contract = self.seat.served.contract
        answers = (
            _ANSWER, ids, said, _words(outputs.prediction, contract.output), *_scores(outputs.scores), end
        )  # fmt: skip
        return PackedBlock(self._inputs(ids), listed(len(self), answers))

    def _inputs(self, ids: Piece) -> msgspec.Raw:
        places = np.arange(self.start, self.start + len(self), dtype=np.int64)
        pieces: tuple[Piece, ...] = (
            _INPUT, ids, _encode(self.at), *self.columns.features(), _encode(self.ask.request_id),
            number_cells(places), _NOWHERE, self.columns.flag_piece(), _NULL,
        )  # fmt: skip
        return listed(len(self), pieces)

    def settle(self) -> None:
        """Leave an answer per row with the request, as a share's rows do; for doors that tell them one by one."""
        if self.answers is None:
            return
        version = self.seat.version
        scores = [None] * len(self) if self.scores is None else self.scores.tolist()
        for place, (said, how) in enumerate(zip(self.answers.tolist(), scores, strict=True)):
            answer = Answer(self.id_of(place), version, version, Role.LIVE, 1.0, said, how, 0, 0)
            self.ask.outcomes[self.start + place] = answer


def _words(prediction: Array, output: Output) -> Piece:
    if prediction.dtype.kind in "biuf":
        return number_cells(prediction)
    places = {each: place for place, each in enumerate(output.classes)}
    return one_of(output.classes, np.array([places[each] for each in prediction.tolist()], dtype=np.intp))


def _scores(scores: Array | None) -> list[Piece]:
    if scores is None:
        return [_NULL]
    return [array_head(scores.shape[1]), number_cells(scores)]
