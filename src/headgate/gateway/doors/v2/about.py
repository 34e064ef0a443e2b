"""What the server and its models say of themselves."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headgate.contracts.contract import Field, Kind
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import send
from headgate.gateway.view import UNPROVED, Seat, View
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

READY: Final = "READY"
LOADING: Final = "LOADING"
UNAVAILABLE: Final = "UNAVAILABLE"
EXTENSIONS: Final = ("binary_tensor_data", "model_configuration", "model_repository", "statistics")
_DATATYPES: Final = {
    Kind.NUMBER: "FP64",
    Kind.INTEGER: "INT64",
    Kind.BOOLEAN: "BOOL",
    Kind.TENSOR: "FP64",
}
"""What metadata says of a field; texts, categories, moments and images are BYTES."""
_ANSWERS: Final = {"text": "BYTES", "integer": "INT64", "boolean": "BOOL", "number": "FP64"}
_CONFIGURED: Final = {"BYTES": "TYPE_STRING"}
"""Datatypes whose name in a configuration is not TYPE_ and the datatype."""
_ONNX: Final = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "bool": "BOOL", "string": "BYTES"}

_encode = msgspec.json.Encoder().encode


def server(version: str) -> dict[str, Any]:
    """What the server says of itself."""
    return {"name": "headgate", "version": version, "extensions": EXTENSIONS}


def model(view: View, version: str | None) -> tuple[Seat, dict[str, Any]]:
    """What the endpoint, or one of its versions, says of itself, and who speaks."""
    seat = view.named(version)
    return seat, {
        "name": view.traffic.endpoint,
        "versions": versions_of(view, version),
        "platform": _platform(seat),
        "inputs": inputs_of(seat),
        "outputs": outputs_of(seat),
    }


def server_metadata(version: str) -> bytes:
    """The body of ``GET /v2``."""
    return _encode(server(version))


def metadata(exchange: Exchange, view: View, version: str | None) -> None:
    """Describe the endpoint, or one of its versions."""
    seat, body = model(view, version)
    send(exchange, 200, _encode(body), version=seat.header)


def configuration(exchange: Exchange, view: View, version: str | None) -> None:
    """Tell the configuration of the endpoint, or of one of its versions."""
    seat, body = configured(view, version)
    send(exchange, 200, _encode(body), version=seat.header)


def configured(view: View, version: str | None) -> tuple[Seat, dict[str, Any]]:
    """The configuration, and whose it is; dimensions are without that of the rows."""
    seat = view.named(version)
    return seat, {
        "name": view.traffic.endpoint,
        "platform": _platform(seat),
        "backend": "headgate",
        "version_policy": {"specific": {"versions": entitled(view)}},
        "max_batch_size": seat.served.reader.rows_limit,
        "input": [_configured(each) for each in inputs_of(seat)],
        "output": [_configured(each) for each in outputs_of(seat)],
    }


def entitled(view: View) -> list[str]:
    """The versions callers may name."""
    return sorted(each.version for each in view.traffic.members if each.entitled)


def versions_of(view: View, version: str | None) -> list[str]:
    """The version that a question is about, by name; where it names none all that callers may name."""
    return entitled(view) if version is None else [view.seat(version).version]


def ready(exchange: Exchange, view: View, version: str | None) -> None:
    """Say that the endpoint, or one of its versions, can answer."""
    seat = view.named(version)
    send(exchange, 200, _encode({"name": view.traffic.endpoint, "ready": True}), version=seat.header)


def inputs_of(seat: Seat) -> list[dict[str, Any]]:
    """The tensors a version reads: name, datatype, shape."""
    return [_input(each) for each in seat.served.contract.fields]


def index(view: View, unready: str) -> list[dict[str, str]]:
    """Every version of the endpoint and how it stands; `unready` says why none can be asked, "" when they can."""
    return [_standing(view, each, unready) for each in sorted(view.traffic.members, key=lambda each: each.version)]


def _standing(view: View, member: Member, unready: str) -> dict[str, str]:
    state, reason = (READY, "") if member.version in view.seats else (LOADING, "")
    if unready:
        state, reason = UNAVAILABLE, unready
    if not member.entitled:
        state, reason = UNAVAILABLE, UNPROVED
    return {"name": view.traffic.endpoint, "version": member.version, "state": state, "reason": reason}


def outputs_of(seat: Seat) -> list[dict[str, Any]]:
    """The tensors a version answers with: name, datatype, shape."""
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


def _input(field: Field) -> dict[str, Any]:
    shape = [-1, *_open(field.shape or ())] if field.kind is Kind.TENSOR else [-1]
    return {"name": field.name, "datatype": _DATATYPES.get(field.kind, "BYTES"), "shape": shape}


def _open(shape: Sequence[int | None]) -> list[int]:
    return [-1 if each is None else each for each in shape]


def _platform(seat: Seat) -> str:
    return f"headgate_{seat.served.manifest.engine}"


def _configured(described: dict[str, Any]) -> dict[str, Any]:
    datatype = described["datatype"]
    kind = _CONFIGURED.get(datatype, f"TYPE_{datatype}")
    return {"name": described["name"], "data_type": kind, "dims": described["shape"][1:] or [1]}
