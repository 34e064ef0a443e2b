"""Watches one run: starts its program, holds it to its limits, and writes down how it ends.

``python -m headgate.retraining.recipes.warden FOLDER``, started by `Workshop` in a session of its own, so that a run
survives whoever ordered it. Whatever a recipe does (raise, hang, leak, print, fork, pass over signals) ends here.
"""

import contextlib
import ctypes
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from headgate.retraining.recipes import processes
from headgate.retraining.recipes.folder import DATASET, OUTPUT, Job, RunFolder, Watcher, size_mb
from headgate.retraining.recipes.recipe import Learned, RecipeKind, RecipeState, Standing
from headgate.retraining.recipes.said import Printed, Progress
from headgate.settings import KEY_VARIABLE, STORE_VARIABLE
from headgate.sizing.procfs import available_mb

GRACE: Final = 3.0
"""Seconds between asking a recipe to end, so that it may keep a checkpoint, and ending it."""
LOOK: Final = 0.1
"""Seconds between two looks at memory, orders and the clock; what happens in between may exceed a limit."""
MOST_OF_MEMORY: Final = 0.7
"""Share of the memory that is free which a run may take where nobody set a limit: models are served beside it."""
PATIENCE: Final = 600.0
"""Seconds that a run waits for a training set which is being cut; whoever cuts it may have been ended."""
_WRITE: Final = 0.5
_DISK: Final = 0.5
_SHARED: Final = 1.0
_UNKILLABLE: Final = 10.0
_LAST_WORDS: Final = 300
_PR_SET_CHILD_SUBREAPER: Final = 36
_THREADS: Final = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT",
)  # fmt: skip
_FROM_OUTSIDE: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that a program does not send itself; after any other it is its own fault that it ended."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why a program is ended before it ends."""

    why: str
    gently: bool = True
    """Whether it is asked first."""
    state: RecipeState = RecipeState.FAILED
    lost: bool = False
    starve: bool = False
    """Whether its checkpoint goes as well: the disk is full of it."""


