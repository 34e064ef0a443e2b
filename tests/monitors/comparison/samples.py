"""Samples of numbers in the shapes that columns have."""

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.float64]
SHAPES = (
    "normal", "far from zero", "coarse floats", "heavy", "both tails", "often zero",
    "two decimals", "whole", "constant",
)  # fmt: skip


def drawn(shape: str, rows: int, seed: int, shift: float = 0.0) -> Sample:
    """So many rows of a shape, `shift` standard deviations further on."""
    random = np.random.default_rng(seed)
    normal = random.normal(shift, 1.0, rows)
    shapes = {
        "normal": normal,
        "far from zero": normal + 1e9,
        "coarse floats": normal + 1e14,
        "heavy": np.exp(3 * normal),
        "both tails": normal / (random.random(rows) + 1e-6),
        "often zero": np.where(random.random(rows) < 0.4, 0.0, np.exp(normal)),
        "two decimals": np.round(normal, 2),
        "whole": np.floor(40 * normal),
        "constant": np.full(rows, 7.0 + shift),
    }
    return shapes[shape]
