"""Runs every check of `make check`, all of them even when one fails, and says which did."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PLACES = ("src", "tests", "clients/python/src", "benchmarks", "acceptance", "tools")
TREES = [name for name in PLACES if (ROOT / name).is_dir()]
# Tests misspell on purpose; everything a person reads for itself is checked.
TEXTS = [
    *(name for name in TREES if name != "tests"),
    "docs",
    "README.md",
    "clients/python/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Makefile",
    ".ci/run",
]

CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet", *TREES],
    "lint": ["ruff", "check", "--quiet", *TREES],
    "types": ["mypy", *TREES],
    "imports": ["lint-imports", "--no-cache"],
    "spelling": ["codespell", *TEXTS],
    "examples": ["pytest", "-q", "--no-header", "src", "clients/python/src"],
    "docs": [sys.executable, "tools/rundocs.py"],
}


def main() -> int:
    """The number of checks that failed, as an exit status of 0 or 1."""
    failed = []
    for name, command in CHECKS.items():
        begun = time.monotonic()
        program = command[0] if "/" in command[0] else str(BIN / command[0])
        done = subprocess.run([program, *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True)
        took = time.monotonic() - begun
        print(f"{'ok  ' if done.returncode == 0 else 'FAIL'}  {name:10} {took:5.1f} s", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    print(f"make check: {', '.join(failed)} failed" if failed else f"make check: all {len(CHECKS)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
