"""Which versions of a model there are, and what they read and answer, in TensorFlow Serving's words."""

from typing import Any, Final

import msgspec

from headgate.gateway.doors.forms import Told
from headgate.gateway.doors.tensorflow.predict import DEFAULT, EVERYTHING, told_by
from headgate.gateway.doors.v2.about import inputs_of, outputs_of
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.http.replies import send
from headgate.gateway.view import Seat, View
from headgate.traffic.traffic import Member

_DTYPES: Final = {"FP64": "DT_DOUBLE", "FP32": "DT_FLOAT", "INT64": "DT_INT64", "BOOL": "DT_BOOL", "BYTES": "DT_STRING"}
_METHOD: Final = "tensorflow/serving/predict"
_encode = msgspec.json.Encoder().encode


def status(exchange: Exchange, view: View, version: str | None) -> None:
    """The state of every version that may answer, or of one."""
    members = [each for each in view.traffic.members if each.entitled] if version is None else [view.member(version)]
    body = {"model_version_status": [_state(view, each) for each in members]}
    send(exchange, 200, _encode(body), version=view.live.header)


def metadata(exchange: Exchange, view: View, version: str | None) -> None:
    """The signatures of a version, and the classes its scores are in the order of."""
    seat = view.named(version)
    signatures = {name: _signature(seat, name) for name in (DEFAULT, EVERYTHING)}
    output = seat.served.contract.output
    body = {
        "model_spec": {"name": view.traffic.endpoint, "signature_name": "", "version": _number(view, seat.version)},
        "metadata": {
            "signature_def": {"signature_def": signatures},
            "headgate": {"version": seat.version, "task": output.task, "classes": list(output.classes)},
        },
    }
    send(exchange, 200, _encode(body), version=seat.header)


def _state(view: View, member: Member) -> dict[str, Any]:
    loaded = member.version in view.seats
    state = "AVAILABLE" if loaded else "LOADING"
    return {
        "version": _number(view, member.version),
        "state": state,
        "status": {"error_code": "OK", "error_message": ""},
    }


def _number(view: View, version: str) -> str:
    """The number alone, as TensorFlow's versions are; the whole name where another model has that number too."""
    model, _, number = version.rpartition(":")
    return number if model == view.traffic.live.rpartition(":")[0] else version


def _signature(seat: Seat, name: str) -> dict[str, Any]:
    outputs, told = outputs_of(seat), told_by(name, seat)
    if told is not Told.ALL and any(each["name"] == told for each in outputs):
        outputs = [each for each in outputs if each["name"] == told]
    return {
        "inputs": {each["name"]: _tensor(each) for each in inputs_of(seat)},
        "outputs": {each["name"]: _tensor(each) for each in outputs},
        "method_name": _METHOD,
    }


def _tensor(described: dict[str, Any]) -> dict[str, Any]:
    dims = [{"size": str(each), "name": ""} for each in described["shape"]]
    return {
        "dtype": _DTYPES[described["datatype"]],
        "tensor_shape": {"dim": dims, "unknown_rank": False},
        "name": described["name"],
    }
