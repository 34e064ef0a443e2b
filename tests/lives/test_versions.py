"""Versions come beside live traffic, go back by a pointer, and hurt nobody when they fail."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from headgate.store.reports import FileReports
from headgate.testing.callers import Acknowledged, Callers
from headgate.testing.installation import Installation

ROLLBACK_S: Final = 1.0
SHARE: Final = 0.5
FAILING: Final = {
    "failing": {"failed"},
    "dying": {"failed", "late", "resting"},
    "hanging": {"failed", "late", "resting"},
}
"""How a version misbehaves, and what the journal may say of it; a host that does not come up answers late."""


def loaded(installation: Installation, version: str) -> bool:
    """Whether any worker says that it holds the version."""
    named = {labels: value for labels, value in installation.metric("headgate_model_info").items() if version in labels}
    return any(named.values())


def loads(installation: Installation) -> float:
    """How often a version was loaded since the start, on all workers."""
    _, page = installation.get("/metrics", port=installation.metrics_port)
    words = (line.split() for line in page.decode().splitlines())
    return next(float(each[1]) for each in words if each[0] == "headgate_model_load_duration_seconds_count")


def obeyed_by_all(installation: Installation, revision: int) -> bool:
    obeyed = FileReports(installation.home.run / "workers").obeyed()
    return len(obeyed) == installation.workers and all(each["default/late"] >= revision for each in obeyed.values())


def until_more_are_answered(installation: Installation, callers: Callers, more: int) -> None:
    wanted = callers.answered() + more
    installation.until(lambda: callers.answered() >= wanted, "callers are answered")


def ask(installation: Installation, endpoint: str, requests: int) -> Acknowledged:
    with Callers(installation.port, endpoint, connections=4, requests=requests) as callers:
        return callers.finish()


def test_moving_an_endpoint_loses_no_request_and_the_old_version_goes(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        old, new = installation.linear(), installation.linear(bias=1.0)
        installation.serve("late", {old: 1.0})
        installation.start()
        with Callers(installation.port, "late", connections=4, requests=100_000) as callers:
            until_more_are_answered(installation, callers, 100)
            installation.serve("late", {new: 1.0})
            installation.settled()
            moved = len(callers.acknowledged.predictions)
            until_more_are_answered(installation, callers, 100)
            installation.until(lambda: not loaded(installation, old), "the old version is let go")
            assert loaded(installation, new)
        promised = callers.finish()
        with installation.open() as hg:
            counts = hg.counts("late")
    assert promised.problems == []
    assert promised.statuses.keys() == {200}
    assert counts.answered == len(promised.predictions) == promised.asked
    said = [each.version for each in promised.predictions.values()]
    assert said[0] == old
    # Answers that were on their way when the last worker said that it obeys may still be the old version's.
    assert set(said[moved + 8 :]) == {new}


def test_a_rollback_is_a_pointer(tmp_path: Path) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        live, canary = installation.linear(), installation.linear(bias=1.0)
        installation.serve("late", {live: 1 - SHARE, canary: SHARE})
        installation.start()
        with Callers(installation.port, "late", connections=4, requests=100_000) as callers:
            until_more_are_answered(installation, callers, 100)
            before = loads(installation)
            revision = installation.serve("late", {live: 1.0})
            published = time.monotonic()
            installation.until(lambda: obeyed_by_all(installation, revision), "all workers obey", ROLLBACK_S)
            took = time.monotonic() - published
            assert loads(installation) == before, "a rollback loads nothing"
            moved = callers.answered()
            until_more_are_answered(installation, callers, 50)
        promised = callers.finish()
    assert took <= ROLLBACK_S
    assert promised.statuses.keys() == {200}
    said = [each.version for each in promised.predictions.values()]
    assert set(said[:moved]) == {live, canary}
    assert set(said[moved + 8 :]) == {live}


@pytest.fixture(scope="module")
def unkind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Endpoints whose live version is well and whose canary is not, one per way to fail."""
    with Installation(tmp_path_factory.mktemp("unkind") / "h") as installation:
        live = installation.scripted("echo")
        for behaviour in (*FAILING, "echo"):
            canary = installation.scripted(behaviour, f"canary-{behaviour}", value=1.0)
            installation.serve(behaviour, {live: 1 - SHARE, canary: SHARE}, more="deadline_ms: 3000\n")
        yield installation.start()


@pytest.mark.parametrize("behaviour", FAILING)
def test_a_canary_that_fails_hurts_nobody_and_the_journal_says_whose_fault_it_was(
    behaviour: str, unkind: Installation
) -> None:
    promised = ask(unkind, behaviour, 24)
    assert promised.problems == []
    assert promised.statuses == {200: 24}
    with unkind.open() as hg:
        rows = hg.reader.joined("default", behaviour).to_pylist()
        [window] = hg.windows(behaviour, every="month")
    assert {row["answered"] for row in rows} == {"scripted:1"}
    assert {row["probability"] for row in rows} == {SHARE}
    by_arm = Counter(row["assigned"] for row in rows)
    assert by_arm.keys() == {"scripted:1", f"canary-{behaviour}:1"}
    for row in rows:
        own = row["assigned"] == "scripted:1"
        assert row["role"] == ("live" if own else "canary")
        assert row["fallback"] in ({""} if own else FAILING[behaviour])
        assert row["latency_us"] < 3_000_000, "the live version answered within the same deadline"
    assert window.fallbacks == by_arm[f"canary-{behaviour}:1"]


def test_a_canary_whose_host_is_killed_falls_back_and_comes_back(unkind: Installation) -> None:
    with unkind.open() as hg:
        digest = hg.registry.resolve("canary-echo:1").digest
    host = f"host {digest.removeprefix('sha256:')[:12]}"
    with Callers(unkind.port, "echo", connections=4, requests=100_000) as callers:
        until_more_are_answered(unkind, callers, 40)
        unkind.kill(host)
        until_more_are_answered(unkind, callers, 40)

        def is_back() -> bool:
            return list(callers.acknowledged.predictions.values())[-1].version == "canary-echo:1"

        unkind.until(is_back, "the canary answers again")
    promised = callers.finish()
    assert promised.problems == []
    assert promised.statuses.keys() == {200}
    with unkind.open() as hg:
        rows = hg.reader.joined("default", "echo").to_pylist()
    fallen = [row for row in rows if row["fallback"]]
    assert fallen, "somebody asked while the host was dead"
    assert {(row["assigned"], row["answered"], row["role"]) for row in fallen} == {
        ("canary-echo:1", "scripted:1", "canary")
    }
    assert {row["fallback"] for row in fallen} <= {"failed", "late", "resting"}
