"""Differences between arms, block by block: for values that every request has, where traffic is split.

A block is a few consecutive inputs that were routed with the same probability. Which of them the candidate got is
chance, so the difference of the arms' means has the candidate's true effect on just these inputs as its mean,
whatever happens to traffic from block to block.
"""

from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.evidence.allocation import Bools
from headgate.evidence.mixture import Floats

LARGEST: Final = 1000
"""Inputs of a block at most, however small an arm's share."""


class Rest(msgspec.Struct, frozen=True):
    """The inputs at the end of a history that do not fill a block yet, as a value: the next block begins with them.

    Blocks then do not depend on where a history was cut. Keep it as MessagePack: JSON has no NaN, which a value is
    that never came.

    >>> arms, shares, lost = np.array([False, True, True]), np.full(3, 0.5), np.array([0.0, 1.0, 1.0])
    >>> Rest.of(arms, shares, lost)
    Rest(share=0.5, candidate=(True,), values=(1.0,))
    """

    share: float = 0.0
    candidate: tuple[bool, ...] = ()
    values: tuple[float, ...] = ()

    @classmethod
    def of(cls, candidate: Bools, shares: Floats, values: Floats) -> "Rest":
        """What blocks of `block_size` leave over at the end."""
        runs = runs_of(shares)
        if not runs or not is_split(share := float(shares[-1])):
            return cls()
        start = len(shares) - (runs[-1].stop - runs[-1].start) % block_size(share)
        return cls(share, tuple(candidate[start:].tolist()), tuple(values[start:].tolist()))

    def followed_by(self, candidate: Bools, shares: Floats, values: Floats) -> tuple[Bools, Floats, Floats]:
        """These inputs, and then more: whose each is, with which share, and its value."""
        mine = np.array(self.candidate, np.bool_)
        return (
            np.concatenate((mine, candidate)),
            np.concatenate((np.full(len(mine), self.share), shares)),
            np.concatenate((np.array(self.values, np.float64), values)),
        )


def block_differences(
    candidate: Bools, shares: Floats, values: Floats, size: int | None = None, *, factor: float = 1.0
) -> Floats:
    """The candidate's mean less `factor` times the live version's, in every block that has both, in order.

    A block has `size` inputs, or as many as `block_size` says. Inputs are one worker's, in the order of its journal, so
    that blocks do not depend on values or on labels. A value that never came (its label expired) is NaN and left out.
    What is left of a run of one share is no block. Values in [0, high] give differences in [-factor high, high].

    Raises BadInput when `size` is below two, or the three are of different lengths.

    >>> arms, shares = np.array([False, True, False, False]), np.full(4, 0.5)
    >>> block_differences(arms, shares, np.array([0.0, 1.0, 1.0, 1.0]), 2).tolist()
    [1.0]
    """
    if size is not None and size < 2:
        raise BadInput("size", "range", "a block needs room for both arms: at least 2")
    if not len(candidate) == len(shares) == len(values):
        raise BadInput("values", "length", "must be one per input, as arms and shares")
    found: list[Floats] = [np.empty(0)]
    for run in runs_of(shares):
        share = float(shares[run.start])
        if size is not None or is_split(share):
            found.append(_differences(candidate[run], values[run], size or block_size(share), factor))
    return np.concatenate(found)


def block_size(share: float) -> int:
    """So many inputs that the smaller arm has about one of them: from 2 to LARGEST.

    >>> block_size(0.5), block_size(0.9), block_size(0.0001)
    (2, 10, 1000)
    """
    return min(max(2, round(1 / min(share, 1 - share))), LARGEST)


def is_split(share: float) -> bool:
    """Whether both arms may get an input of which the candidate has this share.

    >>> is_split(0.5), is_split(1.0)
    (True, False)
    """
    return 0 < share < 1


def runs_of(shares: Floats) -> list[slice]:
    """The stretches in which the share stays what it is, in order.

    >>> runs_of(np.array([0.1, 0.1, 0.5]))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    bounds = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(shares)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if start < stop]


def _differences(candidate: Bools, values: Floats, size: int, factor: float) -> Floats:
    """Those of one run."""
    whole = len(values) - len(values) % size
    ours, found = candidate[:whole].reshape(-1, size), values[:whole].reshape(-1, size)
    known = ~np.isnan(found)
    with np.errstate(invalid="ignore"):
        own, live = (
            np.where(mask, found, 0.0).sum(axis=1) / mask.sum(axis=1) for mask in (ours & known, ~ours & known)
        )
    differences: Floats = own - factor * live
    return differences[~np.isnan(differences)]
