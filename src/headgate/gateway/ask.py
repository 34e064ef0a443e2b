"""What is on its way through a gateway: a caller's request, and the rows of one tick that share a runtime call."""

import logging
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter_ns
from typing import Any, Final

import msgspec
import numpy as np

from headgate.errors import DeadlineExceeded, HeadgateError, PassingError, Violation
from headgate.gateway.reading import Reading
from headgate.gateway.room import Account, Room
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import IdBlock
from headgate.journal.records import Answer, Input
from headgate.runtimes.ports import Array, Feeds
from headgate.vocabulary import Role

_LOG: Final = logging.getLogger(__name__)

Outcome = Answer | Violation | PassingError
FAULT: Final = "a fault of Headgate; its log has the trace"
"""All that a caller is told of a mistake of ours."""


class Speech:
    """What a version said of rows that were asked together, column by column; bytes are made of all of it at once."""

    __slots__ = ("_packed", "ids", "prediction", "scores", "seat")

    def __init__(self, seat: Seat, ids: IdBlock, prediction: Array, scores: Array | None) -> None:
        self.seat = seat
        self.ids = ids
        self.prediction = prediction
        self.scores = scores
        self._packed: dict[tuple[bool, np.dtype[Any]], bytes] = {}

    def packed(self, *, scores: bool, dtype: np.dtype[Any]) -> bytes:
        """The predictions or the scores of all rows in `dtype`, row by row."""
        found = self._packed.get((scores, dtype))
        if found is None:
            column = self.scores if scores else self.prediction
            found = self._packed[scores, dtype] = np.ascontiguousarray(column, dtype).tobytes()
        return found


class Spoken(msgspec.Struct, eq=False):
    """The part of a speech that is about consecutive rows of one request."""

    speech: Speech
    first: int
    """Where it begins in the speech."""
    start: int
    """The place of its first row in its request."""
    rows: int

    @property
    def seat(self) -> Seat:
        """Who spoke."""
        return self.speech.seat

    @property
    def prediction(self) -> Array:
        """One of each row."""
        return self.speech.prediction[self.first : self.first + self.rows]

    @property
    def scores(self) -> Array | None:
        """A row of scores of each, where the model gives them."""
        scores = self.speech.scores
        return None if scores is None else scores[self.first : self.first + self.rows]

    @property
    def ids(self) -> bytes:
        """16 bytes of each row."""
        return self.speech.ids.raw(self.first, self.first + self.rows)

    @property
    def names(self) -> str:
        """The texts of its rows' identifiers, with commas between."""
        return self.speech.ids.text(self.first, self.first + self.rows)

    def packed(self, *, scores: bool, dtype: np.dtype[Any]) -> bytes:
        """Its predictions or scores in `dtype`, row by row."""
        whole = self.speech.packed(scores=scores, dtype=dtype)
        width = len(whole) // len(self.speech.prediction)
        return whole[self.first * width : (self.first + self.rows) * width]

    def answers(self) -> Iterator[tuple[int, Answer]]:
        """The same row by row, each with its place in the request."""
        version, scores = self.seat.version, self.scores
        told = [None] * self.rows if scores is None else scores.tolist()
        for place, (said, how) in enumerate(zip(self.prediction.tolist(), told, strict=True)):
            at = self.first + place
            id_ = self.speech.ids.raw(at, at + 1)
            yield self.start + place, Answer(id_, version, version, Role.LIVE, 1.0, said, how, 0, 0)


class Ask(msgspec.Struct, eq=False):
    """One request from its last byte to its reply. Its door reads it when `finish` is called, once."""

    view: View
    reading: Reading
    finish: Callable[["Ask"], None]
    arrived: int
    """On the scale of `perf_counter_ns`, like `deadline`."""
    deadline: int
    unsettled: int
    """Rows not yet answered and remembered; the last one lets the reply go, by `close`."""
    outcomes: list[Outcome | None]
    pinned: Seat | None = None
    """The version the caller named."""
    hears_people: bool = False
    """Whether its door can tell the caller that a person decides."""
    caller: Account | None = None
    """Whose rows wait; None where nobody is asked who they are."""
    arrays: dict[int, dict[str, Array]] | None = None
    """A tensor model's raw outputs by row."""
    request_id: str = ""
    first_id: str = ""
    """The first row's input id as text."""
    refusal: HeadgateError | None = None
    """Why nothing of it is answered after all."""
    room: Room | None = None
    """Where it counts as waiting, once admitted."""
    turn: int = 0
    """In which of its turns it was."""
    journalled: bool = True
    open: bool = True
    """Whether the caller still waits."""
    spoken: Sequence[Spoken] = ()
    """Answers that came column by column, in the order of the rows; these have no outcome of their own."""
    whole: bool = False
    """Whether all of its rows are answered, and all of them column by column."""
    together: bool = False
    """Whether its door answers all of its rows or none."""

    @property
    def patience(self) -> int:
        """When a version that is not live has had its time and the live one must answer."""
        return (self.arrived + self.deadline) >> 1

    def hear(self, spoken: Spoken) -> None:
        """Keep answers that came column by column; parts of a request may be answered in any order."""
        self.spoken = sorted((*self.spoken, spoken), key=lambda each: each.start) if self.spoken else (spoken,)

    def are_remembered(self, rows: int) -> None:
        """So many rows, answered column by column, are on disk or never will be; the last ones let the reply go."""
        self.unsettled -= rows
        if not self.unsettled:
            told = rows if len(self.spoken) == 1 else sum([each.rows for each in self.spoken])
            self.whole = self.refusal is None and told == len(self.outcomes)
            self.close()

    def settle(self) -> None:
        """Give every answered row an outcome of its own, for doors that tell them one by one."""
        for each in self.spoken:
            for place, answer in each.answers():
                self.outcomes[place] = answer

    def answers(self) -> list[Answer]:
        """Of the rows that were answered, one by one."""
        self.settle()
        return [each for each in self.outcomes if isinstance(each, Answer)]

    def expire(self) -> None:
        """The caller's time ran out."""
        self.refusal = DeadlineExceeded("no answer within the deadline; state a longer deadline_ms or ask for less")
        self.close()

    def spoil(self) -> None:
        """A fault of ours met this request: say so, and let nobody else pay for it."""
        self.refusal = HeadgateError(FAULT)
        self.close()

    def close(self) -> None:
        """Reply, if that was not done before."""
        if self.open:
            self.open = False
            if self.room is not None:
                self.room.leave(self.caller, len(self.outcomes), self.turn)
                self.view.waiting -= len(self.outcomes)
            try:
                self.finish(self)
            except Exception:  # a reply nobody can write must not keep its caller waiting, nor those behind it
                _LOG.exception("a reply could not be written")
                self.refusal = HeadgateError(FAULT)
                self.finish(self)


