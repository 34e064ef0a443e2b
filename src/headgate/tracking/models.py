"""Models on a tracking server: what ``models:/NAME@ALIAS`` speaks of, and its file, fetched."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.contracts.yaml_text import read_yaml
from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.tracking.exchange import Exchange

PREFIX: Final = "models:/"
CODE: Final = "mlflow:"
"""How the lineage of a version begins that came from a tracking server."""
_URI: Final = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[0-9]+|latest))?")
_FILE: Final = "/model-versions/get-artifact"
_DESCRIBED: Final = frozenset({"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt"})


@dataclass(frozen=True, slots=True)
class Uri:
    """``models:/NAME``, of its newest version, of one, or of where an alias points."""

    name: str
    alias: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A model's version on a tracking server."""

    name: str
    version: str
    run: str = ""
    """The run it came from; empty where none is known."""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def uri(self) -> str:
        """``models:/NAME/VERSION``, which never moves."""
        return f"{PREFIX}{self.name}/{self.version}"

    @property
    def code(self) -> str:
        """What a version's lineage says of where it came from: `known_as` reads it."""
        return f"{CODE}{self.uri}" + (f" (run {self.run})" if self.run else "")


def read_uri(text: str) -> Uri:
    """What `text` speaks of. Raises BadInput.

    >>> read_uri("models:/flights@champion")
    Uri(name='flights', alias='champion', version=None)
    """
    found = _URI.fullmatch(text)
    if found is None:
        raise BadInput("model", "type", "must be models:/NAME@ALIAS, models:/NAME/VERSION or models:/NAME")
    version = found["version"]
    return Uri(found["name"], found["alias"], None if version == "latest" else version)


def known_as(code: str | None) -> tuple[str, str] | None:
    """Name and version on the tracking server, where a version's lineage says that it came from there.

    >>> known_as("mlflow:models:/flights/3 (run 0123)"), known_as("9fce4a2"), known_as(None)
    (('flights', '3'), None, None)
    """
    if code is None or not code.startswith(CODE + PREFIX):
        return None
    name, _, version = code.removeprefix(CODE + PREFIX).partition(" ")[0].rpartition("/")
    return name, version


def find(server: Exchange, uri: Uri) -> Found:
    """The version that `uri` speaks of now. Raises NotFound, and what `Exchange.get` raises."""
    if uri.alias is not None:
        try:
            return _found(server.get("registered-models/alias", name=uri.name, alias=uri.alias)["model_version"])
        except BadInput as error:  # what MLflow says where there is the model and not the alias
            raise NotFound("alias", f"{PREFIX}{uri.name}@{uri.alias}", "set it on the tracking server") from error
    if uri.version is not None:
        return _found(server.get("model-versions/get", name=uri.name, version=uri.version)["model_version"])
    versions = server.get("registered-models/get", name=uri.name)["registered_model"].get("latest_versions", [])
    if not versions:
        raise NotFound("version", f"{PREFIX}{uri.name}", "the model has none yet")
    return _found(max(versions, key=lambda each: int(each["version"])))


def fetch(server: Exchange, found: Found, folder: Path) -> Path:
    """The model's file in `folder`, as the registry's importers open it, written there now.

    Raises BadInput for a model of a kind that none of them opens, and what `Exchange.get` raises.
    """
    asked = {"name": found.name, "version": found.version}

    def get(path: str, target: Path) -> Path:
        server.fetch(_FILE, {**asked, "path": path}, target)
        return target

    description = get("MLmodel", folder / "MLmodel").read_text(encoding="utf-8", errors="replace")
    path, name = model_file(description)
    if name.endswith(".onnx"):
        _beside(server, asked, path, folder)
    try:
        return get(path, folder / name)
    except (NotFound, BadInput) as error:
        if not name.endswith(".pt2"):
            raise
        raise BadInput(
            "model", "type", "is a pickled PyTorch network; log it with serialization_format='pt2'"
        ) from error


def _found(words: dict[str, Any]) -> Found:
    tags = tuple((str(each["key"]), str(each.get("value", ""))) for each in words.get("tags", ()))
    return Found(str(words["name"]), str(words["version"]), str(words.get("run_id", "")), tags)


def _beside(server: Exchange, asked: dict[str, str], path: str, folder: Path) -> None:
    """Fetch the files that an ONNX model keeps its large tensors in, where the server lists its artefacts."""
    root = urlsplit(server.get("model-versions/get-download-uri", **asked)["artifact_uri"])
    if root.scheme != "mlflow-artifacts":
        return
    for each in server.listed(root.path.strip("/")):
        name = each.rpartition("/")[2]
        if name not in _DESCRIBED and name != path and "." not in name:
            server.fetch(_FILE, {**asked, "path": name}, folder / name)


def model_file(description: str) -> tuple[str, str]:
    r"""Where a model's file is among its artefacts, and the name whose ending says what it is, from an ``MLmodel``.

    Raises BadInput.

    >>> model_file("flavors: {sklearn: {pickled_model: model.pkl, serialization_format: cloudpickle}}")
    ('model.pkl', 'model.pkl')
    """
    try:
        flavors = read_yaml(description, "MLmodel")["flavors"]
        for flavor in ("onnx", "sklearn", "xgboost", "lightgbm", "keras", "pytorch"):
            if isinstance(flavors.get(flavor), dict) and (file := _file(flavor, flavors[flavor])) is not None:
                return file
    except (BadConfiguration, KeyError, TypeError, AttributeError) as error:
        raise BadInput("model", "type", "the MLmodel beside it says nothing of its file") from error
    kinds = ", ".join(sorted(str(each) for each in flavors))
    raise BadInput(
        "model",
        "type",
        f"is of the kind {kinds or 'none'}; Headgate takes onnx, sklearn, xgboost, lightgbm, pytorch and keras",
    )


def _file(flavor: str, words: dict[str, Any]) -> tuple[str, str] | None:
    """The same of one flavour; None where its file is none an importer opens."""
    path = str(words.get("pickled_model") or words.get("data") or "")
    match flavor:
        case "onnx":
            return path or "model.onnx", "model.onnx"
        case "sklearn":
            return path or "model.pkl", "model.skops" if path.endswith(".skops") else "model.pkl"
        case "xgboost":
            kind = str(words.get("model_format") or path.rpartition(".")[2])
            return path, "model.json" if kind == "json" else "model.ubj"
        case "lightgbm":
            return path, "model.pkl" if path.endswith(".pkl") else "model.txt"
        case "pytorch":
            return f"{words.get('model_data') or 'data'}/model.pt2", "model.pt2"
        case "keras":
            return f"{path or 'data'}/model.keras", "model.keras"
    return None
