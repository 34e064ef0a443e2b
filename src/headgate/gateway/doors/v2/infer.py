"""Inference requests and their answers, JSON and binary tensors mixed at will."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BadInput, HeadgateError
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.doors.v2.about import outputs_of
from headgate.gateway.doors.v2.binary import SIZE, fill, packed, split
from headgate.gateway.doors.v2.tensors import Tensor, read_tensors
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.view import Seat
from headgate.journal.identifiers import format_id
from headgate.journal.records import Answer

_PATH: Final = re.compile(r"at `\$(.+)`$")
_MISSING: Final = re.compile(r"Object missing required field `(.+?)`")
_OCTETS: Final = b"application/octet-stream"
_BINARY: Final = "binary_data"
_ALL_BINARY: Final = "binary_data_output"

_encode = msgspec.json.Encoder().encode


class _Output(msgspec.Struct, kw_only=True):
    name: str
    parameters: dict[str, Any] = {}


class _Infer(msgspec.Struct, kw_only=True):
    inputs: list[Tensor]
    id: str | None = None
    outputs: list[_Output] = []
    parameters: dict[str, Any] = {}


class Wanted(msgspec.Struct):
    """An output somebody asked for."""

    name: str
    binary: bool


class V2Dialect:
    """The open inference protocol as a Dialect."""

    name: Final = "v2"

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows in the request's tensors, and which outputs it wants in which form."""
        json, raw = split(exchange.head, exchange.body)
        request = _request(json)
        fill(request.inputs, raw)
        wanted = _wanted(request, seat)
        reading = read_tensors(request.inputs, seat.served.reader, seat.served.contract)
        reading.id = request.id or None
        reading.deadline_ms = _deadline(request)
        reading.keys = _keys(request, len(reading.rows))
        return Question(reading, wanted)

    def write(self, ask: Ask, answers: list[Answer], wanted: Sequence[Wanted]) -> Written:
        """The outputs asked for; those in binary behind the JSON, in the order in which it lists them."""
        seat = ask.pinned or ask.view.live
        offered = {each["name"]: each["datatype"] for each in outputs_of(seat)}
        outputs, behind = [], []
        for each in wanted:
            shape, data = _output(ask, answers, each.name)
            tensor: dict[str, Any] = {"name": each.name, "datatype": offered[each.name], "shape": shape}
            if each.binary:
                behind.append(packed(data, offered[each.name]))
                tensor["parameters"] = {SIZE: len(behind[-1])}
            else:
                tensor["data"] = data
            outputs.append(tensor)
        json = _encode(_about(ask, answers) | {"outputs": outputs})
        if not any(each.binary for each in wanted):
            return Written(json)
        length = b"Inference-Header-Content-Length: %d\r\n" % len(json)
        return Written(b"".join((json, *behind)), content_type=_OCTETS, extra=length)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error": "..."}``, which stock clients show."""
        return Written(_encode({"error": str(error)}), status_of(error, V2))


def _request(body: bytes) -> _Infer:
    document = parse_json(body, "body")
    if not isinstance(document, dict):
        raise BadInput("body", "type", f"expected an object with 'inputs', got {class_of(document)}")
    for tensor in document["inputs"] if isinstance(document.get("inputs"), list) else ():
        if isinstance(tensor, dict):
            tensor.pop("elements", None)  # a word of ours, never a caller's
    try:
        request = msgspec.convert(document, _Infer)
    except msgspec.ValidationError as error:
        raise BadInput(
            _where(str(error))[:80], "type", "is missing or of the wrong type for an inference request"
        ) from error
    if not request.inputs:
        raise BadInput("inputs", "missing", "expected at least one tensor")
    return request


def _where(problem: str) -> str:
    """The field a sentence of msgspec speaks of.

    >>> _where("Object missing required field `shape` - at `$.inputs[0]`")
    'inputs[0].shape'
    """
    path, missing = _PATH.search(problem), _MISSING.match(problem)
    found = [path[1].removeprefix(".")] if path else []
    return ".".join([*found, *([missing[1]] if missing else [])]) or "body"


def _keys(request: _Infer, rows: int) -> list[str] | None:
    key = request.parameters.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not key:
        raise BadInput("parameters.key", "type", "expected a text by which the rows keep their version")
    return [key] * rows


def _deadline(request: _Infer) -> float | None:
    timeout = request.parameters.get("timeout")
    if timeout is None or timeout == 0:  # Triton's clients say 0 for none
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise BadInput("parameters.timeout", "type", "expected microseconds over 0")
    return float(timeout) / 1000


def _wanted(request: _Infer, seat: Seat) -> list[Wanted]:
    offered = [each["name"] for each in outputs_of(seat)]
    binary = _flag(request.parameters, _ALL_BINARY, False)
    for each in request.outputs:
        if each.name not in offered:
            raise BadInput("outputs", "unknown", f"this model gives {', '.join(offered)}")
        if "classification" in each.parameters:
            raise BadInput("outputs", "unsupported", "the classification extension is not spoken here; read 'scores'")
    if not request.outputs:
        return [Wanted(name, binary) for name in offered]
    return [Wanted(each.name, _flag(each.parameters, _BINARY, binary)) for each in request.outputs]


def _flag(parameters: dict[str, Any], name: str, otherwise: bool) -> bool:
    value = parameters.get(name, otherwise)
    if not isinstance(value, bool):
        raise BadInput(f"parameters.{name}", "type", "expected true or false")
    return value


def _about(ask: Ask, answers: list[Answer]) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "model_name": ask.view.traffic.endpoint,
        "model_version": ",".join(sorted({each.answered for each in answers})),
    }
    if ask.reading.id is not None:
        reply["id"] = ask.reading.id
    reply["parameters"] = {
        "headgate_request_id": ask.request_id,
        "headgate_ids": ",".join(format_id(each.input_id) for each in answers),
    }
    if not ask.journalled:
        reply["parameters"]["journalled"] = False
    return reply


def _output(ask: Ask, answers: list[Answer], name: str) -> tuple[list[int], list[Any]]:
    """Shape and elements of one output."""
    if not answers:
        wide = {each["name"]: each["shape"] for each in outputs_of(ask.pinned or ask.view.live)}[name]
        return [0, *[max(0, each) for each in wide[1:]]], []
    if ask.arrays is not None:
        arrays = ask.arrays
        array = np.stack([arrays[row][name] for row in range(len(answers))])
        return list(array.shape), array.reshape(-1).tolist()
    if name == "prediction":
        return [len(answers)], [each.prediction for each in answers]
    rows = [each.scores or [] for each in answers]
    return [len(rows), len(rows[0])], [score for row in rows for score in row]
