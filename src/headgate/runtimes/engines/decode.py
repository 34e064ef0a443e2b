"""What the last layer of a network said, as numbers a contract knows: logits become probabilities.

``Manifest.options["decode"]``: ``proba`` and ``number`` are taken as they are, ``softmax`` and ``sigmoid`` are applied.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from headgate.errors import BadConfiguration


def decoded(how: str, raw: Any) -> npt.NDArray[np.float64]:
    """`raw` as float64 (rows, columns).

    >>> decoded("sigmoid", np.array([[0.0]])).tolist(), decoded("softmax", np.array([[1.0, 1.0]])).tolist()
    ([[0.5]], [[0.5, 0.5]])

    Raises BadConfiguration for a word that is none of the four.
    """
    values = np.asarray(raw, np.float64)
    values = values.reshape(len(values), -1)
    match how:
        case "proba" | "number":
            return values
        case "softmax":
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            shares: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
            return shares
        case "sigmoid":
            # Each side with the exponential that cannot overflow.
            small = np.exp(-np.abs(values))
            return np.where(values >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
        case _:
            raise BadConfiguration("manifest.options.decode", "names no decoding this Headgate knows; update Headgate")
