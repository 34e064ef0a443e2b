"""Where surfaces come from: drawn by the demo, or a folder of pictures with one sub-folder for each class."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from headgate.demo.inspection.eye import opened
from headgate.demo.inspection.surfaces import CLASSES, OK, Surface, drawn
from headgate.errors import BadInput, NotFound

ENDINGS: Final = (".png", ".jpg", ".jpeg")
FEWEST: Final = 30
"""Pictures a class needs: a third of them to learn from, a third to judge what was learnt, a third for the line."""
CONTRAST: Final = 0.2
"""How far whatever is on somebody's own picture is taken to stand out, since nobody says."""


@dataclass(frozen=True, slots=True)
class Material:
    """Surfaces to learn from, to judge what was learnt, and those that come along the line; none is in two of them."""

    classes: tuple[str, ...]
    """In the order of the model's scores."""
    usual: str
    """What is said of a surface on which nothing is seen."""
    archive: Iterator[Surface]
    aside: Iterator[Surface]
    line: Iterator[Surface]
    told: str
    """Where they come from, for whoever reads the figures."""


def drawn_material(seed: int) -> Material:
    """Surfaces that the demo draws; the same ones for the same seed.

    >>> drawn_material(1).classes
    ('ok', 'scratch', 'stain', 'dent')
    """
    archive, aside, line = (drawn(seed + place) for place in range(3))
    return Material(CLASSES, OK, archive, aside, line, "drawn by the demo; no camera saw any of them")


def folder_material(folder: Path, seed: int) -> Material:
    """Pictures of `folder`, one sub-folder for each class, as PNG or JPEG; read as shades of grey of one size.

    Each third of a class has its own use, and comes along in chance order, again and again. The class with most of them
    is what is said where nothing is seen. Raises NotFound where there is no such folder, BadInput
    naming the sub-folder or file that cannot be used.
    """
    if not folder.is_dir():
        raise NotFound("folder", str(folder), "it has one sub-folder of pictures for each class")
    found = {each.name: _pictures(each) for each in sorted(folder.iterdir()) if each.is_dir()}
    if len(found) < 2:
        raise BadInput(str(folder), "size", "needs two sub-folders at least, one for each class of its pictures")
    for name, pictures in found.items():
        if len(pictures) < FEWEST:
            raise BadInput(name, "size", f"has {len(pictures)} pictures; {FEWEST} of each class are needed at least")
    usual = Counter({name: len(pictures) for name, pictures in found.items()}).most_common(1)[0][0]
    chance = np.random.default_rng(seed)
    thirds: tuple[list[Surface], ...] = ([], [], [])
    for name, pictures in found.items():
        for place, number in enumerate(chance.permutation(len(pictures)).tolist()):
            thirds[place % 3].append(_surface(pictures[number], name, usual))
    archive, aside, line = (_again_and_again(third, seed + place) for place, third in enumerate(thirds))
    return Material(tuple(found), usual, archive, aside, line, f"pictures of {folder}")


def _pictures(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDINGS)


def _surface(path: Path, name: str, usual: str) -> Surface:
    try:
        shades = opened(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for bytes that are no picture
        raise BadInput(str(path), "unreadable", "is no picture; give PNG or JPEG files") from error
    return Surface(shades.astype(np.float64), name, 0.0 if name == usual else CONTRAST)


def _again_and_again(surfaces: Sequence[Surface], seed: int) -> Iterator[Surface]:
    chance = np.random.default_rng(seed)
    while True:
        for number in chance.permutation(len(surfaces)).tolist():
            yield surfaces[number]
