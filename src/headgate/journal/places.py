"""Where things stand, by name: very many names, added and looked up in batches, at sixteen bytes each.

Where it is enough to know that a name was added, it costs eight. Names are 64-bit keys, so that two of a million are
taken for one with a chance of one in thirty million. Keys mean nothing outside the process that made them.
"""

from collections.abc import Collection, Hashable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
NOWHERE: Final = -1
"""The place of what was not added."""
_Run = tuple[Keys, Keys | None]
"""Keys in order, and their places; None where all stand at 0."""


class Places:
    """A place, 0 or more, for every key that was added, each once.

    >>> places = Places()
    >>> places.add(keys_of(["a", "b"]), np.array([7, 8]))
    >>> places.find(keys_of(["b", "c"])).tolist()
    [8, -1]
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        """The oldest first."""

    def add(self, keys: Keys, places: Keys | None = None) -> None:
        """Remember where `keys` stand, none of which was added before; without `places` that they were added."""
        if not len(keys):
            return
        self._runs.append(_sorted(keys, places))
        # As in a log-structured merge tree (O'Neil 1996) each run is at least twice as long as the next.
        while len(self._runs) > 1 and len(self._runs[-2][0]) < 2 * len(self._runs[-1][0]):
            newer, older = self._runs.pop(), self._runs.pop()
            self._runs.append(_merged(older, newer))

    def find(self, keys: Keys) -> Keys:
        """The place of each of `keys`; NOWHERE for those that were not added."""
        found = np.full(len(keys), NOWHERE, np.int64)
        for held, places in self._runs:
            at = np.minimum(np.searchsorted(held, keys), len(held) - 1)
            same = held[at] == keys
            found[same] = 0 if places is None else places[at[same]]
        return found


def keys_of(names: Collection[Hashable]) -> Keys:
    """The keys of names of any kind, in their order.

    >>> len(keys_of([("request", 0), "id"]))
    2
    """
    return np.fromiter(map(hash, names), np.int64, len(names))


def _merged(older: _Run, newer: _Run) -> _Run:
    keys = np.concatenate((older[0], newer[0]))
    if older[1] is None and newer[1] is None:
        return _sorted(keys, None)
    return _sorted(keys, np.concatenate((_places(older), _places(newer))))


def _places(run: _Run) -> Keys:
    return np.zeros(len(run[0]), np.int64) if run[1] is None else run[1]


def _sorted(keys: Keys, places: Keys | None) -> _Run:
    if places is None:
        return np.sort(keys), None
    order = np.argsort(keys, kind="stable")
    return keys[order], places[order]
