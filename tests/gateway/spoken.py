"""The same rows in the words of every door: how each is asked, and what its reply says of predictions."""

import csv
import io
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.ipc

from headgate.contracts.contract import Field, Kind

Row = dict[str, Any]
DATATYPES = {Kind.NUMBER: "FP64", Kind.INTEGER: "INT64", Kind.BOOLEAN: "BOOL"}
PACKED = {"FP64": "<d", "INT64": "<q", "BOOL": "?"}


@dataclass
class Request:
    """What is sent."""

    path: str
    body: bytes
    headers: tuple[str, ...] = ()


@dataclass
class Door:
    """One way to ask."""

    name: str
    ask: Callable[[Sequence[Row], Sequence[Field]], Request]
    predictions: Callable[[bytes], list[Any]]
    names_fields: bool = True
    """Whether a row may lack a field or have one too many."""
    names_nulls: bool = True
    """Whether it has a null of its own, for fields that are not nullable or are text."""
    types: bool = True
    """Whether a value may be of a wrong type."""
    apart: bool = False
    """Whether the rows beside a bad one are answered."""


def _request(path: str, document: object, *headers: str) -> Request:
    return Request(path, json.dumps(document).encode(), headers)


def _names(rows: Sequence[Row]) -> list[str]:
    """Every field some row has, in the order in which they come up."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in _names(rows)}


def _native(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/v1/endpoints/e/predict", {"rows": rows})


def _v2(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    kinds = {each.name: each.kind for each in fields}
    tensors = [
        {
            "name": name,
            "shape": [len(column)],
            "datatype": DATATYPES.get(kinds.get(name, Kind.TEXT), "BYTES"),
            "data": column,
        }
        for name, column in _columns(rows).items()
    ]
    return _request("/v2/models/e/infer", {"inputs": tensors})


def _v2_binary(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    tensors, raw = [], b""
    for field in fields:
        column = [row[field.name] for row in rows]
        datatype = DATATYPES.get(field.kind, "BYTES")
        if datatype == "INT64" and None in column:
            datatype = "FP64"
        if datatype == "BYTES":
            packed = b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in column)
        else:
            numbers = [float("nan") if each is None else each for each in column]
            packed = b"".join(struct.pack(PACKED[datatype], each) for each in numbers)
        parameters = {"binary_data_size": len(packed)}
        tensors.append({"name": field.name, "shape": [len(rows)], "datatype": datatype, "parameters": parameters})
        raw += packed
    head = json.dumps({"inputs": tensors}).encode()
    return Request("/v2/models/e/infer", head + raw, (f"Inference-Header-Content-Length: {len(head)}",))


def _split(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    names = _names(rows)
    table = {"columns": names, "data": [[row[name] for name in names] for row in rows]}
    return _request("/invocations", {"dataframe_split": table}, "Content-Type: application/json; charset=utf-8")


def _records(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/endpoints/e/invocations", {"dataframe_records": rows}, "Content-Type: application/json")


def _instances(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/invocations", {"instances": rows, "params": {}})


def _inputs(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/invocations", {"inputs": _columns(rows)})


def _cell(value: Any) -> Any:
    return "" if value is None else json.dumps(value) if isinstance(value, bool) else value


def _csv(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    out, names = io.StringIO(), _names(rows)
    csv.writer(out).writerows([names, *[[_cell(row[name]) for name in names] for row in rows]])
    return Request("/invocations", out.getvalue().encode(), ("Content-Type: text/csv",))


def _bare_csv(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    out = io.StringIO()
    csv.writer(out).writerows([[_cell(row[each.name]) for each in fields] for row in rows])
    return Request("/endpoints/e/invocations", out.getvalue().encode(), ("Content-Type: text/csv; charset=utf-8",))


def _tensorflow(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/v1/models/e:predict", {"signature_name": "predict", "instances": rows})


def _tensorflow_lists(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    lists = [[row[each.name] for each in fields] for row in rows]
    return _request("/v1/models/e:predict", {"signature_name": "predict", "instances": lists})


def _tensorflow_columns(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/v1/models/e:predict", {"signature_name": "predict", "inputs": _columns(rows)})


def _vertex(rows: Sequence[Row], _: Sequence[Field]) -> Request:
    return _request("/vertex/predict", {"instances": rows, "parameters": {}})


ARROW: Final = {Kind.NUMBER: pa.float64(), Kind.INTEGER: pa.int64(), Kind.BOOLEAN: pa.bool_()}


def arrow_body(rows: Sequence[Row], fields: Sequence[Field], **metadata: str) -> bytes:
    """Rows as an Arrow stream, columns of the contract's types where their values allow it."""
    kinds = {each.name: each.kind for each in fields}
    names, columns = _names(rows), _columns(rows)
    arrays = []
    for name in names:
        kind = ARROW.get(kinds.get(name, Kind.TEXT), pa.string())
        found = pa.array(columns[name])
        # Arrow would make 3 of 3.5 and text of no number at all.
        fits = pa.types.is_null(found.type) or found.type == kind or pa.types.is_floating(kind)
        arrays.append(found.cast(kind) if fits and not pa.types.is_string(found.type) else found)
    table = pa.table(arrays, names=names).replace_schema_metadata(metadata or None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _arrow(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    header = "Content-Type: application/vnd.apache.arrow.stream"
    return Request("/v1/endpoints/e/predict", arrow_body(rows, fields), (header,))


def _arrow_both_ways(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    asked = _arrow(rows, fields)
    return Request(asked.path, asked.body, (*asked.headers, "Accept: application/vnd.apache.arrow.stream"))


def _json_for_arrow(rows: Sequence[Row], fields: Sequence[Field]) -> Request:
    asked = _native(rows, fields)
    return Request(asked.path, asked.body, ("Accept: application/vnd.apache.arrow.stream",))


def _of_arrow(body: bytes) -> list[Any]:
    found: list[Any] = pa.ipc.open_stream(body).read_all()["prediction"].to_pylist()
    return found


def _of_native(body: bytes) -> list[Any]:
    return [each["prediction"] for each in json.loads(body)["predictions"]]


def _of_v2(body: bytes) -> list[Any]:
    found: list[Any] = next(each["data"] for each in json.loads(body)["outputs"] if each["name"] == "prediction")
    return found


def _listed(body: bytes) -> list[Any]:
    found: list[Any] = json.loads(body)["predictions"]
    return found


def _of_objects(body: bytes) -> list[Any]:
    return [each["prediction"] for each in _listed(body)]


def _of_columns(body: bytes) -> list[Any]:
    found: list[Any] = json.loads(body)["outputs"]["prediction"]
    return found


DOORS = [
    Door("native", _native, _of_native, apart=True),
    Door("arrow", _arrow, _of_native, apart=True),
    Door("arrow-both-ways", _arrow_both_ways, _of_arrow, apart=True),
    Door("json-for-arrow", _json_for_arrow, _of_arrow, apart=True),
    Door("v2", _v2, _of_v2),
    Door("v2-binary", _v2_binary, _of_v2, names_fields=False, names_nulls=False, types=False),
    Door("mlflow-split", _split, _listed),
    Door("mlflow-records", _records, _listed),
    Door("mlflow-instances", _instances, _listed),
    Door("mlflow-inputs", _inputs, _listed),
    Door("csv", _csv, _listed),
    Door("csv-bare", _bare_csv, _listed, names_fields=False),
    Door("tensorflow-rows", _tensorflow, _of_objects),
    Door("tensorflow-lists", _tensorflow_lists, _of_objects, names_fields=False),
    Door("tensorflow-columns", _tensorflow_columns, _of_columns),
    Door("vertex", _vertex, _listed),
]
