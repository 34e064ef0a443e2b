"""Runs the documentation: every ``bash`` and ``python`` block of README.md and docs/, in order, page by page.

Each page gets an empty directory and one shell; a Python block is a program of its own in that directory, with
`>>>` in it an example that must show what it says. Blocks fenced with any other word (``console``, ``yaml``,
``text``) are shown, not run. Name pages as arguments to run those alone.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
PAGE_SECONDS = 240
"""Longest a page may take; a page is something a person would sit through."""


@dataclass(frozen=True)
class Block:
    """A fenced block that runs."""

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    r"""The blocks of a page that run, with the line each begins on.

    >>> [(block.language, block.line) for block in blocks("# x\n```bash\nls\n```\n```console\n$ ls\n```\n")]
    [('bash', 2)]
    """
    for found in FENCE.finditer(page):
        if found[1] in ("bash", "python"):
            yield Block(found[1], found[2], page.count("\n", 0, found.start()) + 1)


def script(page: Path, folder: Path) -> str:
    """One shell program that runs the blocks of a page in order, its Python blocks from files in `folder`."""
    parts = [
        "set -euo pipefail",
        "trap 'status=$?; kill $(jobs -p) 2>/dev/null || true; wait || true; exit $status' EXIT",
    ]
    for block in blocks(page.read_text(encoding="utf-8")):
        parts.append(f"echo '--- {page.name}:{block.line}' >&2")
        if block.language == "bash":
            parts.append(block.text)
        elif ">>>" in block.text:
            file = folder / f"{block.line}.txt"
            file.write_text(block.text, encoding="utf-8")
            parts.append(f"python -m doctest -o ELLIPSIS -f {file}")
        else:
            file = folder / f"{block.line}.py"
            file.write_text(block.text, encoding="utf-8")
            parts.append(f"python {file}")
    return "\n".join(parts) + "\n"


def run(page: Path) -> bool:
    """Whether every block of a page ran to its end; what it printed is shown when one did not."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="rundocs") as name:
        folder = Path(name)
        (folder / "page").mkdir()
        program, log = folder / "run.sh", folder / "log"
        program.write_text(script(page, folder), encoding="utf-8")
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/bash", str(program)],
                cwd=folder / "page",
                env=os.environ | {"PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                status: int | None = process.wait(PAGE_SECONDS)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if status != 0:
            print(log.read_text(encoding="utf-8", errors="replace"))
            print(f"{page.name}: {'took too long' if status is None else f'ended with {status}'}")
        return status == 0


def main(names: list[str]) -> int:
    """0 when every page ran, 1 otherwise."""
    pages = [Path(each).resolve() for each in names] or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    failed = []
    for page in pages:
        count = len(list(blocks(page.read_text(encoding="utf-8"))))
        if count and not run(page):
            failed.append(page.name)
        elif count:
            print(f"{page.name}: {count} blocks ran")
    print(f"failed: {', '.join(failed)}" if failed else "every page ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
