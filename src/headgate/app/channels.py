"""The channels of a home, read again when an operator changes their file."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from headgate.alerts.channels import VARIABLES, Channel, load_channels
from headgate.alerts.couriers.logged import LogCourier
from headgate.alerts.couriers.opened import courier_of
from headgate.alerts.decide import LOG
from headgate.alerts.finding import Severity
from headgate.alerts.ports import Courier
from headgate.errors import BadConfiguration, HeadgateError

log = logging.getLogger("headgate.alerts")

_NONE: Final[Mapping[str, Channel]] = MappingProxyType({})


class FileChannels:
    """``channels.yaml``; a file that becomes wrong leaves the channels that were there as they were.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dict(FileChannels(Path(folder) / "channels.yaml").read())
    {}
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = (0, 0, 0)
        self._read: Mapping[str, Channel] = _NONE

    def load(self) -> Mapping[str, Channel]:
        """The channels by name; none where there is no file. Raises BadConfiguration naming the key that is wrong."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return _NONE
        except (OSError, UnicodeDecodeError) as error:
            raise BadConfiguration(str(self._path), "cannot be read as text") from error
        return load_channels(text, str(self._path))

    def read(self) -> Mapping[str, Channel]:
        """The same, as they were last right; what is wrong is logged once."""
        seen = self._mark()
        if seen != self._seen:
            self._seen = seen
            try:
                self._read = self.load()
            except HeadgateError as error:
                log.error("the channels stay as they were: %s", error)
        return self._read

    def least(self) -> dict[str, Severity]:
        """The severity from which each channel is told."""
        return {name: each.least for name, each in self.read().items()}

    def courier(self, name: str) -> Courier:
        """Who carries to the channel of that name. Raises BadConfiguration where there is none."""
        if name == LOG:
            return LogCourier()
        found = self.read().get(name)
        if found is None:
            raise BadConfiguration(str(self._path), f"has no channel '{name}'")
        return courier_of(found)

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def take_secrets() -> tuple[tuple[str, str], ...]:
    """The variables that may hold secrets of channels, taken out of this process's environment.

    Runtime hosts run other people's code and inherit what is left; the controller alone is given these.
    """
    names = sorted(each for each in os.environ if each.startswith(VARIABLES))
    return tuple((name, os.environ.pop(name)) for name in names)
