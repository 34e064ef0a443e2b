"""Detectors of outliers, fitted once and kept beside the packages: gateways read what a controller wrote.

Needs nothing beyond the base install.
"""

import os
from pathlib import Path

from headgate import durability
from headgate.errors import BadInput, IntegrityError, NotFound
from headgate.monitors.outliers.kept import packed, unpacked
from headgate.monitors.outliers.screen import Detector
from headgate.store import atomic

_HEXADECIMAL = frozenset("0123456789abcdef")


class FileDetectors:
    """Detectors in ``{folder}/{name}.json``; a name stands for all that one was made of, so none is ever replaced.

    >>> import tempfile
    >>> from headgate.monitors.outliers.screen import Threshold
    >>> from headgate.monitors.outliers.shapes import EmbeddingShape
    >>> made = Detector(shape=EmbeddingShape(centres=((0.0,),), radii=(1.0,)), flag=Threshold(0.01, 3.0, 1000))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = FileDetectors(Path(folder) / "detectors")
    ...     before = kept.has("0" * 64)
    ...     kept.keep("0" * 64, made)
    ...     before, kept.has("0" * 64), kept.open("0" * 64) == made
    (False, True, True)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        """Whether there is one of that name."""
        return self._path(name).is_file()

    def keep(self, name: str, detector: Detector) -> None:
        """Keep it under that name; it is on disk when this returns. Raises OSError."""
        durability.make_folder(self._folder)
        atomic.write_file(self._path(name), packed(detector))

    def open(self, name: str) -> Detector:
        """The one of that name.

        Raises NotFound where there is none, NewerSchema for one of a newer Headgate, IntegrityError for one whose bytes
        were changed or cannot be read.
        """
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("detector", name, "`headgate apply` fits it again") from error
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else "input/output error"
            raise IntegrityError(f"the detector {name[:12]} cannot be read: {reason}") from error
        return unpacked(data)

    def _path(self, name: str) -> Path:
        if len(name) != 64 or not _HEXADECIMAL.issuperset(name):
            raise BadInput("detector", "name", "a detector's name has 64 hexadecimal digits")
        return self._folder / f"{name}.json"
