"""A disk that fills: nothing acknowledged is lost, nothing refused comes back, and room is all it takes to recover.

Short of room is first a limit on file sizes, which the kernel enforces as a full disk would, part of a write
included; then, as root, a file system that really is full.
"""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.accounts import assert_each_promise_is_kept_once
from tests.faults.lone_gateway import lone_gateway

from headgate.gateway.metrics import render
from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

ROW = json.dumps({"rows": [Callers.row(1)]}).encode()
PREDICT = "/v1/endpoints/late/predict"


def given(tmp_path: Path, on_failure: str = "refuse") -> Installation:
    installation = Installation(tmp_path / "h", on_failure=on_failure)
    installation.serve("late", {installation.linear(): 1.0})
    return installation


def limit_files(installation: Installation, size: int) -> None:
    """Let the gateway's files grow to `size` bytes and no further."""
    resource.prlimit(installation.processes()["gateway 0"], resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def assert_it_refuses_to_forget(installation: Installation) -> None:
    """The endpoint answers nobody, says why, and takes no labels."""
    installation.until(lambda: installation.get("/readyz")[0] == 503, "/readyz turns false")
    assert b"journal" in installation.get("/readyz")[1]
    status, body = installation.post(PREDICT, ROW)
    assert status == 503
    error = json.loads(body)["error"]
    assert error["rule"] == "journal"
    assert "free" in error["message"] or "disk" in error["message"] or "space" in error["message"]
    assert installation.get("/livez")[0] == 200, "a full disk is no reason to be killed"


def until_some_are_answered(installation: Installation, callers: Callers) -> None:
    wanted = callers.answered() + 50
    installation.until(lambda: callers.answered() >= wanted, "callers are answered")


def test_a_full_disk_refuses_and_recovers_by_itself(tmp_path: Path) -> None:
    with (
        given(tmp_path) as installation,
        lone_gateway(installation),
        Callers(installation.port, "late", requests=100_000, seconds=40) as callers,
    ):
        for _ in range(2):
            until_some_are_answered(installation, callers)
            limit_files(installation, 0)
            assert_it_refuses_to_forget(installation)
            limit_files(installation, resource.RLIM_INFINITY)
            installation.until(lambda: installation.get("/readyz")[0] == 200, "it recovers")
        until_some_are_answered(installation, callers)
        promised = callers.stop()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
            answered = hg.counts("late").answered
    assert promised.statuses.keys() == {200, 503}
    # Nobody was told "not kept" and is remembered all the same; no connection broke, so the two counts are equal.
    assert answered == len(promised.predictions)


def test_writes_cut_short_by_the_disk_leave_nothing_half_written(tmp_path: Path) -> None:
    with (
        given(tmp_path) as installation,
        lone_gateway(installation),
        Callers(installation.port, "late", requests=100_000, seconds=40) as callers,
    ):
        until_some_are_answered(installation, callers)
        limit_files(installation, 10_000)  # a few dozen records: each segment ends in the middle of a write
        installation.until(lambda: callers.acknowledged.statuses[503] > 0, "a write was cut short")
        for _ in range(3):
            until_some_are_answered(installation, callers)
        limit_files(installation, resource.RLIM_INFINITY)
        until_some_are_answered(installation, callers)
        promised = callers.stop()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
            answered = hg.counts("late").answered
    assert answered == len(promised.predictions)
    assert promised.statuses.keys() == {200, 503}


def test_who_prefers_answers_gets_them_and_is_told(tmp_path: Path) -> None:
    with given(tmp_path, on_failure="answer") as installation, lone_gateway(installation):
        status, body = installation.post(PREDICT, ROW)
        assert (status, json.loads(body).get("journalled")) == (200, None)
        limit_files(installation, 0)
        for _ in range(3):
            status, body = installation.post(PREDICT, ROW)
            assert (status, json.loads(body)["journalled"]) == (200, False)
        first = json.loads(body)["predictions"][0]["id"]
        label = json.dumps({"labels": [{"id": first, "label": 1}]}).encode()
        assert installation.post("/v1/endpoints/late/labels", label)[0] == 503, "a label that is not kept is lost"
        limit_files(installation, resource.RLIM_INFINITY)
        installation.until(
            lambda: "journalled" not in json.loads(installation.post(PREDICT, ROW)[1]), "records are kept again"
        )
        page = render(installation.home.metrics).decode()
    assert 'headgate_unjournalled_total{endpoint="late",project="default"} ' in page
    with installation.open() as hg:
        assert hg.reader.find("default", "late", first) is None


@contextmanager
def tiny_file_system(folder: Path) -> Iterator[None]:
    """A file system of two megabytes at `folder`."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True, timeout=30)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


@pytest.mark.full
def test_a_file_system_that_is_full_refuses_and_recovers(tmp_path: Path) -> None:
    installation = given(tmp_path)
    ballast = installation.home.journal / "ballast"
    with (
        tiny_file_system(installation.home.journal),
        installation,
        lone_gateway(installation),
        Callers(installation.port, "late", requests=100_000, seconds=40) as callers,
    ):
        until_some_are_answered(installation, callers)
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(b"\0" * (4 << 20))
        assert_it_refuses_to_forget(installation)
        ballast.unlink()
        installation.until(lambda: installation.get("/readyz")[0] == 200, "it recovers")
        until_some_are_answered(installation, callers)
        promised = callers.stop()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
            assert hg.counts("late").answered == len(promised.predictions)
    assert promised.statuses.keys() == {200, 503}
