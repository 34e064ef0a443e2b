"""Tells a tracking server one entry: every call may be made again, so that a try cut short is simply repeated.

https://mlflow.org/docs/latest/rest-api.html has the calls.
"""

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.errors import Conflict, NotFound
from headgate.tracking.entries import Ending, Entry, Marked, Model, Ran
from headgate.tracking.exchange import Exchange
from headgate.vocabulary import Micros

ID_TAG: Final = "headgate.id"
"""Under which a run is found again."""
VERSION_TAG: Final = "headgate.version"
"""Which version of Headgate's a version there is."""
DIGEST_TAG: Final = "headgate.digest"
"""Of its package."""
NOTE_TAG: Final = "mlflow.note.content"
"""What MLflow shows on top of a run."""
MODEL_FOLDER: Final = "model"
_BATCH: Final = 100
"""Parameters, tags or metrics in one call at most."""
_LONGEST: Final = 5000
"""Characters of a parameter or tag at most."""
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_./: -]")

Artefacts = Callable[[Model], Mapping[str, bytes]]
"""The files of a version as the server is to keep them, by path; among them ``MLmodel``."""


def send(server: Exchange, entry: Entry, artefacts: Artefacts) -> None:
    """Tell `server` of `entry`. Raises what `Exchange.get` raises; then some of it may be told already."""
    match entry:
        case Ran():
            _log(server, entry)
        case Marked():
            _mark(server, entry, artefacts)


def _log(server: Exchange, ran: Ran) -> None:
    run = _run(server, ran.experiment, ran.id, ran.name, ran.started)
    run_id = run["info"]["run_id"]
    tags = {**ran.tags, **({NOTE_TAG: ran.note} if ran.note else {})}
    pairs: dict[str, list[dict[str, Any]]] = {
        "params": [{"key": _name(key), "value": value[:_LONGEST]} for key, value in ran.parameters.items()],
        "tags": [{"key": _name(key), "value": value[:_LONGEST]} for key, value in tags.items()],
        "metrics": [
            {"key": _name(key), "value": value, "timestamp": ran.ended // 1000, "step": 0}
            for key, value in ran.metrics.items()
            if math.isfinite(value)
        ],
    }
    for kind, values in pairs.items():
        for start in range(0, len(values), _BATCH):
            server.post("runs/log-batch", {"run_id": run_id, kind: values[start : start + _BATCH]})
    for path, text in ran.files.items():
        _put(server, run, path, text.encode())
    _ended(server, run_id, ran.ending, ran.ended)


def _mark(server: Exchange, marked: Marked, artefacts: Artefacts) -> None:
    there = marked.model.known or _there(server, marked.model)
    if there is None:
        if not marked.push:
            return
        there = _pushed(server, marked, artefacts)
    where = {"name": there[0], "version": there[1]}
    for key, value in {VERSION_TAG: marked.model.version, **marked.tags}.items():
        server.post("model-versions/set-tag", {**where, "key": _name(key), "value": value[:_LONGEST]})
    if marked.alias is not None:
        server.post("registered-models/alias", {**where, "alias": marked.alias})


def _there(server: Exchange, model: Model) -> tuple[str, str] | None:
    """Name and version there of a model that was put there before."""
    asked, token = {"filter": f"name='{model.name}'", "max_results": "200"}, ""
    while True:
        found = server.get("model-versions/search", **asked, **({"page_token": token} if token else {}))
        for each in found.get("model_versions", ()):
            if any(tag["key"] == VERSION_TAG and tag["value"] == model.version for tag in each.get("tags", ())):
                return str(each["name"]), str(each["version"])
        token = found.get("next_page_token", "")
        if not token:
            return None


def _pushed(server: Exchange, marked: Marked, artefacts: Artefacts) -> tuple[str, str]:
    """Name and version there of a model that is put there now, with its file where the server takes artefacts."""
    model = marked.model
    run = _run(server, marked.experiment, marked.run or model.version, model.version, marked.at)
    for path, data in artefacts(model).items():
        _put(server, run, f"{MODEL_FOLDER}/{path}", data)
    if not marked.run:
        _ended(server, run["info"]["run_id"], Ending.FINISHED, marked.at)
    with contextlib.suppress(Conflict):  # it is there, which is all that is wanted
        server.post("registered-models/create", {"name": model.name})
    source = f"{run['info']['artifact_uri']}/{MODEL_FOLDER}"
    tags = [{"key": VERSION_TAG, "value": model.version}, {"key": DIGEST_TAG, "value": model.digest}]
    made = server.post(
        "model-versions/create",
        {"name": model.name, "source": source, "run_id": run["info"]["run_id"], "tags": tags},
    )["model_version"]
    return str(made["name"]), str(made["version"])


def _run(server: Exchange, experiment: str, id_: str, name: str, started: Micros) -> dict[str, Any]:
    """The run of that id, begun where there is none."""
    number = _experiment(server, experiment)
    asked = {"experiment_ids": [number], "filter": f"tags.`{ID_TAG}` = '{id_}'", "max_results": 1}
    found = server.post("runs/search", asked).get("runs", [])
    if found:
        return dict(found[0])
    tags = [{"key": ID_TAG, "value": id_}]
    begun = {"experiment_id": number, "run_name": name, "start_time": started // 1000, "tags": tags}
    return dict(server.post("runs/create", begun)["run"])


def _experiment(server: Exchange, name: str) -> str:
    for _ in range(2):
        try:
            found = server.get("experiments/get-by-name", experiment_name=name)["experiment"]
            return str(found["experiment_id"])
        except NotFound:
            try:
                return str(server.post("experiments/create", {"name": name})["experiment_id"])
            except Conflict:
                continue  # somebody made it meanwhile
    raise NotFound("experiment", name, "it was made and removed meanwhile")


def _ended(server: Exchange, run_id: str, ending: Ending, at: Micros) -> None:
    server.post("runs/update", {"run_id": run_id, "status": ending.value, "end_time": at // 1000})


def _put(server: Exchange, run: Mapping[str, Any], path: str, data: bytes) -> None:
    """Keep a file beside a run, where the server takes artefacts over HTTP; elsewhere only it knows where they go."""
    root = urlsplit(run["info"]["artifact_uri"])
    if root.scheme == "mlflow-artifacts":
        server.put(f"{root.path.strip('/')}/{path}", data)


def _name(key: str) -> str:
    """`key` in the characters that names may have there."""
    return _UNNAMED.sub("_", key)[:250]