class Warden:
    """One attempt at one run."""

    def __init__(self, run: RunFolder, job: Job, now: Callable[[], float] = time.monotonic) -> None:
        self._run, self._job, self._limits, self._now = run, job, job.recipe.limits, now
        self._printed = Printed(run.log, run.log_end)
        self._progress = Progress(run.progress)
        self._ordered = self._began = now()
        self._memory_mb = self._limits.memory_mb or MOST_OF_MEMORY * available_mb()
        self._held_mb = self._peak_mb = 0.0
        self._written = self._measured = self._weighed = 0.0
        self._told_to_end = False

    def run(self) -> Standing:
        """Start the program, watch it to its end, and write down how it went. Nothing that it started lives on."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._tell)
        self._run.lay_out()
        self._run.stand(self._standing(RecipeState.RUNNING))
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
            _words(self._job.recipe.kind, self._run), stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
            env=_environment(self._job, self._run, os.environ), cwd=self._job.sources, start_new_session=True,
        )  # fmt: skip
        os.close(writer)
        status, stop = self._watch(process.pid, reader)
        process.returncode = 0 if status is None else status  # waited for here, beside those it left behind
        self._end_all()
        self._pump(reader)
        self._printed.put_down()
        self._progress.read()
        return self._close(status, stop)

    def _watch(self, pid: int, reader: int) -> tuple[int | None, _Stop | None]:
        """The program's status and, where it did not end by itself, why."""
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            looked, stop, until = 0.0, None, 0.0
            while True:
                if selector.select(LOOK) and not self._pump(reader):
                    selector.unregister(reader)  # everybody closed it, which a program may do and go on
                if (status := self._buried(pid)) is not None:
                    return status, stop
                if (now := self._now()) < looked + LOOK:
                    continue  # a recipe that prints without end must not make us look without end
                looked = now
                self._look(now)
                if stop is None and (stop := self._over(now)) is not None:
                    until = now + (GRACE if stop.gently else 0.0)
                    processes.kill(processes.descendants(os.getpid()), signal.SIGTERM)
                if stop is not None and now >= until:
                    self._end_all()
                    return None, stop

    def _look(self, now: float) -> None:
        if not self._job.dataset:
            self._job, self._began = self._run.job() or self._job, now  # its time begins with its training set
        self._progress.read()
        self._held_mb = self._weigh(now)
        self._peak_mb = max(self._peak_mb, self._held_mb)
        if now >= self._written + _WRITE:
            self._written = now
            self._printed.put_down()
            with contextlib.suppress(OSError):  # a full disk: the recipe that filled it is about to be ended
                self._run.stand(self._standing(RecipeState.RUNNING))

    def _weigh(self, now: float) -> float:
        """Memory held now. How much of it several processes share takes long to say: it is asked in need, or rarely."""
        pids = processes.descendants(os.getpid())
        resident = processes.resident_mb(pids)
        if len(pids) < 2 or resident < self._held_mb:
            return resident
        if resident <= self._memory_mb and now < self._weighed + _SHARED:
            return self._held_mb
        held = processes.held_mb(pids)
        self._weighed = self._now()
        return held

    def _over(self, now: float) -> _Stop | None:
        """Why the program must end, where it must."""
        limits = self._limits
        if self._run.cancelled():
            return _Stop("cancelled", state=RecipeState.CANCELLED)
        if self._told_to_end:
            return _Stop("the run was ended from outside", lost=True)
        if not self._job.dataset and now - self._ordered > PATIENCE:
            return _Stop(f"no training set came within {PATIENCE:g} s", lost=True)
        if now - self._began > limits.seconds:
            return _Stop(f"not done within {limits.seconds:g} s, its limit")
        if self._held_mb > self._memory_mb:
            whose = "its limit" if limits.memory_mb else "more than others can spare; set memory_mb to allow it"
            why = f"held {self._held_mb:,.0f} MiB of memory, over {self._memory_mb:,.0f} MiB, {whose}"
            return _Stop(why, gently=False)
        if now >= self._measured + _DISK:
            size = size_mb(self._run.path)
            self._measured = self._now()
            if size > limits.disk_mb:
                why = f"wrote {size:,.0f} MiB, over {limits.disk_mb:,} MiB, its limit"
                return _Stop(why, gently=False, starve=True)
        return None

    def _pump(self, reader: int) -> bool:
        """Take in what was printed; False once nobody can print any more."""
        while True:
            try:
                chunk = os.read(reader, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._printed.take(chunk)
            if len(chunk) < 1 << 16:
                return True

    def _buried(self, pid: int) -> int | None:
        """The program's status once it is dead; orphans of it, which are ours now, are buried as well."""
        status = None
        with contextlib.suppress(ChildProcessError):
            while True:
                dead, code, usage = os.wait4(-1, os.WNOHANG)
                if not dead:
                    break
                self._peak_mb = max(self._peak_mb, usage.ru_maxrss / 1024)
                if dead == pid:
                    status = os.waitstatus_to_exitcode(code)
        return status

    def _end_all(self) -> None:
        end = self._now() + _UNKILLABLE  # one that waits for a dead disk cannot be ended, and waiting would not help
        while (left := processes.descendants(os.getpid())) and self._now() < end:
            processes.kill(left)
            self._buried(0)
            time.sleep(0.01)
        processes.kill_carrying(self._run.mark)

    def _close(self, status: int | None, stop: _Stop | None) -> Standing:
        learned = self._run.learned() if status == 0 and stop is None else None
        if learned is not None:
            learned = msgspec.structs.replace(
                learned,
                metrics={**learned.metrics, **self._progress.metrics},
                seconds=round(self._now() - self._began, 3),
                peak_mb=round(self._peak_mb, 1),
            )
            standing = self._standing(RecipeState.LEARNED, learned=learned)
            self._tidy(self._run.temporary, self._run.checkpoint)
        else:
            standing = self._failed(status, stop)
            starved = (self._run.checkpoint,) if stop is not None and stop.starve else ()
            self._tidy(self._run.temporary, self._run.out, *starved)
        self._run.stand(standing)
        return standing

    def _failed(self, status: int | None, stop: _Stop | None) -> Standing:
        if stop is not None:
            return self._standing(stop.state, why=stop.why, lost=stop.lost)
        if said := self._run.why():
            # A command tells its reasons to the log alone.
            words = last_words(self._run) if self._job.recipe.kind is RecipeKind.COMMAND else ""
            return self._standing(RecipeState.FAILED, why=f"{said}{words}")
        if status is not None and status < 0:
            name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
            lost = -status in _FROM_OUTSIDE
            whose = "ended from outside" if lost else "ended"
            return self._standing(RecipeState.FAILED, why=f"its process was {whose} by {name}", lost=lost)
        why = "ended without a model" if status == 0 else f"ended with status {status}"
        return self._standing(RecipeState.FAILED, why=f"{why}{last_words(self._run)}")

    def _standing(
        self, state: RecipeState, *, why: str = "", lost: bool = False, learned: Learned | None = None
    ) -> Standing:
        done = 1.0 if learned is not None else self._progress.done
        step = "learned" if learned is not None else self._progress.step
        return Standing(state, step, done, why, round(self._now() - self._began, 3), learned, lost)

    def _tell(self, _signal: int, _frame: FrameType | None) -> None:
        self._told_to_end = True

    @staticmethod
    def _tidy(*folders: Path) -> None:
        for each in folders:
            shutil.rmtree(each, ignore_errors=True)


def last_words(run: RunFolder) -> str:
    """The end of what a run printed, to be put behind a sentence; empty when it printed nothing."""
    for path in (run.log_end, run.log):
        with contextlib.suppress(OSError):
            said = " ".join(path.read_bytes()[-4 * _LAST_WORDS :].decode(errors="replace").split())[-_LAST_WORDS:]
            return f": {said}" if said else ""
    return ""


def _words(kind: RecipeKind, run: RunFolder) -> Sequence[str]:
    # -P: a file of the recipe's folder that is called as a library is must not take that library's place
    return (sys.executable, "-P", "-m", f"headgate.retraining.recipes.{kind.value}", str(run.path))


def _environment(job: Job, run: RunFolder, given: Mapping[str, str]) -> dict[str, str]:
    """What a recipe finds in its environment: what it is handed, and nothing that opens doors of this installation."""
    recipe = job.recipe
    kept = {name: value for name, value in given.items() if name not in (KEY_VARIABLE, STORE_VARIABLE)}
    return {
        **kept,
        **dict.fromkeys(_THREADS, str(recipe.limits.threads)),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', os.defpath)}",
        "PYTHONHASHSEED": str(recipe.seed),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(run.temporary),
        DATASET: job.dataset,
        OUTPUT: str(run.out),
        "HEADGATE_CHECKPOINT": str(run.checkpoint),
        "HEADGATE_PARAMETERS": msgspec.json.encode(recipe.parameters).decode(),
        "HEADGATE_PROGRESS": str(run.progress),
        "HEADGATE_SEED": str(recipe.seed),
        "HEADGATE_TRUST": "yes" if recipe.trust else "no",
    }


def main(argv: Sequence[str]) -> int:
    """Watch the run in a folder to its end, unless somebody does already."""
    run = RunFolder(Path(argv[0]))
    job = run.job()
    with run.held() as mine:
        started = processes.started(os.getpid())
        if job is None or not mine or started is None:
            return 0
        before = run.standing()
        if before is not None and before.ended:
            return 0  # somebody who ordered it twice was late
        run.watch(Watcher(os.getpid(), started))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        Warden(run, job).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
