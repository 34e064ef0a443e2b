"""How strange an embedding is beside those of a reference, for texts and images: two of the scores `drift` watches.

The distance to the nearest of the reference's k-means centres, and which centre that is, by size: what is far from all
of them is new, and more of one kind than before is a change though all of it is known. Centres are fitted on rows that
are then not compared with; see `evidence.ranks`.
"""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from headgate.errors import BadInput
from headgate.evaluation.estimate import Floats

DISTANCE, KIND = "distance", "kind"
"""Names of the scores."""
CENTRES: Final = 8
"""Kinds that are told apart: of the smallest reference, 200 rows, a quarter is fitted on, six rows for each."""
ROUNDS: Final = 25
"""Of moving the centres; they hardly move any more by then."""
_FARTHEST: Final = 1e100
"""Squares of what lies beyond could not be added up."""


class Embedding(msgspec.Struct, frozen=True, tag="embedding"):
    """Strangeness of embeddings, fitted.

    >>> random = np.random.default_rng(0)
    >>> embedding = Embedding.of(random.normal(size=(500, 4)))
    >>> scores, faults = embedding.scored(np.zeros((2, 4)))
    >>> scores.shape, embedding.members, faults
    ((2, 2), ('distance', 'kind'), {})
    """

    centres: tuple[tuple[float, ...], ...]
    """From the one with the most rows on."""

    @classmethod
    def of(cls, vectors: NDArray[Any], *, centres: int = CENTRES, seed: int = 0) -> "Embedding":
        """Fitted on some rows of a reference, (rows, dimensions); BadInput where one is no vector of numbers.

        Lloyd 1982, "Least squares quantization in PCM", from the seeds of Arthur and Vassilvitskii 2007, "k-means++".
        """
        checked = _checked(vectors)
        if isinstance(checked, str):
            raise BadInput("vectors", "number", checked)
        if not len(checked):
            raise BadInput("vectors", "empty", "there must be one to fit on")
        return cls(_centres(checked, centres, seed))

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the scores."""
        return (DISTANCE, KIND)

    def scored(self, vectors: NDArray[Any]) -> tuple[Floats, dict[str, str]]:
        """The scores of some rows, (rows, members), and by member why it has none, which is NaN there.

        All of them are at fault where one row is no vector of numbers of the reference's length.
        """
        centres = np.array(self.centres)
        checked = _checked(vectors, centres.shape[1])
        if isinstance(checked, str):
            return np.full((len(vectors), len(self.members)), np.nan), dict.fromkeys(self.members, checked)
        squared = _distances(checked, centres)
        return np.stack((np.sqrt(squared.min(axis=1)), squared.argmin(axis=1).astype(np.float64)), axis=1), {}


# Not scikit-learn's: what a monitor is made of must not depend on how many threads added it up, or its state is lost.
def _centres(vectors: Floats, count: int, seed: int) -> tuple[tuple[float, ...], ...]:
    places = _seeds(vectors, min(count, len(vectors)), np.random.default_rng(seed))
    nearest = _distances(vectors, places).argmin(axis=1)
    for _ in range(ROUNDS):
        kept = np.unique(nearest)
        places = np.stack([vectors[nearest == each].mean(axis=0) for each in kept])
        nearest = _distances(vectors, places).argmin(axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=len(places)), kind="stable")
    return tuple(tuple(each) for each in places[order].tolist())


def _seeds(vectors: Floats, count: int, random: np.random.Generator) -> Floats:
    chosen = [vectors[random.integers(len(vectors))]]
    while len(chosen) < count:
        squared = _distances(vectors, np.stack(chosen)).min(axis=1)
        if not squared.sum() > 0:
            break  # fewer different rows than centres were asked for
        chosen.append(vectors[random.choice(len(vectors), p=squared / squared.sum())])
    return np.stack(chosen)


def _distances(vectors: Floats, centres: Floats) -> Floats:
    """Squared, (rows, centres)."""
    found: Floats = np.stack([np.square(vectors - each).sum(axis=1) for each in centres], axis=1)
    return found


def _checked(given: NDArray[Any], width: int | None = None) -> Floats | str:
    """Vectors of `width` numbers, of any width for None; or in words what is wrong with them."""
    if given.ndim != 2 or not given.shape[1] or (width is not None and given.shape[1] != width):
        return "there is not one vector per row, as long as the reference's"
    if given.dtype.kind not in "iuf":
        return "the vectors are not of numbers"
    vectors: Floats = given.astype(np.float64)
    bad = int((~(np.abs(vectors) < _FARTHEST).all(axis=1)).sum())
    if bad:
        return f"{bad:,} of {len(vectors):,} vectors have parts that are no numbers, or beyond {_FARTHEST:g}"
    return vectors
