"""What a recipe prints and says of its progress, taken in without ever holding much of it. Called by the warden."""

import contextlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

HEAD_BYTES: Final = 1 << 20
"""How much of what was printed first is kept, and as much of what was printed last."""
_STEP_LETTERS: Final = 200
_METRICS: Final = 1000
_READ: Final = 1 << 20


@dataclass
class Printed:
    """Keeps the beginning and the end of what is printed, however much it is."""

    head: Path
    end: Path
    written: int = 0
    passed: int = 0
    """Bytes behind the beginning, of which the last are kept."""
    tail: bytearray = field(default_factory=bytearray)

    def take(self, chunk: bytes) -> None:
        """Take in what was printed; where the disk is full, the recipe goes on and its words are lost."""
        room = HEAD_BYTES - self.written
        if room > 0:
            with contextlib.suppress(OSError), self.head.open("ab") as file:
                file.write(chunk[:room])
            self.written += min(room, len(chunk))
            chunk = chunk[room:]
        self.passed += len(chunk)
        self.tail += chunk
        if len(self.tail) > 2 * HEAD_BYTES:
            del self.tail[:-HEAD_BYTES]

    def put_down(self) -> None:
        """Write the end of what was printed so far where a person can read it."""
        if not self.passed:
            return
        last = bytes(self.tail[-HEAD_BYTES:])
        left_out = self.passed - len(last)
        gap = f"\n... {left_out:,} bytes left out ...\n".encode() if left_out else b""
        aside = self.end.with_suffix(".aside")
        with contextlib.suppress(OSError):
            aside.write_bytes(gap + last)
            aside.replace(self.end)


@dataclass
class Progress:
    """What a recipe says of itself: how far it is, what it is doing, what it measured."""

    path: Path
    done: float = 0.0
    step: str = "starting"
    metrics: dict[str, float] = field(default_factory=dict)
    offset: int = 0
    left: bytes = b""

    def read(self) -> None:
        """Take in the lines that are new; what is no such line is passed over."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                new = file.read(_READ)
        except OSError:
            return
        self.offset += len(new)
        *lines, self.left = (self.left + new).split(b"\n")
        self.left = self.left[-_READ:]
        for line in lines:
            self._hear(line.strip())

    def _hear(self, line: bytes) -> None:
        words: Any
        try:
            words = msgspec.json.decode(line)
        except msgspec.DecodeError:
            share, _, text = line.decode(errors="replace").partition(" ")
            words = {"done": share, "step": text} if _number(share) is not None else None
        if isinstance(words, (int, float)):
            words = {"done": words}
        if not isinstance(words, dict):
            return
        done, step, metric, value = (words.get(each) for each in ("done", "step", "metric", "value"))
        if (share_done := _number(done)) is not None:
            self.done = min(1.0, max(0.0, share_done))
        if isinstance(step, str) and step:
            self.step = " ".join(step.split())[:_STEP_LETTERS]
        if isinstance(metric, str) and (measured := _number(value)) is not None and len(self.metrics) < _METRICS:
            self.metrics[metric[:_STEP_LETTERS]] = measured


def _number(value: object) -> float | None:
    """A finite number, also in digits; None for anything else."""
    if not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
