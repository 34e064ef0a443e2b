"""Teaches a network with photographs whose truth is known, and makes a folder with a model of it, to be registered."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.demo.inspection import eye
from headgate.demo.inspection.graph import graph
from headgate.demo.inspection.light import Photo, Shift, photographed
from headgate.demo.inspection.network import Floats32, Network, features
from headgate.demo.inspection.photos import as_png
from headgate.demo.inspection.surfaces import Surface
from headgate.registry.importers.python import ARTEFACT
from headgate.vocabulary import Task

PICTURE: Final = "picture"
SHIFT: Final = "shift"
TRUTH: Final = "truth"
"""Column of the label."""
LARGEST_PICTURE: Final = 65536
"""Bytes; a picture of the demo has some four thousand."""
_TRUST: Final = 10.0
"""How far the classifier may trust single features: the inverse of its penalty (C of logistic regression)."""


@dataclass(frozen=True, slots=True, eq=False)
class Archive:
    """Photographs of surfaces whose truth is known."""

    photos: tuple[Photo, ...]
    shifts: tuple[Shift, ...]
    truths: tuple[str, ...]

    @property
    def shades(self) -> Floats32:
        """As the network reads them: (photographs, SIDE, SIDE), 0 to 1."""
        return np.stack(self.photos).astype(np.float32) / np.float32(255)

    @property
    def table(self) -> pa.Table:
        """As rows of the contract, with the label beside them."""
        pictures, shifts = list(map(as_png, self.photos)), list(map(str, self.shifts))
        return pa.table({PICTURE: pictures, SHIFT: shifts, TRUTH: list(self.truths)})


def photograph(surfaces: Iterator[Surface], count: int, shifts: Sequence[Shift], seed: int) -> Archive:
    """The next `count` surfaces, photographed in each of `shifts` by turns."""
    chance = np.random.default_rng(seed)
    taken = list(zip(islice(surfaces, count), cycle(shifts), strict=False))
    photos = tuple(photographed(surface.reflects, shift, chance) for surface, shift in taken)
    return Archive(photos, tuple(shift for _, shift in taken), tuple(surface.truth for surface, _ in taken))


def contract_of(classes: Sequence[str]) -> Contract:
    """What any version expects and promises; the shift is not for the model but for whoever reads its figures."""
    fields = (
        Field(PICTURE, Kind.IMAGE, max_bytes=LARGEST_PICTURE, description="The surface, as PNG or JPEG."),
        Field(SHIFT, Kind.CATEGORY, domain=tuple(map(str, Shift)), description="Who was at work."),
    )
    task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
    return Contract(fields, Output(task, TRUTH, tuple(classes), probability=True))


def teach(archive: Archive, classes: Sequence[str], *, knows_light: bool) -> Network:
    """A network that knows `archive`.

    With `knows_light` it divides each picture by the brightness of its own; without, all by the mean brightness of the
    archive, which is right only under the lamps of the archive.
    """
    shades = archive.shades
    brightness = None if knows_light else float(shades.mean())
    found = features(shades, brightness).astype(np.float64)
    centre, spread = found.mean(axis=0), found.std(axis=0) + 1e-9
    codes = [list(classes).index(each) for each in archive.truths]
    fitted = LogisticRegression(C=_TRUST, max_iter=2000).fit((found - centre) / spread, codes)
    weights, biases = fitted.coef_.T, fitted.intercept_
    if len(classes) == 2:  # scikit-learn keeps one column then: the second class against the first
        weights, biases = np.hstack([0 * weights, weights]), np.hstack([0 * biases, biases])
    # What was learnt of standardised features, said of them as they are.
    weights = weights / spread[:, None]
    return Network(brightness, weights.astype(np.float32), (biases - centre @ weights).astype(np.float32))


def write_model(network: Network, folder: Path) -> Path:
    """The folder to register, made: the network, and the class that asks it."""
    folder.mkdir(parents=True)
    (folder / eye.NETWORK).write_bytes(graph(network))
    shutil.copyfile(eye.__file__, folder / ARTEFACT)
    return folder
