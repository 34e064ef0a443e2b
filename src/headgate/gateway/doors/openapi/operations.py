"""One entry per path of the native API, health and V2; a test holds them against `paths.find_route`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from headgate.gateway.doors.openapi.tensors import Schema, ref

_JSON: Final = "application/json"
_OCTETS: Final = "application/octet-stream"
_MEANINGS: Final = {
    400: "The body is not JSON, not UTF-8, or not in the coding it claims.",
    404: "No such endpoint, version or path.",
    413: "The body is larger than the gateway takes.",
    422: "A value broke a rule; the field and the rule are named.",
    501: "An Arrow body, where the gateway lacks the extra for it.",
    503: "Overloaded, not loaded yet, the model failed, or the journal cannot be written.",
    504: "The deadline passed first.",
}
_BROKEN: Final = {400: "The request broke a rule of the protocol or of the contract."}
_RETRY: Final = {
    "Retry-After": {"description": "Seconds after which to come back.", "schema": {"type": "integer", "minimum": 1}}
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path does."""

    method: str
    name: str
    """Unique; generators of clients name functions by it."""
    says: str
    tag: str
    replies: dict[int, Sequence[str]]
    """Components a reply of that status may be."""
    takes: str | None = None
    """The component of its body."""
    binary: bool = False
    """Whether bodies may be JSON followed by binary tensors."""
    bodies: Mapping[str, str] = field(default_factory=dict)
    """Other types of body it takes, and what each is."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Other types its answer may have, for callers who accept them."""

    def as_openapi(self) -> dict[str, Any]:
        """The operation as a document has it."""
        found: dict[str, Any] = {"operationId": self.name, "summary": self.says, "tags": [self.tag]}
        if self.takes is not None:
            found["requestBody"] = {"required": True, "content": self._content([self.takes]) | _others(self.bodies)}
        found["responses"] = {str(status): self._response(status) for status in sorted(self.replies)}
        return found

    def _response(self, status: int) -> dict[str, Any]:
        names = self.replies[status]
        native = "V2Error" not in names
        said = "Done." if status == 200 else _MEANINGS[status] if native else _BROKEN.get(status, _MEANINGS[status])
        headers: dict[str, Any] = {
            "Headgate-Request-Id": {"$ref": "#/components/headers/RequestId"},
            "Headgate-Version": {"$ref": "#/components/headers/Version"},
        }
        if status == 503:
            headers |= _RETRY
        content = self._content(names, reply=status == 200)
        if set(names) != {"Error"} and status in (200, 422):
            content |= _others(self.answers)
        return {"description": said, "headers": headers, "content": content}

    def _content(self, names: Sequence[str], *, reply: bool = True) -> dict[str, Any]:
        schema: Schema = ref(names[0]) if len(names) == 1 else {"anyOf": [ref(each) for each in names]}
        octets = {_OCTETS: {"schema": {"description": "JSON, then binary tensors in the order it lists them."}}}
        return {_JSON: {"schema": schema}} | (octets if self.binary and reply else {})


def _others(types: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"schema": {"description": says}} for name, says in types.items()}


def _errors(*statuses: int) -> dict[int, Sequence[str]]:
    return dict.fromkeys(statuses, ("Error",))


def _v2_errors(*statuses: int) -> dict[int, Sequence[str]]:
    # What the wire refuses before a door knows the path has the native form.
    return {status: ("V2Error", "Error") if status in (400, 413) else ("V2Error",) for status in statuses}


def _told(name: str, says: str, takes: str) -> Operation:
    return Operation("post", name, says, "native", {200: ("Accepted",), **_errors(400, 404, 413, 422, 503)}, takes)


_PREDICT: Final = Operation(
    "post",
    "predict",
    "Ask for predictions, a row or many; a bad row is refused alone.",
    "native",
    {200: ("PredictReply",), **_errors(400, 404, 413, 501, 503, 504), 422: ("PredictReply", "Error")},
    "PredictRequest",
    bodies={
        "application/vnd.apache.arrow.stream": "The rows as an Arrow IPC stream, a column per field.",
        "application/vnd.apache.arrow.file": "The rows as an Arrow IPC file.",
        "image/png": "The only picture of the contract.",
        "image/jpeg": "The only picture of the contract.",
        "multipart/form-data": "One row, a part per field, pictures as they are.",
    },
    answers={"application/vnd.apache.arrow.stream": "A row per row as an Arrow IPC stream."},
)
_INFER: Final = Operation(
    "post",
    "infer",
    "Ask for predictions in the open inference protocol.",
    "v2",
    {200: ("V2Reply",), **_v2_errors(400, 404, 413, 503, 504)},
    "V2Request",
    binary=True,
)


def _get(name: str, says: str, tag: str, replies: dict[int, Sequence[str]]) -> Operation:
    return Operation("get", name, says, tag, replies)


SERVER: Final[dict[str, Operation]] = {
    "/livez": _get("livez", "Whether the process answers.", "health", {200: ("Live",)}),
    "/readyz": _get("readyz", "Whether it wants requests.", "health", {200: ("Ready",), 503: ("Unready",)}),
    "/openapi.json": _get("openapi", "This description.", "health", {200: ("Document",)}),
    "/v2": _get("v2_server", "What the server speaks.", "v2", {200: ("V2Server",)}),
    "/v2/health/live": _get("v2_live", "Whether the process answers.", "v2", {200: ("Live",)}),
    "/v2/health/ready": _get("v2_ready", "Whether it wants requests.", "v2", {200: ("Ready",), 503: ("Unready",)}),
}
"""By path: what names no endpoint."""

NATIVE: Final[dict[str, Operation]] = {
    "predict": _PREDICT,
    "labels": _told("label", "Tell what turned out to be true; all entries are kept or none.", "LabelsRequest"),
    "decisions": _told("decide", "Tell what people chose; all entries are kept or none.", "DecisionsRequest"),
    "openapi.json": _get(
        "describe", "This endpoint's own description.", "native", {200: ("Document",), **_errors(404)}
    ),
}
"""By what follows ``/v1/endpoints/{endpoint}/``."""

V2: Final[dict[str, Operation]] = {
    "": _get("v2_model", "The model's tensors.", "v2", {200: ("V2Model",), **_v2_errors(400, 404, 503)}),
    "/ready": _get("v2_model_ready", "Whether it can answer.", "v2", {200: ("V2Ready",), **_v2_errors(400, 404, 503)}),
    "/infer": _INFER,
}
"""By what follows ``/v2/models/{endpoint}``."""
