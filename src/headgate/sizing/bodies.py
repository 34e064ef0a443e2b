"""The same rows in other bodies than JSON, to measure what smaller ones save. Called by the app's sizing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from headgate.contracts.contract import Contract, Field, Kind

LENGTH_HEADER: Final = "Inference-Header-Content-Length"
_DTYPES: Final = {Kind.NUMBER: ("FP64", "<f8"), Kind.INTEGER: ("INT64", "<i8"), Kind.BOOLEAN: ("BOOL", "?")}


def v2_binary(contract: Contract, rows: Sequence[Mapping[str, Any]]) -> tuple[bytes, int] | None:
    """A request of the open inference protocol with `rows` as raw tensors, and the length of its JSON part.

    One matrix where all fields are numbers, else a tensor per field. None where a row has a null, or the contract a
    field that has no such form: a moment, an image, a tensor.
    """
    if any(row[field.name] is None for row in rows for field in contract.fields):
        return None
    if any(field.kind not in {*_DTYPES, Kind.CATEGORY, Kind.TEXT} for field in contract.fields):
        return None
    if len(contract.fields) > 1 and all(field.kind is Kind.NUMBER for field in contract.fields):
        matrix = np.array([[row[name] for name in contract.names] for row in rows], "<f8").tobytes()
        tensors = [("rows", "FP64", [len(rows), len(contract.fields)], matrix)]
    else:
        tensors = [(each.name, *_tensor(each, [row[each.name] for row in rows])) for each in contract.fields]
    inputs = [
        {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(raw)}}
        for name, datatype, shape, raw in tensors
    ]
    head = msgspec.json.encode({"inputs": inputs, "parameters": {"binary_data_output": True}})
    return head + b"".join(raw for *_, raw in tensors), len(head)


def _tensor(field: Field, values: Sequence[Any]) -> tuple[str, list[int], bytes]:
    if field.kind in _DTYPES:
        datatype, dtype = _DTYPES[field.kind]
        return datatype, [len(values)], np.array(values, dtype).tobytes()
    texts = [str(each).encode() for each in values]
    return "BYTES", [len(values)], b"".join(len(each).to_bytes(4, "little") + each for each in texts)
