"""The native door: ``POST /v1/endpoints/{endpoint}/predict``."""

from functools import partial
from time import perf_counter_ns
from typing import Any, Final

import msgspec

from headgate.errors import BadInput, HeadgateError, PassingError, RuntimeFailed, Violation
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.errors import ErrorBody, error_body, refuse
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import header_text, send
from headgate.gateway.view import View
from headgate.journal.identifiers import format_id
from headgate.journal.records import Answer

PROTOCOL: Final = "native"


class _Predicted(msgspec.Struct, gc=False, omit_defaults=True):
    id: str
    version: str
    prediction: Any
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

    def open(self, exchange: Exchange, view: View) -> None:
        """Have a request answered under `view`."""
        try:
            reading = view.live.served.reader.read(exchange.body)
            self._answerer.admit(make_ask(view, reading, partial(self.reply, exchange), None, exchange.caller))
        except (BadInput, PassingError) as error:
            self.refuse(exchange, view, error)

    def refuse(self, exchange: Exchange, view: View, error: HeadgateError) -> None:
        """Tell the caller why nothing of the request is answered; a record says so where that is the caller's doing."""
        if isinstance(error, BadInput | PassingError):
            self._answerer.note(view, error)
        view.count.replied(PROTOCOL, refuse(exchange, error, version=view.live.header), 0.0)

    def body(self, ask: Ask) -> bytes:
        """The reply of a request of which at least one row is answered or refused for itself; slow for many rows."""
        for each in ask.stretches:
            each.settle()
        return self._body(ask)

    def _body(self, ask: Ask) -> bytes:
        return self._encode(_Reply([_entry(ask, place) for place in range(len(ask.outcomes))], ask.journalled))

    def reply(self, exchange: Exchange, ask: Ask) -> None:
        """Tell the caller of `exchange` what became of its rows."""
        problem = overall(ask)
        request_id = ask.request_id.encode() if ask.reading.id is None else header_text(ask.request_id)
        if isinstance(problem, HeadgateError):
            status = refuse(exchange, problem, request_id=request_id, version=versions(ask))
        else:
            status = 200 if problem is None else 422
            send(exchange, status, self._body(ask), request_id=request_id, version=versions(ask))
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)


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


def versions(ask: Ask) -> bytes:
    """The versions that answered, as a header has them."""
    live = ask.view.live
    if len(ask.outcomes) == 1 and type(first := ask.outcomes[0]) is Answer:
        return live.header if first.answered == live.version else header_text(first.answered)
    found = spoke(ask)
    if not found or found == [live.version]:
        return live.header
    return header_text(",".join(found))


def spoke(ask: Ask) -> list[str]:
    """The versions that answered, by name."""
    found = {outcome.answered for outcome in ask.outcomes if type(outcome) is Answer}
    return sorted(found | {each.seat.version for each in ask.stretches})


def _entry(ask: Ask, place: int) -> _Predicted | _Refused:
    outcome = ask.outcomes[place]
    if isinstance(outcome, Answer):
        id_text = ask.first_id if place == 0 else format_id(outcome.input_id)
        prediction: Any = outcome.prediction
        if ask.arrays is not None:
            prediction = {name: array.tolist() for name, array in ask.arrays[place].items()}
        return _Predicted(id_text, outcome.answered, prediction, outcome.scores)
    return _Refused(error_body(RuntimeFailed("the row was not answered") if outcome is None else outcome))
