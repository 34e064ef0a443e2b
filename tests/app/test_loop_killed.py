"""SIGKILL at every step of the loop: whoever comes after goes on, and nothing is there twice."""

import multiprocessing
from pathlib import Path

import pytest
from tests.app import loop_killed
from tests.app.loop_home import story

from headgate.retraining.run import STAGES, Outcome
from headgate.vocabulary import DAY, Micros


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_controller_killed_at_every_step_leaves_a_run_that_ends_well(tmp_path: Path) -> None:
    """Given a run, when each turn dies after an effect that was not kept, or once it was, all goes on."""
    found = story(tmp_path / "h")
    with found.open() as hg:
        hg.retrain("late", why="a test")
    # Not forked from here: threads of libraries this process has would be missing in the child.
    children = multiprocessing.get_context("forkserver")
    children.set_forkserver_preload(["tests.app.loop_killed"])
    deaths, stages = 0, set()
    for deadly in [2, 4, 6] * 12:
        with found.open() as hg:
            run = hg.retraining.status("late")
            assert hg.traffic.read()["default", "late"].live in (run.champion, run.challenger)
        stages.add(run.stage)
        if run.ended:
            break
        child = children.Process(target=loop_killed.turn, args=(found.root, found.clock.now(), deadly))
        child.start()
        child.join()
        deaths += child.exitcode == -9
        if child.exitcode == 0:  # there was nothing more to do at that moment
            found.clock.move_to(Micros(found.clock.now() + DAY))
    assert run.outcome is Outcome.PROMOTED, run.why
    assert deaths >= 2 * len(STAGES[2:])
    assert stages >= set(STAGES[2:])
    with found.open() as hg:
        assert [each.ref for each in hg.versions("linear")] == ["linear:1", "linear:2"]
        assert len(hg.rollouts.history("late")) == 1
        assert len(hg.retraining.runs("late")) == 1
        assert len(list(hg.home.datasets.iterdir())) <= 2
        assert hg.traffic.read()["default", "late"].live == "linear:2"
