"""A run outlives whoever ordered it: killed at any moment, the same calls lead on."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from tests.retraining.recipes.conftest import ROWS, ended, running, until

from headgate.errors import BadInput, Conflict, NotFound
from headgate.retraining.recipes import processes
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.recipe import Recipe, RecipeKind, RecipeState
from headgate.retraining.recipes.warden import Warden
from headgate.retraining.recipes.workshop import Workshop

SLOW = """
import time

def train(data):
    part = data.checkpoint / "part"
    if part.exists():
        raise ValueError("taken up at " + part.read_text())
    part.write_text("half")
    data.progress(0.5, "half")
    time.sleep(1000)
"""
RECIPE = Recipe(RecipeKind.PYTHON, "learn.py")


@pytest.fixture
def slow(sources: Path) -> Path:
    (sources / "learn.py").write_text(SLOW)
    return sources


def test_what_was_never_ordered_is_not_found(workshop: Workshop, dataset: Path, sources: Path) -> None:
    for call in (workshop.look, workshop.cancel, workshop.resume, workshop.log, workshop.folder):
        with pytest.raises(NotFound, match="run 'r1'"):
            call("r1")
    with pytest.raises(BadInput, match="must match"):
        workshop.start("../r1", RECIPE, dataset)
    with pytest.raises(NotFound, match=r"learn\.py"):
        workshop.start("r1", RECIPE, dataset)
    (sources / "learn.py").touch()
    with pytest.raises(NotFound, match="training set"):
        workshop.start("r1", RECIPE, sources)
    with pytest.raises(NotFound, match="run 'r1'"):
        workshop.look("r1")


@pytest.mark.full
def test_a_run_is_ordered_once_and_cancelled_for_good(workshop: Workshop, slow: Path, dataset: Path) -> None:
    for _ in range(3):
        workshop.start("r1", RECIPE, dataset)
    assert running(workshop, "half").done == 0.5
    assert len(processes.carrying(RunFolder(workshop.folder("r1")).mark)) == 1
    with pytest.raises(Conflict, match="another id"):
        workshop.start("r1", Recipe(RecipeKind.PYTHON, "learn.py", seed=1), dataset)
    assert workshop.resume("r1").state is RecipeState.RUNNING
    workshop.cancel("r1")
    standing = ended(workshop)
    assert (standing.state, standing.why, standing.lost) == (RecipeState.CANCELLED, "cancelled", False)
    assert workshop.start("r1", RECIPE, dataset).state is RecipeState.CANCELLED
    workshop.cancel("r1")
    assert workshop.resume("r1").state is RecipeState.WAITING
    assert ended(workshop).why == "the recipe raised ValueError: taken up at half (learn.py, line 7)"


ORDER = """
import os, signal, sys
from pathlib import Path
from headgate.retraining.recipes.recipe import Recipe, RecipeKind
from headgate.retraining.recipes.workshop import Workshop

