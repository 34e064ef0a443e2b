"""How each server is prepared, started and asked, and where its answer holds the probabilities. Called by `__main__`.

Every server gets one worker, no access log and its own native JSON; everything else is its default.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from benchmarks.peers.environment import PINS, Environment

from benchmarks import load, models

Scores = list[list[float]]
Rows = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Started:
    """What is needed to start a prepared server on a port."""

    command: Callable[[int], list[str]]
    variables: dict[str, str]
    folder: Path


@dataclass(frozen=True)
class Peer:
    """A model server beside which Headgate is measured; `package` names its pins and its environment."""

    name: str
    package: str
    how: str
    path: str
    body: Callable[[Rows], Any]
    scores: Callable[[Any], Scores]
    prepare: Callable[[Environment, Path], Callable[[int], list[str]]]
    variables: dict[str, str] = field(default_factory=dict)

    def ready(self, environment: Environment, kind: str, rows: Path, folder: Path) -> Started:
        """Fits the model with this peer's scikit-learn in `folder` and says how it is served from there."""
        environment.run([str(PINS / "fit.py"), kind, str(rows), str(folder)], folder)
        command = self.prepare(environment, folder)
        return Started(command, {**environment.variables(folder), **self.variables}, folder)


def headgate(onnx: Path, folder: Path, ack: str) -> Started:
    """Headgate as `make bench` starts it: one gateway process, every feature on, `ack` durable or buffered."""
    folder.mkdir(parents=True)
    home = folder.resolve() / "home"
    digest = models.package(onnx, home / "packages")
    command = load.python("headgate_server.py", home, digest)
    return Started(lambda port: [*command, str(port), ack], dict(os.environ), folder)


HEADGATE_PATH: Final = "/v1/endpoints/e/predict"


def headgate_body(rows: Rows) -> Any:
    """Rows as Headgate's native door takes them."""
    return {"rows": [dict(zip(models.NAMES, row, strict=True)) for row in rows]}


def headgate_scores(reply: Any) -> Scores:
    """The probabilities in a native reply."""
    return [each["scores"] for each in reply["predictions"]]


def _mlserver(environment: Environment, folder: Path, **batching: float) -> Callable[[int], list[str]]:
    model = {
        "name": "e",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
        **batching,
    }
    (folder / "model-settings.json").write_bytes(msgspec.json.encode(model))

    def command(port: int) -> list[str]:
        settings = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": port,
            "grpc_port": load.free_port(),
            "metrics_port": load.free_port(),
            "parallel_workers": 0,
            "access_logger_enabled": False,
        }
        (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
        return [str(environment.bin / "mlserver"), "start", "."]

    return command


def _mlserver_body(rows: Rows) -> Any:
    data = [value for row in rows for value in row]
    shape = [len(rows), len(rows[0])]
    return {
        "inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}],
        "outputs": [{"name": "predict_proba"}],
    }


def _mlserver_scores(reply: Any) -> Scores:
    output = reply["outputs"][0]
    width = output["shape"][1]
    return [output["data"][at : at + width] for at in range(0, len(output["data"]), width)]


def _bentoml(environment: Environment, folder: Path) -> Callable[[int], list[str]]:
    shutil.copy(PINS / "bentoml_service.py", folder)
    serve = [str(environment.bin / "bentoml"), "serve", "bentoml_service:Served", "--host", "127.0.0.1"]
    return lambda port: [*serve, "--port", str(port)]


def _litserve(environment: Environment, folder: Path) -> Callable[[int], list[str]]:
    return lambda port: [environment.python, str(PINS / "litserve_server.py"), str(port)]


def _mlflow(environment: Environment, folder: Path) -> Callable[[int], list[str]]:
    environment.run([str(PINS / "mlflow_model.py"), str(folder)], folder)
    serve = [str(environment.bin / "mlflow"), "models", "serve", "--model-uri", "mlflow", "--env-manager", "local"]
    return lambda port: [*serve, "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]


PEERS: Final = (
    Peer(
        "mlserver",
        "mlserver",
        "mlserver start with the scikit-learn runtime, V2 JSON, inference in the server's process (parallel_workers 0)",
        "/v2/models/e/infer",
        _mlserver_body,
        _mlserver_scores,
        _mlserver,
    ),
    Peer(
        "mlserver-batching",
        "mlserver",
        "the same with adaptive batching, off by default: 64 requests or 1 ms (longer waits were slower)",
        "/v2/models/e/infer",
        _mlserver_body,
        _mlserver_scores,
        partial(_mlserver, max_batch_size=64, max_batch_time=0.001),
    ),
    Peer(
        "bentoml",
        "bentoml",
        "bentoml serve of one service with one API of NumPy arrays, one worker",
        "/predict",
        lambda rows: {"rows": rows},
        lambda reply: reply,
        _bentoml,
        {"BENTOML_DO_NOT_TRACK": "True"},
    ),
    Peer(
        "litserve",
        "litserve",
        "LitServer of one LitAPI on the CPU, one API server and one worker",
        "/predict",
        lambda rows: {"input": rows},
        lambda reply: reply["output"],
        _litserve,
    ),
    Peer(
        "mlflow",
        "mlflow",
        "mlflow models serve of a scikit-learn model whose pyfunc answers predict_proba, one worker",
        "/invocations",
        lambda rows: {"inputs": rows},
        lambda reply: reply["predictions"],
        _mlflow,
        {"MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
)
