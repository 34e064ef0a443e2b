"""Bodies as JSON Schema, taken from the structs that read and write them so that they cannot say anything else."""

from typing import Final

import msgspec

from headgate.contracts.contract import Contract
from headgate.contracts.json_schema import label_schema, prediction_schema, row_schema, scores_schema
from headgate.gateway.doors.errors import ErrorBody
from headgate.gateway.doors.labels import DECISIONS, LABELS, Entry, Kind
from headgate.gateway.doors.openapi.tensors import V2, Schema, ref, whole
from headgate.gateway.reading import Rest
from headgate.vocabulary import PEOPLE, Task

_SAID: Final = {
    "id": "The caller's name of this request; a repeat is answered again and counted once.",
    "keys": "One text per row, by which callers keep their version.",
    "at": "One event time per row; only where replay is switched on.",
    "deadline_ms": "Milliseconds the caller waits; never extends the endpoint's own deadline.",
}
_WAYS: Final = (("id", ()), ("request_id", ("row",)), ("key", ("at",)))
"""How an entry names its input, and what goes with each way."""
_NULL: Final = {"type": "null"}


def components(contract: Contract | None = None, *, rows_limit: int | None = None) -> dict[str, Schema]:
    """Every body by name: of one endpoint's contract, or of any endpoint's when there is none."""
    found: dict[str, Schema] = {
        "Row": {"type": "object", "description": "Field and value, as the endpoint's contract has them."},
        "Value": {"description": "A class of the endpoint, with its type, or a finite number."},
        "Answer": {"description": "A class, a number, or for tensor models an object of arrays by output name."},
        "Scores": {"type": "array", "items": {"type": "number"}, "description": "One number per class."},
    }
    if contract is not None:
        output = contract.output
        found = {"Row": row_schema(contract), "Value": label_schema(output), "Answer": prediction_schema(output)}
        if output.task not in (Task.REGRESSION, Task.TENSOR):
            found["Scores"] = scores_schema(output)
    found |= {
        "PredictRequest": _predict_request(rows_limit),
        "Prediction": _prediction("Scores" in found),
        "LeftToPeople": _left("Scores" in found),
        "RowRefused": {"type": "object", "required": ["error"], "properties": {"error": ref("ErrorBody")}},
        "PredictReply": _predict_reply(),
        "ErrorBody": _plain(ErrorBody),
        "Error": {"type": "object", "required": ["error"], "properties": {"error": ref("ErrorBody")}},
        "LabelsRequest": _listed(LABELS, "Label"),
        "Label": _entry(LABELS),
        "DecisionsRequest": _listed(DECISIONS, "Decision"),
        "Decision": _entry(DECISIONS),
        "Accepted": whole({"accepted": {"type": "integer", "minimum": 1}}),
        "Live": whole({"live": {"const": True}}),
        "Ready": whole({"ready": {"const": True}}),
        "Unready": whole({"ready": {"const": False}, "why": {"type": "string"}}),
    }
    return found | V2


def _plain(struct: type[msgspec.Struct]) -> Schema:
    """The schema msgspec makes of `struct`, without the name and the words that are meant for readers of the code."""
    _, made = msgspec.json.schema_components([struct], ref_template="#/components/schemas/{name}")
    schema = made[struct.__name__]
    properties = {name: _without_default(each) for name, each in schema["properties"].items()}
    kept = {name: each for name, each in schema.items() if name not in ("title", "description")}
    return kept | {"properties": properties}


def _without_default(schema: Schema) -> Schema:
    return {name: each for name, each in schema.items() if name != "default"}


def _predict_request(rows_limit: int | None) -> Schema:
    rest = _plain(Rest)
    said = {name: each | {"description": _SAID[name]} for name, each in rest["properties"].items()}
    most = {} if rows_limit is None else {"maxItems": rows_limit}
    rows = {"type": "array", "items": ref("Row"), "minItems": 1, **most}
    return rest | {"properties": {"rows": rows, **said}, "required": ["rows"]}


def _prediction(scored: bool) -> Schema:
    properties = {
        "id": {"type": "string", "format": "uuid", "description": "The row's name in the journal; labels may name it."},
        "version": {"type": "string", "description": "The version that answered, model:number."},
        "prediction": ref("Answer"),
    }
    schema = whole(properties)
    if scored:
        schema["properties"]["scores"] = ref("Scores")
    return schema


def _left(scored: bool) -> Schema:
    """What is said of a row that people decide."""
    schema = whole(
        {
            "id": {"type": "string", "format": "uuid", "description": "The row's name; the decision has to name it."},
            "version": {"const": PEOPLE},
            "decides": {"const": PEOPLE},
        }
    )
    schema["properties"]["suggestion"] = ref("Answer")
    if scored:
        schema["properties"]["scores"] = ref("Scores")
    return schema


def _predict_reply() -> Schema:
    entry = {"oneOf": [ref("Prediction"), ref("LeftToPeople"), ref("RowRefused")]}
    entries = {"type": "array", "items": entry, "minItems": 1, "description": "One entry per row, in order."}
    journalled = {"const": False, "description": "There only when the answer could not be remembered."}
    return {
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": entries, "journalled": journalled},
    }


def _listed(kind: Kind, name: str) -> Schema:
    listed = {"type": "array", "items": ref(name), "minItems": 1}
    return whole({kind.listed: listed}) | {"additionalProperties": False}


def _entry(kind: Kind) -> Schema:
    """One label or decision: exactly one of the ways to name its input, and the truth."""
    made = _plain(Entry)["properties"]
    properties = {name: each for name, each in made.items() if name in kind.fields}
    properties["id"] = {"anyOf": [{"type": "string", "format": "uuid"}, _NULL]}
    properties[kind.value] = ref("Value")
    return {
        "type": "object",
        "properties": properties,
        "required": [kind.value],
        "additionalProperties": False,
        "oneOf": [_way(name, beside) for name, beside in _WAYS],
    }


def _way(name: str, beside: tuple[str, ...]) -> Schema:
    absent = {each: _NULL for way, more in _WAYS if way != name for each in (way, *more)}
    needed = [name, *(each for each in beside if each == "at")]
    return {"required": needed, "properties": {each: {"not": _NULL} for each in needed} | absent}
