"""The native door: ``POST /v1/endpoints/{endpoint}/predict``."""

from functools import partial
from time import perf_counter_ns
from typing import Any, Final

import msgspec

from headgate.errors import BadInput, HeadgateError, Overloaded, PassingError, RuntimeFailed, Violation
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.errors import ErrorBody, error_body, refusal_body, refuse
from headgate.gateway.doors.statuses import NATIVE, error_headers, status_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import Prepared, header_text, send
from headgate.gateway.left import is_left
from headgate.gateway.room import FULL
from headgate.gateway.view import View
from headgate.journal.identifiers import format_id
from headgate.journal.records import Answer
from headgate.vocabulary import PEOPLE, Role

PROTOCOL: Final = "native"
_OVERLOADED: Final = status_of(Overloaded(FULL), NATIVE)


class _Predicted(msgspec.Struct, gc=False, omit_defaults=True):
    id: str
    version: str
    prediction: Any
    scores: list[float] | None = None


class _Left(msgspec.Struct, gc=False, omit_defaults=True):
    id: str
    version: str
    decides: str
    suggestion: Any = None
    scores: list[float] | None = None


class _Refused(msgspec.Struct, gc=False):
    error: ErrorBody


class _Reply(msgspec.Struct, gc=False, omit_defaults=True):
    predictions: list[Any]
    journalled: bool = True


class PredictDoor:
    """Translates predict requests and their answers."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._encode = msgspec.json.Encoder().encode
        self._prepared = b"", _no_room(b"")
        """The last version named to a caller for whom there was no room, and the reply."""

    def open(self, exchange: Exchange, view: View) -> None:
        """Have a request answered under `view`."""
        try:
            room = self._answerer.room
            if room.waiting >= room.limit and room.lacks(exchange.caller):
                if exchange.head.keep_alive:
                    exchange.reply(self.no_room(view))
                    return
                raise Overloaded(FULL)
            reading = view.live.served.reader.read(exchange.body)
            finish = partial(self.reply, exchange)
            self._answerer.admit(make_ask(view, reading, finish, None, exchange.caller, hears_people=True))
        except (BadInput, PassingError) as error:
            self.refuse(exchange, view, error)

    def no_room(self, view: View) -> bytes:
        """The reply to one more request for whose caller there is no room for a single row, and that it was counted.

        When twice as many ask as can be answered, this is said as often as an answer is given: what it costs is what
        the answers lose.
        """
        version, prepared = self._prepared
        if version != view.live.header:
            prepared = _no_room(view.live.header)
            self._prepared = view.live.header, prepared
        view.count.rejected(Overloaded.__name__)
        view.count.replied(PROTOCOL, _OVERLOADED, 0.0)
        return prepared.message()

    def refuse(self, exchange: Exchange, view: View, error: HeadgateError, rows: int = 1) -> None:
        """Tell the caller why none of the `rows` is answered; a record says so where that is the caller's doing."""
        name = b""
        if isinstance(error, BadInput | PassingError):
            error, name = self._answerer.note(view, error, exchange.caller, rows)
        status = refuse(exchange, error, request_id=name, version=view.live.header)
        view.count.replied(PROTOCOL, status, 0.0)

    def body(self, ask: Ask) -> bytes:
        """The reply of a request of which at least one row is answered or refused for itself; slow for many rows."""
        ask.settle()
        return self._body(ask)

    def _body(self, ask: Ask) -> bytes:
        outcomes = ask.outcomes
        entries = [_entry(ask, 0)] if len(outcomes) == 1 else [_entry(ask, place) for place in range(len(outcomes))]
        return self._encode(_Reply(entries, ask.journalled))

    def reply(self, exchange: Exchange, ask: Ask) -> None:
        """Tell the caller of `exchange` what became of its rows."""
        request_id, version, problem = name_of(ask), versions(ask), overall(ask)
        if isinstance(problem, HeadgateError):
            status = refuse(exchange, problem, request_id=request_id, version=version)
            ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)
            return
        status, body = 200 if problem is None else 422, self._body(ask)
        # Counted first: whoever reads the reply may look at the counts at once.
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)
        send(exchange, status, body, request_id=request_id, version=version)


def _no_room(version: bytes) -> Prepared:
    error = Overloaded(FULL)
    return Prepared(_OVERLOADED, refusal_body(error), version=version, extra=error_headers(error))


def overall(ask: Ask) -> HeadgateError | Violation | None:
    """What is wrong with a request as a whole: None as soon as one row is answered."""
    if ask.refusal is not None:
        return ask.refusal
    if type(ask.outcomes[0]) is Answer:
        return None
    problem: HeadgateError | Violation | None = None
    for outcome in ask.outcomes:
        if type(outcome) is Answer:
            return None
        if isinstance(outcome, PassingError) or problem is None:
            problem = outcome  # type: ignore[assignment] # a settled request has no None among its outcomes
    return problem


def name_of(ask: Ask) -> bytes:
    """The request's name, as a header has it; only a caller's own may be anything but a UUID."""
    return ask.request_id.encode() if ask.reading.id is None else header_text(ask.request_id)


def versions(ask: Ask) -> bytes:
    """The versions that answered, as a header has them."""
    live = ask.view.live
    if len(ask.outcomes) == 1 and type(first := ask.outcomes[0]) is Answer:
        return live.header if first.answered == live.version else header_text(first.answered)
    if ask.whole and ask.spoken[0].seat is live:
        return live.header  # columns are answered by one version, the live one
    found = spoke(ask)
    if not found or found == [live.version]:
        return live.header
    return header_text(",".join(found))


def spoke(ask: Ask) -> list[str]:
    """The versions that answered, by name."""
    if ask.whole:
        return [ask.spoken[0].seat.version]  # columns are answered by one version, the live one
    found = {each.seat.version for each in ask.spoken}
    found |= {outcome.answered for outcome in ask.outcomes if type(outcome) is Answer}
    return sorted(found)


def _entry(ask: Ask, place: int) -> _Predicted | _Left | _Refused:
    outcome = ask.outcomes[place]
    if isinstance(outcome, Answer):
        id_text = ask.first_id if place == 0 else format_id(outcome.input_id)
        if ask.view.people is not None and is_left(outcome):
            return _left(id_text, outcome)
        prediction: Any = outcome.prediction
        if ask.arrays is not None:
            prediction = {name: array.tolist() for name, array in ask.arrays[place].items()}
        return _Predicted(id_text, outcome.answered, prediction, outcome.scores)
    return _Refused(error_body(RuntimeFailed("the row was not answered") if outcome is None else outcome))


def _left(id_text: str, outcome: Answer) -> _Left:
    """What is said of a row that people decide: that they do, and what the model says only where it may suggest."""
    if outcome.role != Role.SUGGESTION:
        return _Left(id_text, PEOPLE, PEOPLE)
    return _Left(id_text, PEOPLE, PEOPLE, outcome.prediction, outcome.scores)
