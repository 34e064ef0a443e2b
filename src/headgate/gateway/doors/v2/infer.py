"""Inference requests and their answers over HTTP, JSON and binary tensors mixed at will."""

from copy import copy
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BadInput, HeadgateError
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.doors.v2 import told
from headgate.gateway.doors.v2.asked import Infer, Plain, Wanted, plain_of, question_of, wanted_of
from headgate.gateway.doors.v2.binary import SIZE, fill, split
from headgate.gateway.doors.v2.tensors import check_tensors
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.view import Seat

_OCTETS: Final = b"application/octet-stream"

_encode = msgspec.json.Encoder().encode


_KNOWN: Final = 256
"""Texts of JSON whose meaning is kept."""
_LONGEST_KNOWN: Final = 2048
"""Bytes."""


class _Wish(msgspec.Struct, eq=False):
    """What an answer must be like."""

    outputs: list[Wanted]
    described: tuple[tuple[int, ...], msgspec.Raw] | None = None
    """How JSON told of the tensors behind it in the last answer that had all there: its rows, the bytes of each."""


class _Known(msgspec.Struct, eq=False):
    """What JSON before binary tensors asks of a version."""

    seat: Seat
    request: Infer
    wish: _Wish
    plain: Plain | None = None
    """How the tensor is read at once, where there is no more to it."""


class _Tensor(msgspec.Struct, kw_only=True):
    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int] | msgspec.UnsetType = msgspec.UNSET
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET


class _Reply(msgspec.Struct, kw_only=True):
    model_name: str
    model_version: str
    id: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, str | bool]
    outputs: list[_Tensor] | msgspec.Raw


class V2Dialect:
    """The open inference protocol as a Dialect."""

    name: Final = "v2"

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        """By the JSON; clients repeat theirs with every batch of the same size."""

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows in the request's tensors, and which outputs it wants in which form."""
        json, raw = split(exchange.head, exchange.body)
        known = self._find(json, seat) if raw else _known(json, seat)
        if known.plain is not None and (reading := known.plain.read(raw, seat.served.reader)) is not None:
            reading.id = known.request.id or None
            return Question(reading, known.wish)
        # Its tensors are given their elements, so every request has its own.
        request = replace(known.request, inputs=[copy(each) for each in known.request.inputs])
        fill(request.inputs, raw)
        question = question_of(request, seat, known.wish.outputs)
        question.wanted = known.wish
        return question

    def _find(self, json: bytes, seat: Seat) -> _Known:
        found = self._known.get(json)
        if found is None or found.seat is not seat:
            found = _known(json, seat)
            found.plain = plain_of(found.request, seat.served.contract)
            if len(json) <= _LONGEST_KNOWN:
                if len(self._known) >= _KNOWN:
                    self._known.clear()
                self._known[json] = found
        return found

    def write(self, ask: Ask, wish: _Wish) -> Written:
        """The outputs asked for; those in binary behind the JSON, in the order in which it lists them."""
        outputs, behind = _outputs(ask, wish)
        reply = _Reply(
            model_name=ask.view.traffic.endpoint,
            model_version=told.model_version(ask),
            parameters=told.parameters(ask),
            outputs=outputs,
        )
        if ask.reading.id is not None:
            reply.id = ask.reading.id
        json = _encode(reply)
        if not behind:
            return Written(json)
        length = b"Inference-Header-Content-Length: %d\r\n" % len(json)
        return Written(b"".join((json, *behind)), content_type=_OCTETS, extra=length)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error": "..."}``, which stock clients show."""
        return Written(_encode({"error": str(error)}), status_of(error, V2))


def _known(json: bytes, seat: Seat) -> _Known:
    request = _request(json)
    check_tensors(request.inputs, seat.served.reader)
    return _Known(seat, request, _Wish(wanted_of(request, seat)))


def _outputs(ask: Ask, wish: _Wish) -> tuple[list[_Tensor] | msgspec.Raw, list[bytes]]:
    """The outputs asked for as JSON tells of them, and those that come behind it."""
    packed = told.packed_outputs(ask, wish.outputs)
    if packed is None:
        return _described(told.outputs(ask, wish.outputs))
    sizes = (len(ask.outcomes), *map(len, packed))  # answers of one wish that agree in these are described alike
    if wish.described is None or wish.described[0] != sizes:
        wish.described = sizes, msgspec.Raw(_encode(_described(told.outputs(ask, wish.outputs))[0]))
    return wish.described[1], packed


def _described(outputs: list[told.Told]) -> tuple[list[_Tensor], list[bytes]]:
    described, behind = [], []
    for each in outputs:
        tensor = _Tensor(name=each.name, datatype=each.datatype, shape=each.shape)
        if each.binary:
            behind.append(each.packed())
            tensor.parameters = {SIZE: len(behind[-1])}
        else:
            tensor.data = each.listed()
        described.append(tensor)
    return described, behind


def _request(body: bytes) -> Infer:
    document = parse_json(body, "body")
    if not isinstance(document, dict):
        raise BadInput("body", "type", f"expected an object with 'inputs', got {class_of(document)}")
    for tensor in document["inputs"] if isinstance(document.get("inputs"), list) else ():
        if isinstance(tensor, dict):
            tensor.pop("elements", None)  # a word of ours, never a caller's
    try:
        return msgspec.convert(document, Infer)
    except msgspec.ValidationError as error:
        raise BadInput(_place_of(error), "type", "is missing or of the wrong type for an inference request") from error
    except UnicodeEncodeError as error:
        raise BadInput("body", "type", "has half a surrogate pair where an inference request has none") from error


def _place_of(error: msgspec.ValidationError) -> str:
    """Where msgspec saw what is wrong: its messages end in a path, and name a missing field in quotes of their own.

    >>> _place_of(msgspec.ValidationError("Object missing required field `name` - at `$.inputs[0]`"))
    'inputs[0].name'
    """
    says, _, path = str(error).partition(" - at `$")
    missing = says.partition("missing required field `")[2].strip("`")
    places = [each for each in (path.strip("`.")[:80], missing) if each]
    return ".".join(places) or "inputs"
