"""The open inference protocol, version 2, over REST with JSON tensors (github.com/kserve/open-inference-protocol).

A model is an endpoint. Its inputs are the contract's fields, one tensor each; one matrix with all fields in the
contract's order, under any other name, is taken too. NaN stands for null where a field may be null. A request that
has one bad row is refused as a whole, because the protocol has no place for errors of rows.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter_ns
from typing import Any, Final

import msgspec
import numpy as np

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BadInput, HeadgateError, RuntimeFailed, Violation
from headgate.gateway.answer import Answerer
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.doors.native import overall, versions
from headgate.gateway.doors.statuses import V2, retry_after, status_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import NOBODY, header_text, send
from headgate.gateway.reading import LONGEST_DEADLINE_MS, LONGEST_ID, LONGEST_KEY
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import format_id
from headgate.journal.records import Answer
from headgate.vocabulary import Task

PROTOCOL: Final = "v2"
_DATATYPES: Final = {
    Kind.NUMBER: "FP64",
    Kind.INTEGER: "INT64",
    Kind.BOOLEAN: "BOOL",
    Kind.TENSOR: "FP64",
}
"""What metadata says of a field; texts, categories, moments and images are BYTES."""
_ANSWERS: Final = {"text": "BYTES", "integer": "INT64", "boolean": "BOOL", "number": "FP64"}
_KNOWN: Final = frozenset(
    ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"]
)
_ONNX: Final = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "bool": "BOOL", "string": "BYTES"}

_encode = msgspec.json.Encoder().encode


class _Tensor(msgspec.Struct, kw_only=True):
    name: str
    shape: list[int]
    datatype: str
    data: Any
    parameters: dict[str, Any] = {}


class _Wanted(msgspec.Struct, kw_only=True):
    name: str
    parameters: dict[str, Any] = {}


class _Infer(msgspec.Struct, kw_only=True):
    inputs: list[_Tensor]
    id: str | None = None
    outputs: list[_Wanted] = []
    parameters: dict[str, Any] = {}


def server_metadata(version: str) -> bytes:
    """The body of ``GET /v2``."""
    return _encode({"name": "headgate", "version": version, "extensions": []})


def refuse(exchange: Exchange, error: HeadgateError, *, request_id: bytes = b"", version: bytes = NOBODY) -> int:
    """Answer with ``{"error": "..."}`` and return the status."""
    status = status_of(error, V2)
    body = _encode({"error": str(error)})
    send(exchange, status, body, request_id=request_id, version=version, extra=retry_after(error))
    return status


class V2Door:
    """Translates between tensors and rows."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    def metadata(self, exchange: Exchange, view: View, version: str | None) -> None:
        """Describe the endpoint, or one of its versions."""
        seat = view.live if version is None else view.seat(version)
        contract = seat.served.contract
        entitled = sorted(each.version for each in view.traffic.members if each.proved or each.forced)
        names = entitled if version is None else [seat.version]
        body = {
            "name": view.traffic.endpoint,
            "versions": names,
            "platform": f"headgate_{seat.served.manifest.engine}",
            "inputs": [_input(each) for each in contract.fields],
            "outputs": _outputs(seat),
        }
        send(exchange, 200, _encode(body), version=seat.header)

    def ready(self, exchange: Exchange, view: View, version: str | None) -> None:
        """Say that the endpoint, or one of its versions, can answer."""
        seat = view.live if version is None else view.seat(version)
        send(exchange, 200, _encode({"name": view.traffic.endpoint, "ready": True}), version=seat.header)

    def infer(self, exchange: Exchange, view: View, version: str | None) -> None:
        """Have a request answered under `view`, by `version` if the caller names one."""
        try:
            pinned = None if version is None else view.seat(version)
            request = _read(exchange)
            seat = pinned or view.live
            names = _wanted(request, seat)
            reading = seat.served.reader.read_objects(_rows(request, seat.served.contract))
            reading.id = _id(request)
            reading.deadline_ms = _deadline(request)
            reading.keys = _keys(request, len(reading.rows))
            for row in reading.rows:
                if isinstance(row, Violation):
                    raise row.as_error()
            self._answerer.admit(make_ask(view, reading, partial(self._reply, exchange, names), pinned))
        except (HeadgateError, RecursionError) as error:
            problem = error if isinstance(error, HeadgateError) else BadInput("body", "json", "is nested too deep")
            self._answerer.note(view, problem)
            view.count.replied(PROTOCOL, refuse(exchange, problem, version=view.live.header), 0.0)

    def _reply(self, exchange: Exchange, names: Sequence[str], ask: Ask) -> None:
        status, request_id, problem = 200, header_text(ask.request_id), _first_problem(ask)
        body = b""
        try:
            body = body if problem is not None else _encode(_answer(ask, names))
        except RuntimeFailed as error:
            problem = error
        if problem is not None:
            status = refuse(exchange, problem, request_id=request_id, version=versions(ask))
        else:
            send(exchange, status, body, request_id=request_id, version=versions(ask))
        ask.view.count.replied(PROTOCOL, status, (perf_counter_ns() - ask.arrived) / 1e9)


