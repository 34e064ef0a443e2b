"""An environment for each peer, so that its pins never meet ours. Called by `__main__`."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import ServerFailed, last_words

from headgate.store.atomic import locked

PINS: Final = Path(__file__).parent
_STAMP: Final = ".pins"
_INSTALL_S: Final = 1800


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds one peer."""

    bin: Path

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    def variables(self, home: Path) -> dict[str, str]:
        """What a process of this environment sees: its own programs first, one thread, nothing of the caller's."""
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        path = os.pathsep.join((str(self.bin.resolve()), os.environ.get("PATH", os.defpath)))
        return {**kept, **threads, "PATH": path, "HOME": str(home.resolve()), "DO_NOT_TRACK": "1"}

    def run(self, arguments: list[str], home: Path) -> None:
        """Run this environment's Python to its end; ServerFailed with its last words when it fails."""
        done = subprocess.run(
            [self.python, *arguments],
            env=self.variables(home),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise ServerFailed(f"{Path(arguments[0]).name} failed: {last_words(done.stderr or done.stdout)}")


def pins(name: str) -> dict[str, str]:
    """The versions that stand in ``NAME.txt``, by package."""
    lines = (PINS / f"{name}.txt").read_text().split()
    return dict(line.split("==", 1) for line in lines)


def make(name: str, root: Path) -> Environment:
    """The environment of `name` under `root`, made anew when its pins or the Python changed; one at a time."""
    folder = (root / name).resolve()
    wanted = hashlib.sha256((PINS / f"{name}.txt").read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / _STAMP
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f"{name}.lock")):
        if not stamp.exists() or stamp.read_text() != wanted:
            _command("python -m venv", [sys.executable, "-m", "venv", "--clear", str(folder)])
            install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--requirement"]
            _command("pip install", [str(folder / "bin" / "python"), *install, str(PINS / f"{name}.txt")])
            stamp.write_text(wanted)
    return Environment(folder / "bin")


def _command(what: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        raise ServerFailed(f"{what} took longer than {_INSTALL_S} s") from None
    if done.returncode:
        raise ServerFailed(f"{what} failed: {last_words(done.stderr or done.stdout)}")
