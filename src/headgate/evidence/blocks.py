"""Differences between arms, block by block: for values that every request has, where traffic is split.

A block is a few consecutive inputs that were routed with the same probability. Which of them the candidate got is
chance, so the difference of the arms' means has the candidate's true effect on just these inputs as its mean,
whatever happens to traffic from block to block.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from headgate.errors import BadInput
from headgate.evidence.allocation import Bools
from headgate.evidence.mixture import Floats

LARGEST: Final = 1000
"""Inputs of the largest block: a smaller arm than a thousandth waits for several."""


def block_size(share: float) -> int:
    """Inputs of a block where the candidate has `share` of them: as many as the smaller arm makes necessary.

    >>> block_size(0.5), block_size(0.25), block_size(0.99)
    (2, 4, 100)
    """
    return min(max(2, round(1 / min(share, 1.0 - share))), LARGEST)


def block_differences(candidate: Bools, shares: Floats, values: Floats, size: int) -> Floats:
    """The candidate's mean less the live version's in every block of `size` inputs that has both, in order.

    Inputs are one worker's, in the order of its journal, so that blocks do not depend on values or on labels. A value
    that never came (its label expired) is NaN and left out. What is left of a run of one share is no block.
    Values in [low, high] give differences in [low - high, high - low].

    Raises BadInput when `size` is below two, or the three are of different lengths.

    >>> arms, shares = np.array([False, True, False, False]), np.full(4, 0.5)
    >>> block_differences(arms, shares, np.array([0.0, 1.0, 1.0, 1.0]), 2).tolist()
    [1.0]
    """
    if size < 2:
        raise BadInput("size", "range", "a block needs room for both arms: at least 2")
    if not len(candidate) == len(shares) == len(values):
        raise BadInput("values", "length", "must be one per input, as arms and shares")
    rows = _in_blocks(shares, size)
    arms, found = candidate[rows], values[rows]
    known = ~np.isnan(found)
    with np.errstate(invalid="ignore"):
        ours, theirs = (
            np.where(mask, found, 0.0).sum(axis=1) / mask.sum(axis=1) for mask in (arms & known, ~arms & known)
        )
    differences: Floats = ours - theirs
    return differences[~np.isnan(differences)]


def runs_of(shares: Floats) -> list[slice]:
    """The stretches in which the share stays what it is, in order.

    >>> runs_of(np.array([0.1, 0.1, 0.5]))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    bounds = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(shares)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if start < stop]


def _in_blocks(shares: Floats, size: int) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """(blocks, size): places of inputs, no block across a change of the share."""
    blocks = [place for run in runs_of(shares) for place in range(run.start, run.stop - size + 1, size)]
    return np.array(blocks, np.intp)[:, None] + np.arange(size)
