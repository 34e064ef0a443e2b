"""`headgate serve`: a container as SageMaker and Vertex AI start it."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from headgate.app.container import container_home, lean_copy
from headgate.settings import Home
from headgate.store.home import create_home, read_secret
from headgate.supervisor.parent import die_with_parent
from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import Installation, exchange, free_ports

ROWS = {"instances": [[0.5, 1.5], [1.0, 2.0]]}


def test_the_variable_comes_first_then_the_unpacked_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_HOME", "/somewhere")
    model = tmp_path / "model"
    create_home(model)
    assert container_home(model) == Path("/somewhere")
    monkeypatch.delenv("HEADGATE_HOME")
    assert container_home(model) == model
    assert container_home(tmp_path / "none") == Path(".headgate")


def test_a_home_that_cannot_be_written_is_served_from_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADGATE_HOME", raising=False)
    installation = Installation(tmp_path / "model")
    installation.serve("e", {installation.linear(): 1.0})
    monkeypatch.setattr(os, "access", lambda path, *_: Path(path) != tmp_path / "model")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = container_home(tmp_path / "model")
    assert found.name.startswith("headgate-")
    home = create_home(found)
    assert read_secret(home) == read_secret(installation.home)
    assert (home.secret.stat().st_mode & 0o777, home.journal.is_dir()) == (0o600, True)
    assert os.listdir(home.packages) == os.listdir(installation.home.packages) != []


@contextmanager
def container(folder: Path, work: Path, port: int, metrics: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`headgate serve` over the home at `work`, as a platform starts it."""
    (control,) = free_ports(1)
    environment = os.environ | {
        "HEADGATE_HOME": str(work),
        "AIP_HTTP_PORT": str(port),
        "HEADGATE_SERVE_CONTROL_PORT": str(control),
        "HEADGATE_SERVE_METRICS_PORT": str(metrics),
        "HEADGATE_SERVE_WORKERS": "1",
        **more,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            headgate_argv("serve"),
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one call of the kernel, no locks
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_container_answers_on_the_platforms_routes_and_ends_in_order(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "model")
    installation.serve("e", {installation.linear(): 1.0})
    (tmp_path / "work").mkdir()
    work = lean_copy(Home(tmp_path / "model"), tmp_path / "work")
    port, metrics = free_ports(2)
    routes = {
        "AIP_HEALTH_ROUTE": "/health-of-mine",
        "AIP_PREDICT_ROUTE": "/v1/endpoints/7/deployedModels/8:predict",
    }
    with container(tmp_path, work, port, metrics, **routes) as process:
        installation.until(lambda: exchange(port, "GET", "/ping")[0] == 200, "the container is healthy")
        assert exchange(port, "GET", "/health-of-mine")[0] == 200
        body = json.dumps(ROWS).encode()
        status, said = exchange(port, "POST", "/v1/endpoints/7/deployedModels/8:predict", body)
        assert (status, json.loads(said)) == (200, {"predictions": [1, 1]})
        assert exchange(port, "POST", "/v1/models/e:predict", body)[0] == 200
        # Every address listens, and nobody is asked who they are.
        assert exchange(port, "POST", "/v2/repository/models/e/unload", b"")[0] == 403
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0
        assert exchange(port, "GET", "/ping")[0] == 0
        assert list(work.glob("journal/*/*")), "what was answered is remembered"


def test_a_container_that_is_told_to_end_answers_what_it_was_asked(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "model")
    installation.serve("e", {installation.scripted("slow", seconds=1.0): 1.0})
    port, metrics = free_ports(2)
    flying = b'headgate_in_flight{endpoint="e",project="default"} 4.0'
    with container(tmp_path, tmp_path / "model", port, metrics) as process, ThreadPoolExecutor(4) as callers:
        installation.until(lambda: exchange(port, "GET", "/ping")[0] == 200, "the container is healthy")
        body = json.dumps({"instances": [[0.5, 1.5]]}).encode()
        assert exchange(port, "POST", "/invocations", body)[0] == 200
        asked = [callers.submit(exchange, port, "POST", "/invocations", body) for _ in range(4)]
        installation.until(lambda: flying in exchange(metrics, "GET", "/metrics")[1], "all are under way")
        process.send_signal(signal.SIGTERM)
        assert [each.result()[0] for each in asked] == [200] * 4
        assert process.wait(25) == 0
    with installation.open() as hg:
        assert hg.counts("e").answered == 5
