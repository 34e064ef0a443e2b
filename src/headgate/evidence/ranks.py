"""How far up a score comes among those before it: p-values that are even and independent while nothing changes.

    p_t = (#{s_i > s_t} + U_t #{s_i = s_t}) / (n + 1)

over the n scores s_i of a reference and of what came since, and s_t itself, which is one of the equal ones: p-values of
a smoothed conformal predictor (Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world", chapter 2).
As long as all of them are exchangeable, p_1, p_2, ... are independent and uniform, whatever the scores are distributed
like. A season makes the comparison one within the season, say the hour of the week (chapter 4, Mondrian predictors):
scores then have to be exchangeable within each season alone, and what comes and goes with the hour is no change.

Scores are counted in bins, so a bag of them has a fixed size however many there are and a place costs the logarithm of
the number of bins. The bins' edges come from scores that are not in the bag: a fixed function of scores keeps them
exchangeable. Each edge is a bin by itself, so that scores of which there are few different ones stay apart.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evidence.mixture import Floats

Ints = NDArray[np.int64]
Bins = NDArray[np.int16]
EDGES: Final = 63
"""Edges where there is one season: places are known to a hundredth, which is finer than the bets need."""
SEASONAL_EDGES: Final = 15
"""Edges where there are many, each with a bag of its own."""
_LARGEST: Final = float(np.finfo(np.float64).max)


class Reference(msgspec.Struct, frozen=True):
    """Scores to compare with, as a value that is kept: which bins there are, and how many scores were in each.

    >>> reference = Reference.of(np.arange(10.0), np.arange(1000.0) % 10)
    >>> reference.bins(np.array([-1.0, 0.0, 0.5, 9.0])).tolist(), reference.size
    ([0, 1, 2, 19], 1000)
    """

    edges: tuple[float, ...]
    """Ascending."""
    counts: bytes
    """Scores of each bin of each season, as unsigned 32-bit numbers, little-endian."""
    seasons: int = 1
    seed: int = 0
    """Of the draws that break ties, 64 bits."""

    @classmethod
    def of(
        cls, fitting: Floats, scores: Floats, *, at: Ints | None = None, seasons: int = 1, seed: int = 0
    ) -> "Reference":
        """Edges at quantiles of the scores `fitting`, and other `scores` to compare with, of the seasons `at`.

        Neither may have been chosen by its values. Raises BadInput where `fitting` is empty, a score is no number or a
        season is none.
        """
        if not len(fitting):
            raise BadInput("fitting", "empty", "bins need at least one score")
        ordered = np.sort(clipped(fitting))
        count = EDGES if seasons == 1 else SEASONAL_EDGES
        # Of the scores themselves: between two of them a quantile could lie where no score ever is.
        edges = np.unique(ordered[np.linspace(0, len(ordered) - 1, count).round().astype(np.intp)])
        empty = cls(tuple(edges.tolist()), bytes(4 * seasons * (2 * len(edges) + 1)), seasons, seed)
        return msgspec.structs.replace(empty, counts=packed(empty.counted(empty.bins(scores), _seasons(at, scores))))

    @property
    def width(self) -> int:
        """Bins: below, between and above the edges, and each edge."""
        return 2 * len(self.edges) + 1

    @property
    def size(self) -> int:
        """Scores to compare with."""
        return int(self.unpacked(self.counts).sum())

    def bins(self, scores: Floats) -> Bins:
        """In which bin each score is; BadInput where one is no number."""
        edges, scores = np.array(self.edges), clipped(scores)
        places = np.searchsorted(edges, scores, "left") + np.searchsorted(edges, scores, "right")
        return places.astype(np.int16)

    def counted(self, bins: Bins, at: Ints) -> Ints:
        """How many there are of each bin in each season, (seasons, bins); BadInput for a season there is not."""
        if len(at) != len(bins) or not bool(((at >= 0) & (at < self.seasons)).all()):
            raise BadInput("seasons", "range", f"must be one per score, from 0 to {self.seasons - 1}")
        found = np.bincount(at * self.width + bins, minlength=self.seasons * self.width)
        return found.reshape(self.seasons, self.width)

    def unpacked(self, counts: bytes) -> Ints:
        """Counts as they are kept, as (seasons, bins); BadInput where they are not of these bins."""
        if len(counts) != 4 * self.seasons * self.width:
            raise BadInput("counts", "length", "are not of this reference's bins; begin anew")
        return np.frombuffer(counts, "<u4").astype(np.int64).reshape(self.seasons, self.width)


def packed(counts: Ints) -> bytes:
    """Counts as they are kept.

    >>> packed(np.array([[1, 2]])).hex()
    '0100000002000000'
    """
    return counts.astype("<u4").tobytes()


def _seasons(at: Ints | None, scores: Floats) -> Ints:
    return np.zeros(len(scores), np.int64) if at is None else at


def clipped(scores: Floats) -> Floats:
    """Scores with the infinite ones as the largest numbers there are; BadInput where one is no number.

    >>> bool(np.isfinite(clipped(np.array([np.inf, 1.0]))).all())
    True
    """
    if bool(np.isnan(scores).any()):
        raise BadInput("scores", "number", "must be numbers; what is missing needs a score of its own")
    return np.clip(scores, -_LARGEST, _LARGEST)


def draws(seed: int, seen: int, count: int) -> Floats:
    """`count` numbers evenly between 0 and 1, neither included: a function of the seed and of how many were before.

    SplitMix64 of Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": a counter and three
    multiplications, so that going on needs no state.

    >>> bool((draws(7, 2, 3) == draws(7, 0, 5)[2:]).all())
    True
    """
    mixed = np.arange(seen + 1, seen + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    # 52 bits and a half are a number exactly; with one bit more the largest would be rounded to 1.
    found: Floats = ((mixed >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return found


class Bags:
    """Several bags of counted scores that the same rows go through, one lane each; changed in place."""

    def __init__(self, references: Sequence[Reference], counts: Sequence[bytes]) -> None:
        """Raises BadInput where the references have not the same seasons, or counts are not of their bins."""
        self._widths = [each.width for each in references]
        self._fresh = self._stacked(references, [each.counts for each in references])
        self._counts = self._stacked(references, counts)

    def _stacked(self, references: Sequence[Reference], counts: Sequence[bytes]) -> Ints:
        if len({each.seasons for each in references}) != 1:
            raise BadInput("seasons", "length", "lanes that are watched together need the same seasons")
        stacked = np.zeros((len(counts), references[0].seasons, max(self._widths)), np.int64)
        for lane, (reference, each) in enumerate(zip(references, counts, strict=True)):
            stacked[lane, :, : reference.width] = reference.unpacked(each)
        return stacked

    def places(self, bins: Bins, at: Ints, uniform: Floats) -> Floats:
        """The p-values of a few rows, (rows, lanes), each compared with the bags and with the rows before it."""
        kinds, place = np.unique(at, return_inverse=True)
        counts = self._counts[:, kinds]
        above = counts.sum(axis=2, keepdims=True) - np.cumsum(counts, axis=2)
        lanes = np.arange(bins.shape[1])
        larger, equal = above[lanes, place[:, None], bins], counts[lanes, place[:, None], bins]
        before = np.tri(len(at), k=-1, dtype=np.bool_) & (at[:, None] == at)
        larger += ((bins > bins[:, None]) & before[:, :, None]).sum(axis=1)
        equal += ((bins == bins[:, None]) & before[:, :, None]).sum(axis=1)
        size = counts.sum(axis=2).T[place] + before.sum(axis=1)[:, None]
        found: Floats = (larger + uniform * (equal + 1)) / (size + 1)
        return found

    def add(self, bins: Bins, at: Ints) -> None:
        """Put rows into the bags."""
        lanes = np.arange(bins.shape[1])
        # The same bin may occur several times, which an ordinary sum of places would count once.
        np.add.at(self._counts, (lanes[None, :], at[:, None], bins), 1)

    def restart(self, lanes: NDArray[np.bool_]) -> None:
        """Have these lanes hold their references and nothing else."""
        self._counts[lanes] = self._fresh[lanes]

    def kept(self) -> list[bytes]:
        """The counts of each lane."""
        return [packed(each[:, :width]) for each, width in zip(self._counts, self._widths, strict=True)]
