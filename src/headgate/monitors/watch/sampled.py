"""Some rows of a day, evenly from all of it, as they come hour by hour: of a busy day fewer, of a quiet one all."""

from typing import Final

import msgspec
import numpy as np

from headgate.evaluation.estimate import Floats

NUMBERS: Final = 6000
"""Numbers that are held, at most: 48 kB."""


class Sampled(msgspec.Struct, frozen=True):
    """Every so manieth row. Which ones goes by their order alone, so that whoever looks when holds the same.

    >>> held = Sampled().after(np.arange(5.0).reshape(5, 1), most=4)
    >>> held.stride, held.rows(1)[:, 0].tolist()
    (2, [0.0, 2.0, 4.0])
    """

    stride: int = 1
    seen: int = 0
    """Rows that came."""
    numbers: bytes = b""
    """Of the rows that are held, one after the other, eight bytes each."""

    def after(self, rows: Floats, most: int = NUMBERS) -> "Sampled":
        """After more rows, (rows, numbers); of each the same numbers."""
        if not len(rows):
            return self
        width = max(1, rows.shape[1])
        held = np.concatenate([self.rows(width), rows[(np.arange(len(rows)) + self.seen) % self.stride == 0]])
        stride = self.stride
        while held.size > max(most, width):
            held, stride = held[::2], stride * 2
        return Sampled(stride, self.seen + len(rows), np.ascontiguousarray(held, "<f8").tobytes())

    def rows(self, width: int) -> Floats:
        """The rows that are held, of so many numbers each."""
        found: Floats = np.frombuffer(self.numbers, "<f8").reshape(-1, max(1, width))
        return found
