"""The command line run in this process: what it printed, and the code it ended with."""

import json
import sys
from typing import Any

import pytest

from headgate.cli import main as command_line


class Answered:
    """What one command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def told(self) -> Any:
        """What a program reads: one JSON document."""
        assert (self.code, self.err) == (0, "")
        return json.loads(self.out)


class Run:
    """Runs one command line after the other."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str) -> Answered:
        self.monkeypatch.setattr(sys, "argv", ["headgate", *words])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        out, err = self.capsys.readouterr()
        return Answered(int(ended.value.code or 0), out, err)
