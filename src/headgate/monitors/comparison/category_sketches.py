"""What is kept of a column of categories: how often each came, in bounded memory.

Up to its capacity of distinct categories a sketch is exact. Beyond, two things are kept. The frequent categories stay
by name as a Misra-Gries summary (Misra and Gries 1982; merged as by Agarwal et al. 2012), in which every count is too
low by at most a number that is known. And all rows are counted in buckets by a hash of their category: which bucket
says nothing of how frequent a category was on which side, so a test over buckets keeps its error rate, where one over
each side's own most frequent categories would find a difference that is not there.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.monitors.comparison.distances import Counts
from headgate.vocabulary import readable

_Key = TypeVar("_Key")
CAPACITY: Final = 4096
"""Distinct categories that are told apart."""
BUCKETS: Final = 1024
"""Beyond so many categories, rows are compared by bucket, of which there are as many."""


@readable
class CategorySketch(msgspec.Struct, frozen=True):
    """Categories of one column, counted.

    >>> monday, tuesday = category_sketch({"a": 3, "b": 1}), category_sketch({"a": 1, "c": 2}, missing=1)
    >>> both = monday.merged(tuesday)
    >>> both.counts, both.rows, both.missing, both.error
    ({'a': 4, 'c': 2, 'b': 1}, 7, 1, 0)
    """

    counts: dict[str, int]
    """Rows of each category that is told apart, most first; the truth is at most `error` more."""
    rows: int = 0
    """All rows with a category."""
    missing: int = 0
    error: int = 0
    """How many rows of each category may be among `others`; 0 while the sketch is exact."""
    capacity: int = CAPACITY
    hashed: dict[int, int] | None = None
    """Rows by bucket; None while the sketch is exact, since they follow from its counts then."""

    @property
    def others(self) -> int:
        """Rows that are counted for no category by name."""
        return self.rows - sum(self.counts.values())

    @property
    def buckets(self) -> dict[int, int]:
        """All rows by the bucket of their category, exactly."""
        return _hashed(self.counts) if self.hashed is None else self.hashed

    def merged(self, other: "CategorySketch") -> "CategorySketch":
        """The sketch of both columns together; their errors add up, as far as anything had to be left out.

        Raises BadInput when the capacities are not the same.
        """
        if self.capacity != other.capacity:
            raise BadInput("capacity", "equal", "sketches are added up at one capacity")
        kept, dropped = _reduced(_sum(self.counts, other.counts), self.capacity)
        error = self.error + other.error + dropped
        return CategorySketch(
            kept,
            self.rows + other.rows,
            self.missing + other.missing,
            error,
            self.capacity,
            _sum(self.buckets, other.buckets) if error else None,
        )


def category_sketch(counts: Mapping[str, int], *, missing: int = 0, capacity: int = CAPACITY) -> CategorySketch:
    """The sketch of a column of which each category came so often.

    >>> sketch = category_sketch({"a": 5, "b": 3, "c": 1, "d": 1}, capacity=2)
    >>> sketch.counts, sketch.others, sketch.error, sum(sketch.buckets.values())
    ({'a': 4, 'b': 2}, 4, 1, 10)
    """
    kept, error = _reduced(counts, capacity)
    return CategorySketch(kept, sum(counts.values()), missing, error, capacity, _hashed(counts) if error else None)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows of both sides by cell; every row of both is in one, and in the same one whichever side it is on."""

    reference: Counts
    current: Counts
    what: str
    """What a cell is: ``categories``, or ``buckets of categories`` where there are too many of those."""


def compared_cells(reference: CategorySketch, current: CategorySketch) -> Cells:
    """Both sides in the cells that are compared.

    >>> cells = compared_cells(category_sketch({"a": 3}), category_sketch({"b": 2}))
    >>> cells.reference.tolist(), cells.current.tolist(), cells.what
    ([3, 0], [0, 2], 'categories')
    """
    names = reference.counts.keys() | current.counts.keys()
    if reference.error or current.error or len(names) > BUCKETS:
        return Cells(*_aligned(reference.buckets, current.buckets), "buckets of categories")
    return Cells(*_aligned(reference.counts, current.counts), "categories")


def _aligned(before: Mapping[_Key, int], after: Mapping[_Key, int]) -> tuple[Counts, Counts]:
    cells = sorted({*before, *after}, key=str)
    ours, theirs = (np.array([each.get(cell, 0) for cell in cells], np.int64) for each in (before, after))
    return ours, theirs


def _sum(first: Mapping[_Key, int], second: Mapping[_Key, int]) -> dict[_Key, int]:
    total = dict(first)
    for key, count in second.items():
        total[key] = total.get(key, 0) + count
    return total


def _reduced(counts: Mapping[str, int], capacity: int) -> tuple[dict[str, int], int]:
    """At most `capacity` counts, each less the largest one that found no room; and that one."""
    # By name where as frequent, so that the same rows make the same sketch in whatever order they came.
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    dropped = ranked[capacity][1] if len(ranked) > capacity else 0
    return {name: count - dropped for name, count in ranked[:capacity] if count > dropped}, dropped


def _hashed(counts: Mapping[str, int]) -> dict[int, int]:
    """Rows by bucket: CRC-32 of the name, which is the same on every machine."""
    found: dict[int, int] = {}
    for name, count in counts.items():
        bucket = zlib.crc32(name.encode()) % BUCKETS
        found[bucket] = found.get(bucket, 0) + count
    return found
