"""Every kind of process killed under load: what was acknowledged is remembered, once, whatever died.

The short form kills each kind twice, the long one, run by `make accept`, ten times.
"""

from pathlib import Path

import pytest
from tests.faults.accounts import (
    assert_each_promise_is_kept_once,
    assert_the_lake_holds_each_row_once,
    given_two_versions,
)

from headgate.testing.callers import Callers
from headgate.testing.installation import Installation

BETWEEN = 60
"""Acknowledged predictions between two kills, so that each death finds work under way."""
ROUNDS = [pytest.param(2, marks=pytest.mark.full), pytest.param(10, marks=pytest.mark.slow)]


def until_more_are_answered(installation: Installation, callers: Callers, more: int = BETWEEN) -> None:
    wanted = callers.answered() + more
    installation.until(lambda: callers.answered() >= wanted, "callers are answered again")


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_promise_is_lost_when_workers_hosts_and_the_controller_are_killed(tmp_path: Path, rounds: int) -> None:
    with Installation(tmp_path / "h", workers=2, seal_interval=0.5) as installation:
        given_two_versions(installation)
        installation.start()
        host = next(name for name in installation.processes() if name.startswith("host"))
        with Callers(installation.port, "late", requests=100_000, seconds=rounds * 30) as callers:
            for turn in range(rounds):
                for victim in (f"gateway {turn % 2}", host, "controller"):
                    until_more_are_answered(installation, callers)
                    installation.kill(victim)
            until_more_are_answered(installation, callers)
        promised = callers.finish()
        installation.settled()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
            fallbacks = hg.reader.joined("default", "late").column("fallback").to_pylist()
        assert installation.stop() == 0
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
        assert_the_lake_holds_each_row_once(installation)
    assert len(promised.predictions) >= (3 * rounds + 1) * BETWEEN
    assert len(promised.labels) >= 0.9 * len(promised.predictions)
    # A dead runtime host costs its callers nothing: the live version answers, and the journal says why.
    assert set(fallbacks) - {None} <= {"", "failed", "late", "resting"}
    assert any(fallbacks)
    assert promised.statuses.keys() <= {200, 0}, "callers met nothing but answers and broken connections"


@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_promise_is_lost_when_the_supervisor_is_killed(tmp_path: Path, rounds: int) -> None:
    with Installation(tmp_path / "h", workers=1, seal_interval=0.5) as installation:
        given_two_versions(installation)
        installation.start()
        with Callers(installation.port, "late", requests=100_000, seconds=rounds * 60) as callers:
            for _ in range(rounds):
                until_more_are_answered(installation, callers)
                installation.crash()
                installation.start()
            until_more_are_answered(installation, callers)
        promised = callers.finish()
        with installation.open() as hg:
            assert_each_promise_is_kept_once(hg, promised)
        assert installation.stop() == 0
        assert_the_lake_holds_each_row_once(installation)
    assert len(promised.predictions) >= (rounds + 1) * BETWEEN


def test_what_a_worker_that_never_comes_back_left_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Installation(tmp_path / "h", workers=2) as installation:
        given_two_versions(installation)
        installation.start()
        with Callers(installation.port, "late", connections=16, requests=200) as callers:
            promised = callers.finish()
        installation.crash_whole()
    # From now on there is one gateway, or none: nobody else will ever touch the streams.
    monkeypatch.setattr("headgate.controller.decide.QUIET", 0.0)
    with installation.open() as hg:
        chores = hg.chores(seal_interval=0.0)
        assert len(chores.turn()) == 2, "both streams are finished"
        assert_each_promise_is_kept_once(hg, promised)
    assert_the_lake_holds_each_row_once(installation)
    with installation.open() as hg:
        assert_each_promise_is_kept_once(hg, promised)
    assert len(promised.predictions) == 200
