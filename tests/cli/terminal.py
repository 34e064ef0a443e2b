"""What a person at a terminal sees of a program that draws: bars, colours, lines written over."""

import os
import pty
import re
import subprocess
from pathlib import Path


def on_a_terminal(command: list[str], *, cwd: Path | None = None) -> str:
    """What a terminal of 120 columns was told, colours and cursor movements taken out; the program must succeed."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    said = bytearray()
    try:
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end closed: the program is over
                break
            if not chunk:
                break
            said += chunk
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode("utf-8", "replace")).replace("\r", "\n")
