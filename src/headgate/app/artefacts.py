"""The files of a version as a tracking server keeps them."""

import json
from collections.abc import Mapping
from typing import Final

from headgate.contracts.contract import Kind
from headgate.contracts.yaml_text import write_yaml
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.tracking.entries import Model
from headgate.vocabulary import Digest


def artefacts_of(packages: PackageStore, model: Model) -> Mapping[str, bytes]:
    """A version's files as MLflow keeps a model: its ``MLmodel``, the model itself, and its card.

    An ONNX model opens there with ``mlflow.onnx``; others carry their file, which Headgate opens again.
    """
    package = packages.open(Digest(model.digest))
    manifest = package.manifest
    flavor = "onnx" if manifest.engine is Engine.ONNX else "headgate"
    fields = package.contract.fields
    inputs = [{"type": _type(each.kind), "name": each.name, "required": not each.nullable} for each in fields]
    described = {
        "artifact_path": "model",
        "flavors": {flavor: {"data": manifest.artefact, "engine": manifest.engine.value}},
        "signature": {"inputs": json.dumps(inputs)},
        "metadata": {"headgate.version": model.version, "headgate.digest": model.digest},
    }
    found = {"MLmodel": write_yaml(described).encode()}
    for name in manifest.files:
        if name == manifest.artefact or name.startswith("model.") or name == "card.md":
            found[name] = (package.path / name).read_bytes()
    return found


def _type(kind: Kind) -> str:
    """The word of MLflow's signatures for a kind of field."""
    return _TYPES.get(kind, "string")


_TYPES: Final = {
    Kind.NUMBER: "double",
    Kind.INTEGER: "long",
    Kind.BOOLEAN: "boolean",
    Kind.TIMESTAMP: "datetime",
    Kind.IMAGE: "binary",
}
