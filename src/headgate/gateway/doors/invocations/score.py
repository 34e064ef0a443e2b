"""Scoring requests in JSON or CSV, and their answers."""

from functools import partial
from typing import Any, Final

import msgspec

from headgate.contracts.explain import class_of
from headgate.errors import (
    BadInput,
    Forbidden,
    HeadgateError,
    MissingExtra,
    NotFound,
    PassingError,
    RateExceeded,
    Unauthenticated,
)
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.forms import (
    Objects,
    Told,
    by_column,
    by_record,
    by_row,
    by_table,
    parse,
    read_rows,
    tell,
    wanted,
)
from headgate.gateway.doors.invocations.table import CSV, read_table, write_table
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.http.exchange import ACCEPT, CONTENT_TYPE, SAGEMAKER_ID, Exchange, Head
from headgate.gateway.http.replies import JSON
from headgate.gateway.reading import LONGEST_ID, Reader, read_rest
from headgate.gateway.view import Seat

TEXT: Final = b"text/plain"
NOT_KEPT: Final = b"Headgate-Journalled: false\r\n"
"""Says what the native door's ``journalled`` says, where a reply has no place for it."""
MEDIA: Final = "media"
_SHAPES: Final = ("dataframe_split", "dataframe_records", "instances", "inputs")
_CODES: Final = (
    (NotFound, "RESOURCE_DOES_NOT_EXIST"),
    (Unauthenticated, "UNAUTHENTICATED"),
    (Forbidden, "PERMISSION_DENIED"),
    (MissingExtra, "NOT_IMPLEMENTED"),
    (RateExceeded, "REQUEST_LIMIT_EXCEEDED"),
    (PassingError, "TEMPORARILY_UNAVAILABLE"),
)
_encode = msgspec.json.Encoder().encode


class Wanted(msgspec.Struct):
    """How the answers are to be told."""

    told: Told
    csv: bool


class InvocationsDialect:
    """MLflow's scoring protocol, and what SageMaker asks of a container, as a Dialect."""

    name: Final = "invocations"

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows of the request's one table, JSON or CSV."""
        head, reader = exchange.head, seat.served.reader
        csv = media(head)
        if csv is not None:
            shape = partial(read_table, exchange.body, reader.contract, named=csv.named, most=reader.rows_limit)
            reading, told = read_rows(reader, None, shape, finite=False), Told.PREDICTION
        else:
            document, finite = parse(exchange.body)
            name = _shape(document)
            params = _params(document.get("params"))
            told = wanted(params.pop("output", Told.PREDICTION), seat, "params.output")
            rest = read_rest(params)
            shape = partial(_rows, name, document[name], reader)
            reading = read_rows(reader, document[name], shape, finite=finite, rest=rest)
        if reading.id is None:
            reading.id = inference_id(head)
        return Question(reading, Wanted(told, _asks_csv(head)))

    def write(self, ask: Ask, wanted: Wanted) -> Written:
        """``{"predictions": [...]}``, or a line per row for those who accept CSV."""
        said, extra = tell(ask, wanted.told), b"" if ask.journalled else NOT_KEPT
        if wanted.csv:
            return Written(write_table(said), content_type=CSV + b"; charset=utf-8", extra=extra)
        return Written(_encode({"predictions": said}), extra=extra)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error_code", "message"}``; plain text for a content type nobody reads here."""
        if isinstance(error, BadInput) and error.rule == MEDIA:
            return Written(f"{error}\n".encode(), 415, TEXT)
        code = next((code for kind, code in _CODES if isinstance(error, kind)), "BAD_REQUEST")
        return Written(_encode({"error_code": code, "message": str(error)}), status_of(error, V2))


class Csv(msgspec.Struct):
    """What a content type says of a table."""

    named: bool | None
    """Whether the first line has the columns' names; None when it does not say."""


def media(head: Head) -> Csv | None:
    """What the body is by its content type: a table, or None for JSON, which is also what a missing type means.

    Raises BadInput with rule ``media`` for everything else.

    >>> media(Head(b"POST", b"/", headers={CONTENT_TYPE: b"text/csv; header=absent"}))
    Csv(named=False)
    """
    kind, csv = head.media_type(), Csv(None)
    if kind not in (b"", JSON, CSV):
        raise BadInput("content-type", MEDIA, "is neither application/json nor text/csv")
    for each in head.headers.get(CONTENT_TYPE, b"").lower().split(b";")[1:]:
        name, _, value = each.strip().partition(b"=")
        value = value.strip(b'"')
        if name == b"header" and kind == CSV and value in (b"present", b"absent"):
            csv.named = value == b"present"
        elif name and (name, value) not in ((b"charset", b"utf-8"), (b"charset", b"utf8")):
            raise BadInput("content-type", MEDIA, "may say charset=utf-8, and of CSV header=present or absent, no more")
    return csv if kind == CSV else None


def inference_id(head: Head) -> str | None:
    """The request id in ``X-Amzn-SageMaker-Inference-Id``. Raises BadInput for one that is too long."""
    raw = head.headers.get(SAGEMAKER_ID)
    if not raw:
        return None
    text = raw.decode("latin-1")
    if len(text) > LONGEST_ID:
        raise BadInput("x-amzn-sagemaker-inference-id", "size", f"expected text of 1 to {LONGEST_ID} characters")
    return text


def _asks_csv(head: Head) -> bool:
    return head.headers.get(ACCEPT, b"").split(b",")[0].partition(b";")[0].strip().lower() == CSV


def _shape(document: dict[str, Any]) -> str:
    found = [each for each in _SHAPES if each in document]
    if len(found) != 1:
        raise BadInput("body", "unknown", f"expected exactly one of {', '.join(_SHAPES)}, got {len(found)}")
    for name in document:
        if name not in (found[0], "params"):
            raise BadInput(name[:64], "unknown", f"is no part of this request: {found[0]} and params are")
    return found[0]


def _params(params: object) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise BadInput("params", "type", f"expected an object, got {class_of(params)}")
    return dict(params)


def _rows(shape: str, given: object, reader: Reader) -> Objects:
    match shape:
        case "dataframe_split":
            return _split(given, reader)
        case "dataframe_records":
            return by_record(given, reader, shape)
        case "instances":
            return by_row(given, reader, shape)
    return by_column(given, reader, shape)


def _split(table: object, reader: Reader) -> Objects:
    if not isinstance(table, dict):
        raise BadInput("dataframe_split", "type", f"expected an object with 'data', got {class_of(table)}")
    for name in table:
        if name not in ("columns", "index", "data"):
            raise BadInput(f"dataframe_split.{name[:64]}", "unknown", "is no part of it: columns, index and data are")
    names = table.get("columns", list(reader.contract.names))
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise BadInput("dataframe_split.columns", "type", "expected a list of names")
    return by_table(names, table.get("data"), reader, "dataframe_split.data")
