"""A replay's clock: moved in one process, seen in all, kept through the death of who moved it."""

import subprocess
import sys
from pathlib import Path

import pytest

from headgate.store.replayclock import ReplayClock
from headgate.vocabulary import Micros


def test_it_begins_at_zero_and_remembers(tmp_path: Path) -> None:
    assert ReplayClock(tmp_path / "clock").now() == 0
    ReplayClock(tmp_path / "clock").move_to(Micros(7))
    assert ReplayClock(tmp_path / "clock").now() == 7


def test_it_never_goes_back(tmp_path: Path) -> None:
    clock = ReplayClock(tmp_path / "clock")
    clock.move_to(Micros(7))
    clock.move_to(Micros(7))
    with pytest.raises(ValueError, match="never goes back"):
        clock.move_to(Micros(6))
    assert clock.now() == 7


def test_another_process_moves_it(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = ReplayClock(path)
    script = "import sys, pathlib; from headgate.store.replayclock import ReplayClock;"
    script += "ReplayClock(pathlib.Path(sys.argv[1])).move_to(1362096000000000)"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)
    assert clock.now() == 1_362_096_000_000_000
