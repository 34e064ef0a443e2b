"""Starts runs of recipes, says how they stand, takes them back and takes them up; the only one that starts processes.

Called by the retraining loop and by pipelines. A run lives in a folder and is watched by a process of its own
(`warden`), so that it survives this one: another workshop on the same folder finds it again.
"""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from headgate.errors import BadInput, Conflict, NotFound
from headgate.retraining.datasets.dataset import VALUE_FILE
from headgate.retraining.recipes import processes
from headgate.retraining.recipes.folder import Job, RunFolder
from headgate.retraining.recipes.recipe import Recipe, RecipeKind, RecipeState, Standing, check

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
AHEAD: Final = frozenset({RecipeKind.PYTHON, RecipeKind.AUTOML})
"""Kinds whose programs have something to do before there is a training set."""
_LOST: Final = "its processes were lost; resume takes it up at its checkpoint"


class Workshop:
    """Runs recipes below the folder `runs`; their files lie, and commands run, in the folder `sources`.

    Every call returns at once and may be made again: after a crash of the caller the same calls lead on.
    """

    def __init__(self, runs: Path, sources: Path = Path()) -> None:
        self._runs, self._sources = runs.absolute(), sources.absolute()
        self._wardens: dict[str, int] = {}
        """Ids of wardens started here, by run."""
        self._leaving: set[int] = set()
        """Those that have written down an end and are not buried yet."""
        self._one_at_a_time = threading.RLock()

    def prepare(self, run_id: str, recipe: Recipe) -> None:
        """Begin the process of a run whose training set is not there yet; `start` hands it over.

        A Python recipe is imported meanwhile, and so is the built-in search; other kinds wait for `start`. A run that
        was ordered already is left as it is. Raises BadInput and NotFound as `start` does.
        """
        run = self._folder(run_id)
        if recipe.kind not in AHEAD:
            return
        with self._one_at_a_time:
            if run.job() is None:
                check(recipe, self._sources)
                run.order(Job(recipe, "", str(self._sources)))
            self.look(run_id)

    def start(self, run_id: str, recipe: Recipe, dataset_folder: Path) -> Standing:
        """Begin a run, or say how it stands if it was begun.

        Raises BadInput for a recipe that cannot be run, NotFound for one whose files are not there or a training set
        that is not, Conflict when the id belongs to another recipe or another training set.
        """
        run = self._folder(run_id)
        job = Job(recipe, str(dataset_folder.absolute()), str(self._sources))
        with self._one_at_a_time:
            ordered = run.job()
            if ordered is None:
                check(recipe, self._sources)
                ordered = msgspec.structs.replace(job, dataset="")
            if not ordered.dataset:
                if not (dataset_folder / VALUE_FILE).is_file():
                    raise NotFound("training set", str(dataset_folder))
                ordered = msgspec.structs.replace(ordered, dataset=job.dataset)
                run.order(ordered)
            if ordered != job:
                raise Conflict(f"run '{run_id}' is of another recipe or training set; choose another id")
            return self.look(run_id)

    def look(self, run_id: str) -> Standing:
        """How a run stands. One that was ordered but whose beginning was cut short is begun here.

        Raises NotFound for a run that was never ordered.
        """
        run = self._ordered(run_id)
        with self._one_at_a_time:
            standing = run.standing()
            if standing is not None and standing.ended:
                self._forget(run_id)
                return standing
            watcher = run.watcher()
            if watcher is None:
                return self._begin(run_id, run)
            if processes.started(watcher.pid) == watcher.started:
                return standing or Standing(RecipeState.RUNNING, "starting")
            standing = run.standing()  # it may have ended between the two looks
            return standing if standing is not None and standing.ended else self._lost(run_id, run)

    def cancel(self, run_id: str) -> None:
        """Take the order back; its processes are asked to end and soon after are ended. One that ended stays as it is.

        Raises NotFound for a run that was never ordered.
        """
        run = self._ordered(run_id)
        with self._one_at_a_time:
            if not self.look(run_id).ended:
                run.cancel(True)

    def resume(self, run_id: str) -> Standing:
        """Take up a run that failed or was cancelled; it finds its checkpoint. One that goes on or has learned stays.

        Raises NotFound for a run that was never ordered.
        """
        run = self._ordered(run_id)
        with self._one_at_a_time:
            standing = self.look(run_id)
            if standing.state in (RecipeState.FAILED, RecipeState.CANCELLED):
                # In this order: cut short anywhere, it has either ended still, or waits and will be begun.
                self._forget(run_id)
                run.unwatch()
                run.cancel(False)
                run.stand(Standing(RecipeState.WAITING))
            return self.look(run_id)

    def log(self, run_id: str) -> str:
        """What a run printed: all of it, or its beginning and its end, a mebibyte each.

        Raises NotFound for a run that was never ordered.
        """
        run = self._ordered(run_id)
        return "".join(_text(path) for path in (run.log, run.log_end))

    def folder(self, run_id: str) -> Path:
        """Where a run keeps its things; `Learned.model` is a path in it.

        Raises NotFound for a run that was never ordered.
        """
        return self._ordered(run_id).path

    def _folder(self, run_id: str) -> RunFolder:
        if not _ID.fullmatch(run_id):
            raise BadInput("run_id", "domain", f"must match {_ID.pattern}")
        return RunFolder(self._runs / run_id)

    def _ordered(self, run_id: str) -> RunFolder:
        run = self._folder(run_id)
        if run.job() is None:
            raise NotFound("run", run_id)
        return run

    def _begin(self, run_id: str, run: RunFolder) -> Standing:
        """Start a warden unless one is about to say that it is there."""
        warden = self._wardens.get(run_id)
        left = 0 if warden is None else processes.status(warden)  # 0 as well where another has the run
        if left is None:
            return Standing(RecipeState.WAITING)
        self._wardens.pop(run_id, None)
        if run.cancelled():
            return self._end(run_id, run, Standing(RecipeState.CANCELLED, why="cancelled"))
        if left:
            why = f"could not be started: {' '.join(_text(run.warden_log).split())[-300:]}"
            return self._end(run_id, run, Standing(RecipeState.FAILED, why=why))
        # A second one, ordered by somebody else at the same time, finds the lock taken and leaves.
        words = (sys.executable, "-P", "-m", "headgate.retraining.recipes.warden", str(run.path))
        self._wardens[run_id] = processes.spawn(words, _environment(os.environ), run.warden_log)
        return Standing(RecipeState.WAITING)

    def _lost(self, run_id: str, run: RunFolder) -> Standing:
        processes.kill_carrying(run.mark)
        before = run.standing() or Standing(RecipeState.RUNNING)
        state, why, lost = (
            (RecipeState.CANCELLED, "cancelled", False) if run.cancelled() else (RecipeState.FAILED, _LOST, True)
        )
        return self._end(run_id, run, msgspec.structs.replace(before, state=state, why=why, lost=lost))

    def _end(self, run_id: str, run: RunFolder, standing: Standing) -> Standing:
        run.stand(standing)
        self._forget(run_id)
        return standing

    def _forget(self, run_id: str) -> None:
        """Bury wardens that are dead; one that wrote down an end is so soon after."""
        if run_id in self._wardens:
            self._leaving.add(self._wardens.pop(run_id))
        self._leaving = {pid for pid in self._leaving if processes.status(pid) is None}


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """What a warden hands on; where Python looks for modules does not depend on the folder a process works in."""
    places = given.get("PYTHONPATH", "").split(os.pathsep)
    return {**given, "PYTHONPATH": os.pathsep.join(str(Path(each).absolute()) for each in places if each)}


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_bytes().decode(errors="replace")
    return ""