workshop = Workshop(Path(sys.argv[1]), Path(sys.argv[2]))
workshop.start("r1", Recipe(RecipeKind.PYTHON, "learn.py"), Path(sys.argv[3]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.full
def test_a_run_outlives_who_ordered_it(workshop: Workshop, slow: Path, dataset: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", textwrap.dedent(ORDER), str(tmp_path / "runs"), str(slow), str(dataset)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert running(workshop, "half").state is RecipeState.RUNNING
    workshop.cancel("r1")
    assert ended(workshop).state is RecipeState.CANCELLED


@pytest.mark.full
@pytest.mark.parametrize("whom", ["warden", "recipe"])
def test_a_run_whose_processes_are_killed_is_lost_and_taken_up(
    whom: str, workshop: Workshop, slow: Path, dataset: Path
) -> None:
    workshop.start("r1", RECIPE, dataset)
    running(workshop, "half")
    run = RunFolder(workshop.folder("r1"))
    watcher = run.watcher()
    assert watcher is not None
    victims = {"warden": [watcher.pid], "recipe": processes.carrying(run.mark)}
    for pid in victims[whom]:
        os.kill(pid, signal.SIGKILL)
    standing = ended(workshop)
    assert (standing.state, standing.lost) == (RecipeState.FAILED, True)
    assert standing.why
    assert processes.carrying(run.mark) == []
    assert workshop.resume("r1").state is RecipeState.WAITING
    assert "taken up at half" in ended(workshop).why


@pytest.mark.full
def test_cut_short_between_any_two_words_it_is_begun_or_has_ended(
    workshop: Workshop, slow: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The order was written down and nothing else: whoever looks begins it.
    with monkeypatch.context() as patched:
        patched.setattr(Workshop, "look", lambda self, run_id: None)
        workshop.start("r1", RECIPE, dataset)
    assert not RunFolder(workshop.folder("r1")).watcher()
    assert workshop.look("r1").state is RecipeState.WAITING
    running(workshop, "half")
    # Two that order it at once are one run.
    others = [Workshop(workshop.folder("r1").parent, slow) for _ in range(4)]
    threads = [threading.Thread(target=each.start, args=("r2", RECIPE, dataset)) for each in others]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    running(others[0], "half", "r2")
    assert len(processes.carrying(RunFolder(workshop.folder("r2")).mark)) == 1
    # Taken back at any moment, it ends as cancelled.
    workshop.start("r3", RECIPE, dataset)
    for run_id in ("r1", "r2", "r3"):
        workshop.cancel(run_id)
    assert {ended(workshop, each).state for each in ("r1", "r2", "r3")} == {RecipeState.CANCELLED}


AHEAD = """
from pathlib import Path

Path(__file__).with_name("imported").touch()

def train(data):
    raise ValueError(f"{len(data.table)} rows")
"""


@pytest.mark.full
def test_a_run_is_prepared_before_its_training_set_is_there(workshop: Workshop, sources: Path, dataset: Path) -> None:
    (sources / "learn.py").write_text(AHEAD)
    for _ in range(2):
        workshop.prepare("r1", RECIPE)
    until((sources / "imported").exists)
    assert workshop.look("r1").state is RecipeState.RUNNING
    with pytest.raises(NotFound, match="training set"):
        workshop.start("r1", RECIPE, sources)
    (sources / "learn.py").write_text("def train(data): raise ValueError('edited meanwhile')")
    workshop.start("r1", RECIPE, dataset)
    workshop.prepare("r1", RECIPE)
    standing = ended(workshop)
    assert standing.why.startswith(f"the recipe raised ValueError: {ROWS} rows")
    with pytest.raises(Conflict):
        workshop.start("r1", RECIPE, sources)


@pytest.mark.full
def test_what_was_prepared_and_never_begun_is_cancelled_or_lost(
    workshop: Workshop, slow: Path, dataset: Path, tmp_path: Path
) -> None:
    workshop.prepare("r1", RECIPE)
    workshop.cancel("r1")
    assert ended(workshop).state is RecipeState.CANCELLED
    run = RunFolder(tmp_path / "runs" / "r2")
    run.order(Job(RECIPE, "", str(slow)))
    clock = iter([0.0, *range(1, 100_000, 100)])
    standing = Warden(run, Job(RECIPE, "", str(slow)), lambda: float(next(clock))).run()
    assert (standing.state, standing.lost) == (RecipeState.FAILED, True)
    assert standing.why == "no training set came within 600 s"
    # A training set that comes after all is learned from: the run is taken up.
    assert workshop.start("r2", RECIPE, dataset).lost
    workshop.resume("r2")
    assert running(workshop, "half", "r2").state is RecipeState.RUNNING
    workshop.cancel("r2")
    assert ended(workshop, "r2").state is RecipeState.CANCELLED


def test_a_recipe_that_was_edited_while_rows_were_cut_learns_as_it_was_begun(
    workshop: Workshop, slow: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workshop, "look", lambda self, run_id: None)
    workshop.prepare("r1", RECIPE)
    with pytest.raises(Conflict, match="another id"):
        workshop.start("r1", Recipe(RecipeKind.PYTHON, "learn.py", seed=1), dataset)
    assert RunFolder(workshop.folder("r1")).job() == Job(RECIPE, str(dataset), str(slow))


def test_who_has_nothing_to_do_without_rows_is_not_begun(workshop: Workshop, sources: Path) -> None:
    workshop.prepare("r1", Recipe(RecipeKind.COMMAND, "true"))
    with pytest.raises(NotFound, match="run 'r1'"):
        workshop.look("r1")
    with pytest.raises(NotFound, match=r"learn\.py"):
        workshop.prepare("r1", RECIPE)
