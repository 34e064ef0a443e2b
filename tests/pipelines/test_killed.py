"""Whenever a run is killed the next one goes on, comes to the same training set, and no row is lost or kept twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pipelines.test_run import dataset
from tests.pipelines.worlds import World, flight

from headgate.pipelines.state import Ending


def killed_at(root: Path, change: int) -> int:
    asked = [sys.executable, "-m", "tests.pipelines.killed", str(root), str(change)]
    return subprocess.run(asked, check=False, capture_output=True, env={**os.environ}, timeout=120).returncode


def world_of(root: Path) -> World:
    world = World(root)
    world.flights("january.csv", [flight(each, distance=-1 if each == 7 else 100) for each in range(300)])
    return world


@pytest.mark.parametrize("step", [pytest.param(8, marks=pytest.mark.full), pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_anywhere_is_taken_up(tmp_path: Path, step: int) -> None:
    whole = world_of(tmp_path / "whole")
    expected = dataset(whole, whole.runner().run())[0].digest
    for change in range(0, 200, step):
        world = world_of(tmp_path / str(change))
        status = killed_at(world.root, change)
        run = world.runner().run(fresh=False)
        digest = world.kept.state().dataset
        assert digest == expected, f"killed at change {change}"
        assert sum(each.rows for each in world.kept.state().sources["flights"].parts) == 299
        assert len(list(world.datasets.glob("*/dataset.json"))) == 1
        left = [each.name for each in world.root.rglob("*") if each.name.startswith((".unfinished-", "work.duckdb"))]
        assert left == []
        if status != -signal.SIGKILL:
            assert (status, run.ending) == (0, Ending.NOTHING_NEW)
            assert change > 15
            return
    pytest.fail("no run came to its end")