def make_ask(
    view: View,
    reading: Reading,
    finish: Callable[[Ask], None],
    pinned: Seat | None = None,
    caller: Account | None = None,
    *,
    arrived: int = 0,
    hears_people: bool = False,
) -> Ask:
    """A request that has just arrived, or did at `arrived`.

    Its deadline is the caller's own or the endpoint's, whichever comes first.
    """
    arrived, rows = arrived or perf_counter_ns(), len(reading.rows)
    deadline = arrived + view.deadline_ns
    if reading.deadline_ms is not None:
        deadline = min(deadline, arrived + int(reading.deadline_ms * 1_000_000))
    return Ask(view, reading, finish, arrived, deadline, rows, [None] * rows, pinned, hears_people, caller)


class Share:
    """Rows one version answers in one call: parallel lists, one entry per row."""

    __slots__ = (
        "asks", "assigned", "began", "fallback", "inputs", "left", "off_loop", "probability", "role", "rows", "seat",
        "suspect", "view",
    )  # fmt: skip

    def __init__(self, view: View, assigned: Seat, role: Role, probability: float) -> None:
        self.view = view
        self.assigned = assigned
        self.seat = assigned
        """Who is asked now; the live version once the assigned one failed."""
        self.role = role
        self.probability = probability
        self.fallback = ""
        self.began = 0
        """When the call that answers it began, on the scale of `perf_counter_ns`."""
        self.suspect = False
        """Whether a call with these rows failed, so that no others may join them."""
        self.off_loop = False
        """Whether time passes while it is answered, so that callers may leave meanwhile."""
        self.left: set[int] = set()
        """Places of rows that somebody else answers by now."""
        self.asks: list[Ask] = []
        self.inputs: list[Input] = []
        self.rows: list[tuple[object, ...]] = []
        """As the reader gave them."""

    def __len__(self) -> int:
        return len(self.rows)

    def feeds(self) -> Feeds:
        """What the model reads."""
        return self.seat.served.feeds.from_values(self.converted())

    def converted(self) -> Sequence[tuple[object, ...]]:
        """The rows as the version's contract orders them; those of a pinned version were read by that contract."""
        return self.rows if self.role is Role.PINNED else self.seat.convert(self.rows)

    def part(self, places: Sequence[int]) -> "Share":
        """A share of the rows at `places`."""
        part = Share(self.view, self.assigned, self.role, self.probability)
        part.seat, part.fallback, part.suspect = self.seat, self.fallback, self.suspect
        part.began = self.began
        part.asks = [self.asks[place] for place in places]
        part.inputs = [self.inputs[place] for place in places]
        part.rows = [self.rows[place] for place in places]
        return part

    @property
    def kind(self) -> tuple[View, Seat, Seat, Role, float, str]:
        """What shares have in common that differ in their rows alone."""
        return self.view, self.assigned, self.seat, self.role, self.probability, self.fallback

    def take_in(self, other: "Share") -> None:
        """Make the rows of `other`, a share of the same kind, rows of this one, behind its own."""
        self.left.update([len(self.rows) + place for place in other.left])
        self.asks += other.asks
        self.inputs += other.inputs
        self.rows += other.rows

    def waited_for(self) -> bool:
        """Whether any of its callers still waits for it."""
        return any(ask.open and place not in self.left for place, ask in enumerate(self.asks))

    def may_fall_back(self) -> bool:
        """Whether people, or the live version, may answer in its assigned version's stead.

        Never for a version the caller named.
        """
        if self.view.people is not None:
            return self.role is not Role.PINNED
        return self.seat is self.assigned and self.role is Role.CANARY
