"""Runs every check of `make check`, all of them even when one fails, and says which did."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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


def run(name: str) -> tuple[bool, float, str]:
    """Whether a check passed, the seconds it took, and all it printed."""
    begun = time.monotonic()
    program, *words = CHECKS[name]
    program = program if "/" in program else str(BIN / program)
    done = subprocess.run([program, *words], cwd=ROOT, check=False, capture_output=True, text=True)
    return done.returncode == 0, time.monotonic() - begun, done.stdout + done.stderr


def main() -> int:
    """The number of checks that failed, as an exit status of 0 or 1."""
    failed = []
    # The documentation takes as long as all others together, and mostly waits for servers to start.
    with ThreadPoolExecutor(2) as threads:
        documentation = threads.submit(run, "docs")
        others = {name: threads.submit(run, name) for name in CHECKS if name != "docs"}
        for name, check in {**others, "docs": documentation}.items():
            passed, took, said = check.result()
            print(f"{'ok  ' if passed else 'FAIL'}  {name:10} {took:5.1f} s", flush=True)
            if not passed:
                failed.append(name)
                print(said, flush=True)
    print(f"make check: {', '.join(failed)} failed" if failed else f"make check: all {len(CHECKS)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
