"""Pictures that are all but the same as an earlier one: a camera that hangs, a batch that was sent twice."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Estimate, proportion, quantile_of
from headgate.evaluation.metrics import CONFIDENCE

BITS: Final = 64
NEAR: Final = 4
"""Bits in which two fingerprints may differ and still be all but the same; two by chance differ in half of them."""
SHOWN: Final = 5
"""Pairs that are named."""
_BLOCK: Final = 256
"""Fingerprints compared with all earlier ones at once."""


class LookAlikes(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures of one window that have an earlier look-alike in it."""

    share: Estimate
    """Of all its pictures."""
    examples: tuple[tuple[int, int], ...]
    """(the later, the earlier) as places in what was given; at most five."""


def look_alikes(fingerprints: Sequence[int], *, near: int = NEAR, confidence: float = CONFIDENCE) -> LookAlikes:
    """The pictures whose `headgate.monitors.quality.pictures.Picture.fingerprint` is near that of an earlier one.

    Each is compared with every earlier one, so the time goes with the square of their number: half a second for
    20,000. Raises headgate.errors.BadInput for a confidence outside 0 to 1.

    >>> look_alikes([0b1111, 2**64 - 1, 0b1011]).examples
    ((2, 0),)
    """
    packed = np.array(fingerprints, dtype=">u8").view(np.uint8).reshape(-1, BITS // 8)
    signs = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    blocks = [_earlier(signs, start, near) for start in range(0, len(signs), _BLOCK)]
    earlier = np.concatenate([np.zeros(0, dtype=np.intp), *blocks])
    later = np.flatnonzero(earlier >= 0)
    return LookAlikes(
        share=proportion("look_alikes", len(later), len(signs), quantile_of(confidence)),
        examples=tuple((int(each), int(earlier[each])) for each in later[:SHOWN]),
    )


def _earlier(signs: NDArray[np.float32], start: int, near: int) -> NDArray[np.intp]:
    """For each of a block of fingerprints the first one that is near it; -1 where none before it is."""
    block = signs[start : start + _BLOCK]
    # The product of two is the number of bits they share less the number in which they differ.
    alike = block @ signs[: start + len(block)].T >= BITS - 2 * near
    first = alike.argmax(axis=1)
    # Every one is near itself, so there is always one.
    found: NDArray[np.intp] = np.where(first < start + np.arange(len(block)), first, -1)
    return found
