"""One MLflow server for all tests that need a real one; its environment is the one `make bench-peers` makes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.peers.environment import make
from tests.tracking.mlflow_server import MlflowServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    environment = make("mlflow", ROOT / "build" / "peers")
    with MlflowServer(environment, tmp_path_factory.mktemp("mlflow")) as server:
        yield server
