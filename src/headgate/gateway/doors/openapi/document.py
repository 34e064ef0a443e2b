"""Whole documents: of the server, with names left open, and of one endpoint, with its name and rows filled in."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from headgate.contracts.contract import Contract, Kind
from headgate.contracts.explain import EPOCH, MICROSECOND
from headgate.gateway.doors.openapi.operations import NATIVE, SERVER, V2, Operation
from headgate.gateway.doors.openapi.schemas import components
from headgate.gateway.view import View
from headgate.runtimes.warmup import likely_row
from headgate.vocabulary import DEFAULT_PROJECT, NAME_RULE

Document = dict[str, Any]

_NAME: Final = {"type": "string", "pattern": f"^{NAME_RULE}$"}
_HEADERS: Final = {
    "RequestId": {
        "description": "The caller's own id of the request, or the id of its first row.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Version": {
        "description": "The versions that answered, separated by commas, or none.",
        "required": True,
        "schema": {"type": "string"},
    },
}
_TAGS: Final = [
    {"name": "native", "description": "Predictions, labels and decisions."},
    {"name": "v2", "description": "The open inference protocol, version 2."},
    {"name": "health", "description": "What a load balancer asks."},
]
_LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
_VERSION: Final = {"type": "string", "minLength": 1, "description": "model:number, or the number alone."}
_WHOLE: Final = {"type": "object", "description": "An OpenAPI document."}


def of_server(release: str) -> Document:
    """Everything the data plane answers, for any endpoint."""
    paths = {path: _item(each) for path, each in SERVER.items()}
    for prefix, names in (("/v1", ("endpoint",)), ("/v1/projects/{project}", ("project", "endpoint"))):
        mark = "" if len(names) == 1 else "_in_project"
        for door, each in NATIVE.items():
            paths[f"{prefix}/endpoints/{{endpoint}}/{door}"] = _item(each, names, mark)
    for prefix, names, mark in (
        ("", ("endpoint",), ""),
        ("/versions/{version}", ("endpoint", "version"), "_of_version"),
    ):
        for door, each in V2.items():
            paths[f"/v2/models/{{endpoint}}{prefix}{door}"] = _item(each, names, mark)
    return _document("Headgate data plane", release, "Any endpoint; each describes its own rows.", paths, components())


def of_endpoint(release: str, view: View) -> Document:
    """What one endpoint answers, its rows as the live version's contract has them."""
    traffic, contract = view.traffic, view.live.served.contract
    is_default = traffic.project == DEFAULT_PROJECT
    prefix = "/v1" if is_default else f"/v1/projects/{traffic.project}"
    paths = {f"{prefix}/endpoints/{traffic.endpoint}/{door}": _item(each) for door, each in NATIVE.items()}
    if is_default:
        paths |= {f"/v2/models/{traffic.endpoint}{door}": _item(each) for door, each in V2.items()}
    schemas = components(contract, rows_limit=view.live.served.reader.rows_limit)
    example = _example(contract)
    if example is not None:
        schemas["PredictRequest"]["examples"] = [{"rows": [example]}]
    said = f"Rows as the contract of {view.live.version} has them."
    made = _document(f"Headgate endpoint {traffic.endpoint}", release, said, paths, schemas)
    made["x-headgate-endpoint"] = {
        "endpoint": traffic.endpoint,
        "project": traffic.project,
        "revision": traffic.revision,
        "live": view.live.version,
        "versions": sorted(each.version for each in traffic.members if each.entitled),
        "task": contract.output.task.value,
        "classes": list(contract.output.classes),
    }
    return made


def _document(title: str, release: str, says: str, paths: Document, schemas: Mapping[str, Any]) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": release, "description": says, "license": _LICENSE},
        "servers": [{"url": "/"}],
        "tags": _TAGS,
        "paths": paths,
        "components": {"schemas": {**schemas, "Document": _WHOLE}, "headers": _HEADERS},
    }


def _item(operation: Operation, names: tuple[str, ...] = (), mark: str = "") -> Document:
    """One path with its only method; `mark` keeps names unique where one operation has several paths."""
    item = {operation.method: replace(operation, name=operation.name + mark).as_openapi()}
    return ({"parameters": [_parameter(each) for each in names]} if names else {}) | item


def _parameter(name: str) -> Document:
    schema = (
        {"type": "string", "minLength": 1, "description": "model:number or the number"} if name == "version" else _NAME
    )
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _example(contract: Contract) -> Document | None:
    """A legal row as a caller would write it; None where one would be too long to read."""
    row: Document = {}
    for field, value in zip(contract.fields, likely_row(contract), strict=True):
        match value:
            case list():
                return None
            case bytes():
                row[field.name] = base64.b64encode(value).decode()
            case int() if field.kind is Kind.TIMESTAMP:
                row[field.name] = (EPOCH + value * MICROSECOND).isoformat()
            case _:
                row[field.name] = value
    return row
