"""Vertex AI's custom containers: ``instances`` go in and ``predictions`` come out, on routes the platform chooses."""

from functools import partial
from typing import Any, Final

import msgspec

from headgate.contracts.explain import class_of
from headgate.errors import BadInput, HeadgateError
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.forms import Told, by_row, parse, read_rows, tell, wanted
from headgate.gateway.doors.invocations.score import NOT_KEPT
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.reading import read_rest
from headgate.gateway.view import Seat

_encode = msgspec.json.Encoder().encode


class VertexDialect:
    """Vertex AI's prediction requests as a Dialect."""

    name: Final = "vertex"

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows in ``instances``."""
        document, finite = parse(exchange.body)
        for name in document:
            if name not in ("instances", "parameters"):
                raise BadInput(name[:64], "unknown", "is no part of this request: instances and parameters are")
        parameters = _parameters(document.get("parameters"))
        told = wanted(parameters.pop("output", Told.PREDICTION), seat, "parameters.output")
        rest = read_rest(parameters)
        given, reader = document.get("instances"), seat.served.reader
        shape = partial(by_row, given, reader, "instances")
        return Question(read_rows(reader, given, shape, finite=finite, rest=rest), told)

    def write(self, ask: Ask, wanted: Told) -> Written:
        """One entry of ``predictions`` per row."""
        return Written(_encode({"predictions": tell(ask, wanted)}), extra=b"" if ask.journalled else NOT_KEPT)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error": "..."}``."""
        return Written(_encode({"error": str(error)}), status_of(error, V2))


def _parameters(parameters: object) -> dict[str, Any]:
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise BadInput("parameters", "type", f"expected an object, got {class_of(parameters)}")
    return dict(parameters)
