"""Inference requests and their answers over HTTP, JSON and binary tensors mixed at will."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headgate.contracts.decode import parse_json
from headgate.contracts.explain import class_of
from headgate.errors import BadInput, HeadgateError
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question, Written
from headgate.gateway.doors.statuses import V2, status_of
from headgate.gateway.doors.v2 import told
from headgate.gateway.doors.v2.asked import Infer, Wanted, question_of
from headgate.gateway.doors.v2.binary import SIZE, fill, packed, split
from headgate.gateway.http.exchange import Exchange
from headgate.gateway.view import Seat

_OCTETS: Final = b"application/octet-stream"

_encode = msgspec.json.Encoder().encode


class V2Dialect:
    """The open inference protocol as a Dialect."""

    name: Final = "v2"

    def read(self, exchange: Exchange, seat: Seat) -> Question:
        """The rows in the request's tensors, and which outputs it wants in which form."""
        json, raw = split(exchange.head, exchange.body)
        request = _request(json)
        fill(request.inputs, raw)
        return question_of(request, seat)

    def write(self, ask: Ask, wanted: Sequence[Wanted]) -> Written:
        """The outputs asked for; those in binary behind the JSON, in the order in which it lists them."""
        outputs, behind = [], []
        for each in told.outputs(ask, wanted):
            tensor: dict[str, Any] = {"name": each.name, "datatype": each.datatype, "shape": each.shape}
            if each.binary:
                behind.append(packed(each.data, each.datatype))
                tensor["parameters"] = {SIZE: len(behind[-1])}
            else:
                tensor["data"] = each.listed()
            outputs.append(tensor)
        json = _encode(_about(ask) | {"outputs": outputs})
        if not any(each.binary for each in wanted):
            return Written(json)
        length = b"Inference-Header-Content-Length: %d\r\n" % len(json)
        return Written(b"".join((json, *behind)), content_type=_OCTETS, extra=length)

    def refuse(self, error: HeadgateError) -> Written:
        """``{"error": "..."}``, which stock clients show."""
        return Written(_encode({"error": str(error)}), status_of(error, V2))


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


def _about(ask: Ask) -> dict[str, Any]:
    reply: dict[str, Any] = {"model_name": ask.view.traffic.endpoint, "model_version": told.model_version(ask)}
    if ask.reading.id is not None:
        reply["id"] = ask.reading.id
    return reply | {"parameters": told.parameters(ask)}
