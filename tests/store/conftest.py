"""Real processes that start at the same moment."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Together = Callable[..., list[str]]


@pytest.fixture
def together() -> Together:
    """Runs ``workers.py`` once per list of arguments, all let go at once; what each printed, in order."""

    def run(*arguments: list[str]) -> list[str]:
        program = [sys.executable, str(Path(__file__).with_name("workers.py"))]
        with contextlib.ExitStack() as stack:
            workers = []
            for each in arguments:
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
                worker = stack.enter_context(subprocess.Popen([*program, *each], **pipes))  # type: ignore[call-overload]
                stack.callback(worker.kill)
                workers.append(worker)
            for worker in workers:
                assert worker.stdout.readline() == "ready\n"
            for worker in workers:
                worker.stdin.write("go\n")
                worker.stdin.flush()
            said = [worker.communicate(timeout=120)[0].strip() for worker in workers]
            assert [worker.returncode for worker in workers] == [0] * len(workers)
            return said

    return run
