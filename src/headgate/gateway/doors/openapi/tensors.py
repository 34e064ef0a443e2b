"""Bodies of the open inference protocol as JSON Schema, and how schemas name each other."""

from typing import Any, Final

from headgate.gateway.doors.v2.tensors import BINARY_ONLY, KNOWN

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A component by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def whole(properties: Schema, optional: Schema | None = None) -> Schema:
    """An object that has all of `properties` and may have `optional` ones."""
    return {"type": "object", "required": list(properties), "properties": properties | (optional or {})}


def _list_of(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items} | ({"minItems": least} if least else {})


_TEXT: Final[Schema] = {"type": "string"}
_PARAMETERS: Final[Schema] = {"type": "object", "description": "Values are texts, numbers or booleans."}
_TYPED: Final[Schema] = {"name": _TEXT, "datatype": {"enum": sorted({*KNOWN, BINARY_ONLY})}}
_SHAPE: Final = _list_of({"type": "integer", "minimum": 0}, 1)
_OPEN_SHAPE: Final = _list_of({"type": "integer", "minimum": -1}, 1)
_DATA: Final[Schema] = {"description": "Elements in row-major order, nested or not; absent where they come as binary."}
_ID: Final[Schema] = {"type": ["string", "null"], "description": "A repeat is answered again and counted once."}

V2: Final[dict[str, Schema]] = {
    "V2Error": whole({"error": _TEXT}),
    "V2Server": whole({"name": _TEXT, "version": _TEXT, "extensions": _list_of(_TEXT)}),
    "V2Ready": whole({"name": _TEXT, "ready": {"const": True}}),
    "V2Tensor": whole({**_TYPED, "shape": _OPEN_SHAPE}),
    "V2Model": whole(
        {
            "name": _TEXT,
            "versions": _list_of(_TEXT),
            "platform": _TEXT,
            "inputs": _list_of(ref("V2Tensor")),
            "outputs": _list_of(ref("V2Tensor")),
        }
    ),
    "V2Input": whole({**_TYPED, "shape": _SHAPE}, {"parameters": _PARAMETERS, "data": _DATA}),
    "V2Requested": whole({"name": _TEXT}, {"parameters": _PARAMETERS}),
    "V2Output": whole({**_TYPED, "shape": _SHAPE}, {"parameters": _PARAMETERS, "data": {"type": "array"}}),
    "V2Request": whole(
        {"inputs": _list_of(ref("V2Input"), 1)},
        {"id": _ID, "parameters": _PARAMETERS, "outputs": _list_of(ref("V2Requested"))},
    ),
    "V2Reply": whole(
        {"model_name": _TEXT, "model_version": _TEXT, "outputs": _list_of(ref("V2Output"))},
        {"id": _TEXT, "parameters": _PARAMETERS},
    ),
}
"""By name."""
