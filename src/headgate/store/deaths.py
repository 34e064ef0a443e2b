"""Deaths of processes on their way into the history: the supervisor leaves a file each, the controller takes them.

The supervisor has no database, so that it has little reason to fail; and while a controller is dead its own death
waits here for the next one.
"""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from headgate.events import Death
from headgate.store import atomic
from headgate.vocabulary import Micros, readable

MOST: Final = 1_000
"""Deaths that wait at once; while no controller takes them, further ones are not written down."""


@readable
class _Words(msgspec.Struct, frozen=True):
    at: Micros
    name: str
    cause: str


class FileDeaths:
    """One small file per death in `folder`, there whole or not at all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     deaths = FileDeaths(Path(folder) / "deaths")
    ...     deaths.report("gateway 0", "signal SIGKILL", Micros(7))
    ...     [death] = deaths.waiting()
    ...     deaths.forget(death)
    ...     (death.name, death.cause, deaths.waiting())
    ('gateway 0', 'signal SIGKILL', [])
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def report(self, name: str, cause: str, at: Micros) -> None:
        """Leave word that process `name` ended by itself. Raises OSError when it cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in self._folder.glob("[0-9]*.json")) >= MOST:
            return
        path = self._folder / f"{at:020d}-{secrets.token_hex(4)}.json"
        # Not durable: after a power cut everything is started anew and nobody asks who died before.
        atomic.write_file(path, msgspec.json.encode(_Words(at, name, cause)), durable=False)

    def waiting(self) -> list[Death]:
        """What was reported and not yet forgotten, oldest first; files that are no reports are passed over."""
        found = []
        for path in sorted(self._folder.glob("[0-9]*.json")):
            try:
                words = msgspec.json.decode(path.read_bytes(), type=_Words)
            except (OSError, ValueError):  # text that is no UTF-8 is not msgspec's own error
                continue
            found.append(Death(path.stem, words.at, words.name, words.cause))
        return found

    def forget(self, death: Death) -> None:
        """It stands in the history now; forgetting it again does nothing."""
        (self._folder / f"{death.id}.json").unlink(missing_ok=True)
