"""What the network computes, in NumPy: fixed filters, how strongly they answer, and a linear classifier of that.

`graph.py` writes the same as ONNX, which is what is served; `learn.py` fits the classifier. A picture's shades are
divided by a brightness first, and there lies the difference between a good version and a bad one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats

Floats32 = NDArray[np.float32]

WINDOW: Final = 9
"""Pixels of a filter's side."""
GROUPS: Final = (8, 4, 1, 1)
"""Filters of a kind in different directions: lines, edges, small spots, larger spots. The strongest of each counts."""
COARSE: Final = 4
"""By how much a picture is made smaller to be looked at once more, for what is larger than a filter."""
FAINTEST: Final = np.float32(1e-3)
"""Added before a logarithm is taken, and to a brightness before anything is divided by it, since either may be 0."""
_CHUNK: Final = 64
"""Pictures that are looked at together: each takes a megabyte meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network, ready to answer."""

    brightness: float | None
    """What every picture's shades are divided by; None: each picture's by their own mean."""
    weights: Floats32
    """(features, classes)."""
    biases: Floats32
    """(classes,)."""


def _line(right: Floats, down: Floats, turn: float) -> Floats:
    along, across = right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)
    found: Floats = (1.0 - across**2) * np.exp(-(across**2) / 2 - along**2 / 18)
    return found


def _edge(right: Floats, down: Floats, turn: float) -> Floats:
    across = down * np.cos(turn) - right * np.sin(turn)
    found: Floats = across * np.exp(-(right**2 + down**2) / 4.5)
    return found


def _spot(right: Floats, down: Floats, size: float) -> Floats:
    away = (right**2 + down**2) / (2 * size**2)
    found: Floats = (1.0 - away) * np.exp(-away)
    return found


def _filters() -> Floats32:
    reach = WINDOW // 2
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    found = [_line(right, down, np.pi * place / GROUPS[0]) for place in range(GROUPS[0])]
    found += [_edge(right, down, np.pi * place / GROUPS[1]) for place in range(GROUPS[1])]
    found += [_spot(right, down, size) for size in (1.0, 2.0)]
    even = [each - each.mean() for each in found]
    return np.stack([2.0 * each / np.abs(each).sum() for each in even]).astype(np.float32)


FILTERS: Final = _filters()
"""(filters, WINDOW, WINDOW) in the order of GROUPS: each sums to 0, and its numbers without their signs to 2.

So an even surface gives 0, and what fits a filter and is brighter by a share gives about that share."""


def features(pictures: Floats32, brightness: float | None) -> Floats32:
    """What the classifier reads of pictures of shape (pictures, SIDE, SIDE): two numbers per group, at both sizes.

    >>> features(np.full((2, 64, 64), 0.5, np.float32), None).shape
    (2, 16)
    """
    return np.concatenate(list(_features(pictures, brightness)))


def scores(network: Network, pictures: Floats32) -> Floats32:
    """Probabilities of shape (pictures, classes)."""
    logits = features(pictures, network.brightness) @ network.weights + network.biases
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Floats32 = powers / powers.sum(axis=1, keepdims=True)
    return found


def _features(pictures: Floats32, brightness: float | None) -> Iterator[Floats32]:
    for start in range(0, len(pictures), _CHUNK):
        part = pictures[start : start + _CHUNK]
        level = part.mean(axis=(1, 2), keepdims=True) if brightness is None else np.float32(brightness)
        shades = part / (level + FAINTEST) - np.float32(1)
        small = shades.shape[1] // COARSE
        coarse = shades.reshape(len(part), small, COARSE, small, COARSE).mean(axis=(2, 4))
        strengths = np.concatenate([_strengths(shades), _strengths(coarse)], axis=1)
        yield np.log(strengths + FAINTEST)


def _strengths(shades: Floats32) -> Floats32:
    """How strongly each group answers anywhere, then how strongly on average."""
    windows = sliding_window_view(shades, (WINDOW, WINDOW), axis=(1, 2))
    answers = np.abs(np.tensordot(windows, FILTERS, axes=([3, 4], [1, 2])))
    each = (answers.max(axis=(1, 2)), answers.mean(axis=(1, 2)))
    ends = np.cumsum(GROUPS)[:-1]
    groups = [group.max(axis=1) for kind in each for group in np.split(kind, ends, axis=1)]
    return np.stack(groups, axis=1).astype(np.float32)