def _first_problem(ask: Ask) -> HeadgateError | None:
    problem = overall(ask)
    if problem is None:
        problem = next((each for each in ask.outcomes if not isinstance(each, Answer)), None)
    return problem.as_error() if isinstance(problem, Violation) else problem


# --- requests


def _read(exchange: Exchange) -> _Infer:
    if exchange.head.json_length is not None:
        raise BadInput("inputs", "binary", "tensors come as JSON here; set binary_data=False in the client")
    document = parse_json(exchange.body, "body")
    if not isinstance(document, dict):
        raise BadInput("body", "type", f"expected an object with 'inputs', got {class_of(document)}")
    try:
        request = msgspec.convert(document, _Infer)
    except msgspec.ValidationError as error:
        raise BadInput(_place_of(error), "type", "is missing or of the wrong type for an inference request") from error
    if not request.inputs:
        raise BadInput("inputs", "missing", "expected at least one tensor")
    return request


def _place_of(error: msgspec.ValidationError) -> str:
    """Where msgspec saw what is wrong: its messages end in a path, and name a missing field in quotes of their own.

    >>> _place_of(msgspec.ValidationError("Object missing required field `name` - at `$.inputs[0]`"))
    'inputs[0].name'
    """
    says, _, path = str(error).partition(" - at `$")
    missing = says.partition("missing required field `")[2].strip("`")
    places = [each for each in (path.strip("`.")[:80], missing) if each]
    return ".".join(places) or "inputs"


def _rows(request: _Infer, contract: Contract) -> list[dict[str, Any]]:
    """The request's tensors as rows of the contract."""
    tensors = request.inputs
    fields = contract.fields
    if len(tensors) == 1 and _is_matrix(tensors[0], contract):
        columns = _columns(tensors[0], fields)
        names: Sequence[str] = contract.names
    else:
        named = {each.name: each for each in fields}
        # A tensor nobody asked for is still read, so that the row check names it.
        columns = [_column(each, named.get(each.name)) for each in tensors]
        names = [each.name for each in tensors]
        if len(set(names)) < len(names):
            raise BadInput("inputs", "unknown", "names one tensor twice")
    rows = {len(column) for column in columns}
    if len(rows) > 1:
        raise BadInput("inputs", "shape", "the first dimension of every tensor is the number of rows; they differ")
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_matrix(tensor: _Tensor, contract: Contract) -> bool:
    wide = len(tensor.shape) == 2 and tensor.shape[1] == len(contract.fields)
    return wide and (tensor.name not in contract.names or len(contract.fields) > 1)


def _columns(tensor: _Tensor, fields: Sequence[Field]) -> list[list[Any]]:
    data, width = _flat(tensor), len(fields)
    return [[_scalar(value, field) for value in data[place::width]] for place, field in enumerate(fields)]


def _column(tensor: _Tensor, field: Field | None) -> list[Any]:
    data = _flat(tensor)
    if field is not None and field.kind is Kind.TENSOR:
        return _nested(data, tensor.shape)
    if tensor.shape[1:] not in ([], [1]):
        raise BadInput(tensor.name[:64], "shape", "expected [rows] or [rows, 1]")
    return data if field is None else [_scalar(value, field) for value in data]


def _nested(data: list[Any], shape: list[int]) -> list[Any]:
    try:
        rows: list[Any] = np.array(data, dtype=object).reshape(shape).tolist()
    except ValueError:
        return data
    return rows


