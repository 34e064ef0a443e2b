"""`headgate up` on one machine: workers share one port and one account, what dies comes back, the end is clean."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation, free_ports

WORKERS = 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("machine") / "h", workers=WORKERS, seal_interval=0.5) as installation:
        installation.serve("late", {installation.linear(): 1.0})
        yield installation.start()


def listening(pid: int, port: int) -> bool:
    """Whether a process has a socket that listens on `port`."""
    inodes = {
        words[9]
        for table in ("tcp", "tcp6")
        for words in (line.split() for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:])
        if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port
    }
    links = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    return bool(links & {f"socket:[{inode}]" for inode in inodes})


def gateways(installation: Installation) -> dict[str, int]:
    return {name: pid for name, pid in installation.processes().items() if name.startswith("gateway")}


def test_every_worker_listens_on_the_one_port(running: Installation) -> None:
    found = gateways(running)
    assert len(found) == len(set(found.values())) == WORKERS
    assert all(listening(pid, running.port) for pid in found.values())


def test_a_worker_runs_on_uvloop_and_httptools(running: Installation) -> None:
    for pid in gateways(running).values():
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert "/uvloop/" in mapped
        assert "/httptools/" in mapped


def test_metrics_are_right_across_workers(running: Installation) -> None:
    """What all workers counted is what all callers were told, and more than one of them counted."""
    before = Counter(running.metric("headgate_requests_total"))
    with Callers(running.port, "late", connections=24, requests=600) as callers:
        promised = callers.finish()
    assert promised.problems == []
    assert promised.statuses == {200: 600}
    after = Counter(running.metric("headgate_requests_total"))
    grown = {labels: after[labels] - before[labels] for labels in after}
    # A prediction and its label are a request each.
    assert sum(value for labels, value in grown.items() if 'code="200"' in labels) == 600 + len(promised.labels)
    assert sum(running.metric("headgate_predictions_total").values()) >= 600
    with running.open() as hg:
        streams = {each.stream for each in hg._segments.segments() if each.size}
        counts = hg.counts("late")
    assert len(streams) == WORKERS, "the kernel shares connections among workers"
    assert (counts.answered, counts.labelled) == (600, len(promised.labels))


def test_life_and_readiness_have_their_paths(running: Installation) -> None:
    assert running.get("/livez")[0] == 200
    assert running.get("/readyz")[0] == 200
    status, page = running.get("/metrics", port=running.metrics_port)
    assert status == 200
    assert b"# TYPE headgate_traffic_weight gauge" in page


@pytest.mark.parametrize("victim", ["gateway 0", "controller"])
def test_what_dies_is_started_again_and_answers(running: Installation, victim: str) -> None:
    dead = running.kill(victim)
    running.settled()
    assert dead not in running.processes().values()
    status, body = running.post("/v1/endpoints/late/predict", json.dumps({"rows": [Callers.row(1)]}).encode())
    assert status == 200, body


def test_the_end_is_clean(tmp_path: Path) -> None:
    """On SIGTERM nobody is left, the exit status is 0, every segment is closed and every promise is kept."""
    with Installation(tmp_path / "h") as installation:
        versions = {installation.linear(): 0.5, installation.linear(bias=1.0): 0.5}
        installation.serve("late", versions)
        installation.start()
        assert any(name.startswith("host") for name in installation.processes()), "the second version has a host"
        with Callers(installation.port, "late", connections=4, requests=100_000) as callers:
            installation.until(lambda: callers.answered() > 50, "callers are answered")
            assert installation.stop() == 0
        promised = callers.finish()
        assert installation.processes() == {}
        with installation.open() as hg:
            assert all(each.closed for each in hg._segments.segments())
            found: set[Any] = set(hg.reader.joined("default", "late")["input_id"].to_pylist())
        assert promised.predictions.keys() <= found


def test_a_second_up_on_a_home_and_a_taken_port_are_refused_by_name(running: Installation) -> None:
    other = [*headgate_argv("up"), "--home", str(running.home.root), "--port", str(free_ports(1)[0])]
    done = subprocess.run(other, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5, done.stderr
    elsewhere = [*headgate_argv("up"), "--home", str(running.home.root.parent / "x"), "--port", str(running.port)]
    done = subprocess.run(elsewhere, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9, done.stderr
    assert str(running.port) in done.stderr
