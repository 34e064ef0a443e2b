"""What a tracking server is told of the history, and the files of a version as it keeps them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from headgate.contracts.yaml_text import write_yaml
from headgate.errors import NotFound
from headgate.events import Event, EventKind
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.rollouts.state import Action
from headgate.tracking.entries import Entry, Marked, Model
from headgate.tracking.models import known_as
from headgate.tracking.trackingfile import Tracking
from headgate.vocabulary import Digest

LIVE: Final = "headgate.live"
"""The tag that says which endpoint a version owns, and since when it has been so."""


@dataclass(frozen=True, slots=True)
class Told:
    """Turns events into entries."""

    said: Tracking
    registry: Registry

    def entries(self, event: Event) -> Iterator[Entry]:
        """What there is to tell of `event`."""
        match event.kind:
            case EventKind.ROLLOUT if event.details.get("action") == Action.PROMOTE.value:
                yield from self._promoted(event)
            case EventKind.EVALUATED:
                yield from self._evaluated(event)

    def _promoted(self, event: Event) -> Iterator[Entry]:
        version = self._version(event.project, str(event.details["candidate"]))
        if version is None:
            return
        tags = {
            "headgate.endpoint": f"{event.project}/{event.subject}",
            "headgate.promoted": f"rollout {event.details['rollout']} by {event.actor}: {event.why}",
        }
        yield Marked(
            id=f"{event.project}.{event.subject}.rollout.{event.details['rollout']}.promoted",
            at=event.at,
            model=self._model(version),
            experiment=self.said.experiment,
            tags=tags,
            alias=self.said.alias,
            push=self.said.push,
        )

    def _evaluated(self, event: Event) -> Iterator[Entry]:
        """The gates of a version that came from the server: it is there already, and nothing is put there for it."""
        version = self._version(event.project, event.subject)
        if version is None or known_as(version.code) is None:
            return
        tags = {
            "headgate.gates": "passed" if event.details.get("passed") else "not passed",
            "headgate.gates.said": str(event.details.get("gates") or event.why or "none were asked for"),
        }
        yield Marked(
            id=f"{event.project}.{event.subject}.evaluated.{event.at}",
            at=event.at,
            model=self._model(version),
            experiment=self.said.experiment,
            tags=tags,
            push=False,
        )

    def _version(self, project: str, ref: str) -> Version | None:
        try:
            return self.registry.resolve(ref, project=project)
        except NotFound:
            return None  # the history outlives what it speaks of

    def _model(self, version: Version) -> Model:
        return Model(version.model, version.ref, version.digest, known_as(version.code))


def artefacts_of(packages: PackageStore, model: Model) -> Mapping[str, bytes]:
    """A version's files as MLflow keeps a model: its ``MLmodel``, the model itself, and its card.

    An ONNX model opens there with ``mlflow.onnx``; others carry their file, which Headgate opens again.
    """
    package = packages.open(Digest(model.digest))
    manifest = package.manifest
    flavor = "onnx" if manifest.engine is Engine.ONNX else "headgate"
    signature = package.contract
    inputs = [{"type": _type(str(each.kind)), "name": each.name, "required": not each.nullable} for each in signature]
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


def _type(kind: str) -> str:
    """The word of MLflow's signatures for a kind of field."""
    words = {"number": "double", "integer": "long", "boolean": "boolean", "timestamp": "datetime", "image": "binary"}
    return words.get(kind, "string")