def _flat(tensor: _Tensor) -> list[Any]:
    """The tensor's elements in row-major order, nested or not, as many as its shape says."""
    if tensor.datatype not in _KNOWN:
        raise BadInput(
            tensor.name[:64], "type", "has a datatype this protocol does not know, or that needs binary tensors"
        )
    if not tensor.shape or min(tensor.shape) < 0:
        raise BadInput(tensor.name[:64], "shape", "expected the number of rows, then the rest of the shape")
    data = list(_leaves(tensor.data))
    if len(data) != math.prod(tensor.shape):
        raise BadInput(tensor.name[:64], "shape", "has another number of elements than its shape says")
    return data


def _leaves(data: object) -> Iterator[Any]:
    if isinstance(data, list):
        for each in data:
            yield from _leaves(each)
    else:
        yield data


def _scalar(value: Any, field: Field) -> Any:
    """An element as JSON would have it in a row: tensors know no null, and often no integers or booleans."""
    if isinstance(value, float):
        if field.nullable and math.isnan(value):
            return None
        if field.kind is Kind.INTEGER and value.is_integer():
            return int(value)
    if field.kind is Kind.BOOLEAN and value in (0, 1):
        return bool(value)
    return value


def _id(request: _Infer) -> str | None:
    if request.id is not None and len(request.id) > LONGEST_ID:
        raise BadInput("id", "type", f"expected text of at most {LONGEST_ID} characters")
    return request.id or None


def _keys(request: _Infer, rows: int) -> list[str] | None:
    key = request.parameters.get("key")
    if key is None:
        return None
    if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY:
        raise BadInput("parameters.key", "type", f"expected text of 1 to {LONGEST_KEY} characters")
    return [key] * rows


def _deadline(request: _Infer) -> float | None:
    timeout = request.parameters.get("timeout")
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise BadInput("parameters.timeout", "type", "expected microseconds over 0")
    return min(timeout, LONGEST_DEADLINE_MS * 1000) / 1000  # first, because a long integer may be no float at all


# --- answers


def _wanted(request: _Infer, seat: Seat) -> list[str]:
    offered = [each["name"] for each in _outputs(seat)]
    for each in request.outputs:
        if each.name not in offered:
            raise BadInput("outputs", "unknown", f"this model gives {', '.join(offered)}")
    wanted = [each.name for each in request.outputs]
    if len(set(wanted)) < len(wanted):
        raise BadInput("outputs", "unknown", "names one output twice")
    return wanted or offered


def _outputs(seat: Seat) -> list[dict[str, Any]]:
    output = seat.served.contract.output
    if output.task is Task.TENSOR:
        return [
            {"name": each.name, "datatype": _ONNX.get(each.dtype, "FP64"), "shape": [-1, *(_open(each.shape))]}
            for each in seat.served.manifest.signature.outputs
        ]
    found = [{"name": "prediction", "datatype": _ANSWERS[seat.schema.label_kind], "shape": [-1]}]
    if output.task is not Task.REGRESSION and seat.served.manifest.signature.scores is not None:
        found.append({"name": "scores", "datatype": "FP64", "shape": [-1, len(output.classes)]})
    return found


def _answer(ask: Ask, names: Sequence[str]) -> dict[str, Any]:
    seat = ask.pinned or ask.view.live
    answers = [each for each in ask.outcomes if isinstance(each, Answer)]
    tensors = {each["name"]: each for each in _outputs(seat)}
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
    reply["outputs"] = [_tensor(ask, answers, name, tensors[name]["datatype"]) for name in names]
    return reply


def _tensor(ask: Ask, answers: list[Answer], name: str, datatype: str) -> dict[str, Any]:
    if ask.arrays is not None:
        arrays = ask.arrays
        parts = [arrays[row][name] for row in range(len(answers))]
        if len({each.shape for each in parts}) > 1:
            raise RuntimeFailed("the answers to these rows differ in shape, so no tensor holds them; ask row by row")
        array = np.stack(parts)
        return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.reshape(-1).tolist()}
    if name == "prediction":
        data: list[Any] = [each.prediction for each in answers]
        return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}
    rows = [each.scores or [] for each in answers]
    flat = [score for row in rows for score in row]
    return {"name": name, "datatype": datatype, "shape": [len(rows), len(rows[0])], "data": flat}


def _input(field: Field) -> dict[str, Any]:
    shape = [-1, *_open(field.shape or ())] if field.kind is Kind.TENSOR else [-1]
    return {"name": field.name, "datatype": _DATATYPES.get(field.kind, "BYTES"), "shape": shape}


def _open(shape: Sequence[int | None]) -> list[int]:
    return [-1 if each is None else each for each in shape]
