"""Whatever a recipe does to its machine, it ends, alone, and says why."""

import os
import time

import pytest
from tests.retraining.recipes.conftest import Runs

from headgate.retraining.recipes import processes
from headgate.retraining.recipes.recipe import Limits, RecipeState
from headgate.retraining.recipes.workshop import Workshop

pytestmark = pytest.mark.full


def gone(workshop: Workshop, run_id: str = "r1") -> bool:
    """Whether no process of a run is left."""
    return processes.carrying(f"HEADGATE_OUTPUT={workshop.folder(run_id) / 'out'}") == []


def test_one_that_hangs_and_passes_over_signals_is_ended(runs: Runs, workshop: Workshop) -> None:
    body = """
        import signal, subprocess, time

        def train(data):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen(["sleep", "1000"], start_new_session=True)
            data.checkpoint.joinpath("part").touch()
            time.sleep(1000)
    """
    standing = runs(body, limits=Limits(seconds=3))
    assert (standing.state, standing.why) == (RecipeState.FAILED, "not done within 3 s, its limit")
    assert standing.seconds < 30
    assert gone(workshop)
    assert (workshop.folder("r1") / "checkpoint" / "part").exists()


def test_one_that_eats_memory_is_ended(runs: Runs, workshop: Workshop) -> None:
    body = """
        def train(data):
            held = []
            while True:
                held.append(bytearray(b"x" * (1 << 20)))
    """
    standing = runs(body, limits=Limits(memory_mb=300))
    assert standing.state is RecipeState.FAILED
    assert "over 300 MiB, its limit" in standing.why or "MemoryError" in standing.why
    assert gone(workshop)


def test_memory_of_what_it_starts_counts(runs: Runs, workshop: Workshop) -> None:
    body = """
        import os, time

        def train(data):
            for _ in range(3):
                if os.fork() == 0:
                    held = os.urandom(100 << 20)
                    time.sleep(1000)
            time.sleep(1000)
    """
    standing = runs(body, limits=Limits(memory_mb=300))
    assert standing.state is RecipeState.FAILED
    assert "over 300 MiB, its limit" in standing.why
    assert gone(workshop)


def test_one_that_fills_the_disk_is_ended_and_its_files_with_it(runs: Runs, workshop: Workshop) -> None:
    body = """
        import tempfile, time

        def train(data):
            for each in range(40):
                with tempfile.NamedTemporaryFile(delete=False, dir=[None, data.checkpoint][each % 2]) as file:
                    file.write(bytes(1 << 20))
            time.sleep(1000)
    """
    standing = runs(body, limits=Limits(disk_mb=20))
    assert standing.state is RecipeState.FAILED
    assert "over 20 MiB, its limit" in standing.why
    assert [each.name for each in workshop.folder("r1").iterdir() if each.is_dir()] == ["code"]


def test_no_single_file_grows_beyond_the_limit_wherever_it_lies(runs: Runs, tmp_path: object) -> None:
    body = f"""
        def train(data):
            with open({str(tmp_path)!r} + "/large", "wb") as file:
                file.write(bytes(30 << 20))
    """
    standing = runs(body, limits=Limits(disk_mb=20))
    assert "File too large" in standing.why


def test_one_that_prints_without_end_is_heard_in_part(runs: Runs, workshop: Workshop) -> None:
    body = """
        import sys

        def train(data):
            sys.stdout.write("the beginning\\n")
            for _ in range(20):
                sys.stdout.write("x" * (1 << 20))
            sys.stdout.write("\\nthe end\\n")
            raise ValueError("enough")
    """
    standing = runs(body, limits=Limits(disk_mb=10))
    assert standing.why.startswith("the recipe raised ValueError: enough")
    log = workshop.log("r1")
    assert log.startswith("the beginning")
    assert "the end\nTraceback" in log
    assert len(log) < 3 << 20


def test_what_it_leaves_running_ends_with_it(runs: Runs, workshop: Workshop) -> None:
    body = """
        import os, time

        def train(data):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(1000)
                os._exit(0)
            os.wait()
    """
    before = time.monotonic()
    assert "returned nothing" in runs(body).why
    assert gone(workshop)
    assert time.monotonic() - before < 60


def test_threads_and_secrets_are_what_they_should_be(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_STORE", "postgresql://me:hush@host/db")
    monkeypatch.setenv("HEADGATE_KEY", "hush")
    body = """
        import os

        def train(data):
            raise ValueError(f"{os.environ['OMP_NUM_THREADS']} {'hush' in str(os.environ)} {os.nice(0)}")
    """
    standing = runs(body, limits=Limits(threads=2))
    assert f"ValueError: 2 False {max(10, os.nice(0))}" in standing.why
