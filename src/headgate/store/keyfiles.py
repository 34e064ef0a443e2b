"""Keys on one host: one file that is replaced whole, so that gateways never need the database.

Whoever changes keys publishes them, and the controller does so again every turn; gateways poll `changed` several
times a second. Needs nothing beyond the base install.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headgate import durability
from headgate.access.keys import Key, Published
from headgate.store import atomic

FILE: Final = "keys.json"
Mark = tuple[int, int, int]
"""Modification time in nanoseconds, inode, size: differs after every publication."""


class FileKeys:
    """Keys in ``{folder}/keys.json``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = FileKeys(Path(folder))
    ...     before = keys.read().required
    ...     keys.publish(lambda: [])
    ...     (before, keys.read().required)
    (False, False)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE
        self._seen: Mark | None = None
        self._looked = False
        self._whole = False
        self._last = Published()

    def read(self) -> Published:
        """The keys published last.

        A file that cannot be read, or that vanished, leaves the keys read before in force; when there were none,
        nobody is let in.
        """
        # The mark comes first: a publication between here and the reading makes `changed` true again, never false.
        self._seen, self._looked, self._whole = self._mark(), True, False
        try:
            self._last = msgspec.json.decode(self._path.read_bytes(), type=Published)
            self._whole = True
        except FileNotFoundError:
            pass
        except (OSError, ValueError):  # text that is no UTF-8 is not msgspec's own error
            self._last = msgspec.structs.replace(self._last, required=True)
        return self._last

    def changed(self) -> bool:
        """Whether a `read` now might differ from the last one: one stat."""
        return not self._looked or self._mark() != self._seen

    def publish(self, keys: Callable[[], Sequence[Key]]) -> None:
        """Let gateways have `keys`; nothing is written when a whole file says so already.

        `keys` is asked while others wait, so that an older answer never replaces a newer one.
        """
        durability.make_folder(self._folder)
        with atomic.locked(self._folder / ".lock"):
            atomic.sweep(self._folder)
            every = keys()
            present = self.read()
            standing = tuple(each for each in every if each.revoked_at is None)
            required = bool(every) or present.required
            known = self._whole or not required  # what was lost or damaged is written again, though we remember it
            if known and (present.required, present.keys) == (required, standing):
                return
            published = Published(present.revision + 1, required, standing)
            # As for traffic: file times tick too slowly to tell two changes apart, so each moves the time by itself.
            later = max(time.time_ns(), (self._seen or (0, 0, 0))[0] + 1)
            atomic.write_file(self._path, msgspec.json.encode(published), mode=0o600, mtime_ns=later)

    def _mark(self) -> Mark | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
