"""Surfaces of phones, drawn: grain, dust that is no defect, and at most one scratch, stain or dent.

No camera saw any of them. What is drawn is how much light each point sends back; `light.py` makes a photograph of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from headgate.demo.inspection.eye import SIDE
from headgate.evaluation.estimate import Floats

OK: Final = "ok"
SCRATCH: Final = "scratch"
STAIN: Final = "stain"
DENT: Final = "dent"
CLASSES: Final = (OK, SCRATCH, STAIN, DENT)
SHARES: Final = (0.55, 0.15, 0.15, 0.15)
"""How often each of CLASSES comes along the line."""
REFLECTS: Final = 0.55
"""Share of the light that a flawless point sends back."""
CONTRASTS: Final = (0.04, 0.4)
"""Between these a defect's contrast is drawn evenly: the largest change of the light that comes back, as a share."""
MOST_DUST: Final = 6
"""Specks; every number up to it is as likely, on flawless and on damaged surfaces alike."""

_GRAIN: Final = 0.012
_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One surface, before any lamp shines on it."""

    reflects: Floats
    """(SIDE, SIDE): the share of the light that each point sends back, 0 to 1."""
    truth: str
    """What a laboratory would find."""
    contrast: float
    """How far the defect stands out, as a share of the light; 0 where there is none."""
    dust: int = 0
    """Specks of dust on it."""


def drawn(seed: int) -> Iterator[Surface]:
    """Surfaces as they come along the line, for ever; the same ones for the same seed.

    >>> first, second = next(drawn(1)), next(drawn(1))
    >>> first.truth == second.truth, bool((first.reflects == second.reflects).all())
    (True, True)
    """
    chance = np.random.default_rng(seed)
    while True:
        yield draw(CLASSES[chance.choice(len(CLASSES), p=SHARES)], chance)


def draw(truth: str, chance: np.random.Generator, *, contrast: float | None = None, dust: int | None = None) -> Surface:
    """One surface with the defect `truth`; what is not given is drawn.

    >>> draw(SCRATCH, np.random.default_rng(1), contrast=0.3).contrast
    0.3
    """
    flawed = truth != OK
    drawn_contrast = float(chance.uniform(*CONTRASTS)) if contrast is None else contrast
    specks = int(chance.integers(0, MOST_DUST + 1)) if dust is None else dust
    reflects = REFLECTS + _hue(chance) + chance.normal(0.0, _GRAIN, (SIDE, SIDE))
    if flawed:
        reflects = reflects * (1.0 + drawn_contrast * _DEFECTS[truth](chance))
    for _ in range(specks):
        reflects = reflects + REFLECTS * _speck(chance)
    return Surface(reflects.clip(0.0, 1.0), truth, drawn_contrast if flawed else 0.0, specks)


def _hue(chance: np.random.Generator) -> Floats:
    """No surface is of one shade: it changes a little from one side to the other."""
    across, along = chance.normal(0.0, 0.01, 2)
    found: Floats = across * (_COLUMNS / SIDE - 0.5) + along * (_ROWS / SIDE - 0.5)
    return found


def _frame(chance: np.random.Generator, margin: int) -> tuple[Floats, Floats]:
    """Every point's distance from a place at least `margin` from the edge, along a direction and across it."""
    row, column = chance.uniform(margin, SIDE - margin, 2)
    turn = chance.uniform(0.0, np.pi)
    right, down = _COLUMNS - column, _ROWS - row
    return right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn)


def _scratch(chance: np.random.Generator) -> Floats:
    """A thin bright line, a little bent."""
    along, across = _frame(chance, 20)
    length, width, bend = chance.uniform(24, 48), chance.uniform(0.8, 1.2), chance.normal(0.0, 0.004)
    ends = 1.0 / (1.0 + np.exp(np.abs(along) - length / 2))
    found: Floats = ends * np.exp(-((across - bend * along**2) ** 2) / (2 * width**2))
    return found


def _stain(chance: np.random.Generator) -> Floats:
    """A dark patch with a soft, uneven rim."""
    along, across = _frame(chance, 14)
    along, across = along / chance.uniform(6, 12), across / chance.uniform(6, 12)
    rim = 1.0 + 0.2 * np.sin(3 * np.arctan2(across, along) + chance.uniform(0.0, 2 * np.pi))
    found: Floats = -1.0 / (1.0 + np.exp(8.0 * (np.hypot(along, across) - rim)))
    return found


def _dent(chance: np.random.Generator) -> Floats:
    """Bright on the side that faces the lamp, dark on the other, and at most 1 either way."""
    along, across = _frame(chance, 14)
    size = chance.uniform(4, 7)
    found: Floats = along / size * np.exp(0.5 - (along**2 + across**2) / (2 * size**2))
    return found


def _speck(chance: np.random.Generator) -> Floats:
    """A bright point of dust; it may shine as bright as any scratch."""
    along, across = _frame(chance, 1)
    size, shine = chance.uniform(0.5, 0.9), chance.uniform(0.1, 0.4)
    found: Floats = shine * np.exp(-(along**2 + across**2) / (2 * size**2))
    return found


_DEFECTS: Final[Mapping[str, Callable[[np.random.Generator], Floats]]] = {
    SCRATCH: _scratch,
    STAIN: _stain,
    DENT: _dent,
}
"""How each defect changes the light, -1 to 1."""
