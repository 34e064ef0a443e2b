"""Runs the documentation: every ``bash`` and ``python`` block of README.md and docs/, in order, page by page.

Each page gets an empty directory, one shell and one Python namespace, so that a block may go on from the one
before it; the interpreter's `>>>` examples are compared with what they show. Blocks fenced with any other word
(``console``, ``yaml``, ``text``) are shown, not run. Name pages as arguments to run those alone.
"""

import doctest
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
SETUP = "set -euo pipefail\n"


@dataclass(frozen=True)
class Block:
    """A fenced block that runs."""

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that run, with the line each begins on.

    >>> [(block.language, block.line) for block in blocks("# x\\n```bash\\nls\\n```\\n```console\\n$ ls\\n```\\n")]
    [('bash', 2)]
    """
    for found in FENCE.finditer(page):
        if found[1] in ("bash", "python"):
            yield Block(found[1], found[2], page.count("\n", 0, found.start()) + 1)


def script(page: Path) -> str:
    """One shell program that runs the blocks of a page in order."""
    parts = [SETUP]
    for number, block in enumerate(blocks(page.read_text())):
        parts.append(f'echo "{page.name}:{block.line}" >"$RUNDOCS/at"\n')
        if block.language == "bash":
            parts.append(block.text)
        else:
            parts.append(f'printf "%s\\n" {number} >"$RUNDOCS/python.in"; read -r said <"$RUNDOCS/python.out"; [ "$said" = ok ]\n')
    return "\n".join(parts)


def serve_python(page: Path, folder: Path) -> None:
    """Runs the Python blocks the page's shell asks for, all in one namespace; ends when told nothing more."""
    texts = [block.text for block in blocks(page.read_text())]
    names: dict[str, object] = {"__name__": "__main__"}
    while True:
        with (folder / "python.in").open() as asked:
            number = asked.read().strip()
        said = "ok" if number and run_python(texts[int(number)], names, f"{page.name} block {number}") else "failed"
        with (folder / "python.out").open("w") as answer:
            answer.write(said + "\n")


def run_python(text: str, names: dict[str, object], where: str) -> bool:
    """Whether a block ran to its end, its `>>>` examples showing what they say."""
    if ">>>" in text:
        test = doctest.DocTestParser().get_doctest(text, names, where, where, 0)
        test.globs = names
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        return runner.run(test, clear_globs=False).failed == 0
    try:
        exec(compile(text, where, "exec"), names)  # noqa: S102 - running what the page shows is the point
    except Exception as error:  # noqa: BLE001
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True
