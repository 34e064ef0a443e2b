"""Predict requests in row form (``instances``) and in column form (``inputs``), and their answers."""

from functools import partial
from typing import Any, Final

import msgspec

from headgate.errors import BadInput, HeadgateError
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.forms import Told, by_column, by_row, gives_scores, parse, read_rows, tell, turned
from headgate.gateway.doors.invocations.score import NOT_KEPT
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.view import Seat

DEFAULT: Final = "serving_default"
"""The signature that tells the scores where there are any and the prediction where there are none."""
EVERYTHING: Final = "predict"
"""The signature that tells every output by its name."""
_encode = msgspec.json.Encoder().encode


class Wanted(msgspec.Struct):
    """How the answers are to be told."""

    told: Told
    by_column: bool


class TensorFlowDialect:
    """TensorFlow Serving's predict API as a Dialect."""

    name: Final = "tensorflow"

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows in ``instances`` or ``inputs``."""
        document, finite = parse(exchange.body)
        for name in document:
            if name not in ("instances", "inputs", "signature_name"):
                raise BadInput(name[:64], "unknown", "is no part of this request: signature_name and its rows are")
        if ("instances" in document) == ("inputs" in document):
            raise BadInput("body", "unknown", "expected either 'instances', by row, or 'inputs', by column")
        told, reader = told_by(document.get("signature_name"), seat), seat.served.reader
        name, form = ("inputs", by_column) if "inputs" in document else ("instances", by_row)
        given = document[name]
        reading = read_rows(reader, given, partial(form, given, reader, name), finite=finite)
        return Question(reading, Wanted(told, form is by_column))

    def write(self, ask: Ask, wanted: Wanted) -> Written:
        """``predictions`` for rows, ``outputs`` for columns."""
        rows, extra = tell(ask, wanted.told), b"" if ask.journalled else NOT_KEPT
        said: dict[str, Any] = {"outputs": turned(rows)} if wanted.by_column else {"predictions": rows}
        return Written(_encode(said), extra=extra)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error": "..."}``."""
        return Written(_encode({"error": str(error)}), status_of(error, V2))


def told_by(signature: object, seat: Seat) -> Told:
    """What a signature tells of an answer. Raises BadInput when there is no such signature."""
    match signature:
        case None | "" | "serving_default":
            return Told.SCORES if gives_scores(seat) else Told.PREDICTION
        case "predict":
            return Told.ALL
    raise BadInput("signature_name", "unknown", f"there are the signatures {DEFAULT} and {EVERYTHING}")
