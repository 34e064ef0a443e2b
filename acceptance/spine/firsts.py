"""First commands on a fresh clone: nothing but Python, make and coreutils is on the path."""

import os
import shutil
import sys
from pathlib import Path
from time import monotonic
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite, tally

SUITE = Suite()
COREUTILS: Final = (
    *("basename", "cat", "chmod", "cp", "cut", "date", "dirname", "echo", "env", "false", "head", "id", "ln", "ls"),
    *("mkdir", "mktemp", "mv", "nproc", "printf", "pwd", "readlink", "realpath", "rm", "rmdir", "seq", "sleep"),
    *("sort", "stat", "tail", "tee", "test", "touch", "tr", "true", "uname", "uniq", "wc"),
)


def bare(folder: Path) -> dict[str, str]:
    """The environment of a machine that has Python with venv and make, and nothing else worth naming."""
    folder.mkdir()
    # The interpreter that made this environment, not the environment itself: a newcomer has none yet.
    programs = {"python3": getattr(sys, "_base_executable", sys.executable), "make": shutil.which("make")}
    for name, path in {**programs, **{each: shutil.which(each) for each in COREUTILS}}.items():
        if path is None:
            raise Red(f"this machine has no {name}")
        (folder / name).write_text(f'#!/bin/sh\nexec {path} "$@"\n')
        (folder / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS")}
    return {**kept, "PATH": str(folder)}


@SUITE.row("show-make-demo", "make demo succeeds as the first command ever typed in a fresh clone", "make demo")
def demo_first(bench: Bench) -> None:
    with bench.fresh() as clone:
        said = bench.run("make", "demo", cwd=clone, env=bare(clone.parent / "bin"), timeout=1500)
        missing = [month for month in (f"2013-{each:02}" for each in range(3, 13)) if month not in said]
        if missing:
            raise Red(f"no line for {', '.join(missing)}: {said[-600:]}")
        if not (clone / "headgate-demo" / "months.svg").is_file():
            raise Red("no plot")


@SUITE.row(
    "show-make-test",
    "make test succeeds as the first command ever typed in a fresh clone, its tests end within 8 minutes on 2 cores "
    "and it prints what it did not run",
    "make test",
)
def test_first(bench: Bench) -> Measured:
    with bench.fresh() as clone:
        said = bench.run("make", "test", cwd=clone, env=bare(clone.parent / "bin"), timeout=2400).strip()
    if "not run" not in said or "make test-full" not in said:
        raise Red("it does not say what it did not run")
    return Measured(tally(said)[1], 480)


@SUITE.row("1-ci", ".ci/run runs check, test and test-full from nothing in under 20 minutes on 2 cores", ".ci/run")
def ci(bench: Bench) -> Measured:
    with bench.fresh() as clone:
        begun = monotonic()
        said = bench.run(".ci/run", cwd=clone, timeout=3600)
    for target in ("check", "test", "test-full"):
        if f"=== make {target}\n" not in said:
            raise Red(f"it did not run make {target}")
    return Measured(round(monotonic() - begun, 1), 1200)
