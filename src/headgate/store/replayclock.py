"""A replay's clock as every process of one machine sees it: eight bytes in a file that all of them map.

The controller moves it, gateways read it many thousand times a second. Needs nothing beyond the base install.
"""

import mmap
import os
from pathlib import Path

from headgate.vocabulary import Micros

_SIZE = 8


class SharedWord:
    """A number in a file that every holder sees as it was last set; 0 in a new one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine, yours = (SharedWord(Path(folder) / "word") for _ in range(2))
    ...     mine.value = 7
    ...     yours.value
    7
    """

    def __init__(self, path: Path) -> None:
        """Open the number at `path`, made if it is not there."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(handle, _SIZE)  # a new file's bytes are zeros; an old one keeps its number
            # One aligned machine word: whoever reads while it is written sees the old number or the new one.
            self._word = memoryview(mmap.mmap(handle, _SIZE)).cast("q")
        finally:
            os.close(handle)

    @property
    def value(self) -> int:
        """What it was last set to."""
        return self._word[0]

    @value.setter
    def value(self, value: int) -> None:
        self._word[0] = value


class ReplayClock:
    """A clock that stands still until somebody moves it; every holder of the same file then sees the new moment.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mover, reader = (ReplayClock(Path(folder) / "clock") for _ in range(2))
    ...     mover.move_to(Micros(5_000_000))
    ...     reader.now()
    5000000
    """

    def __init__(self, path: Path) -> None:
        """Open the clock at `path`, made at the moment 0 if it is not there."""
        self._moment = SharedWord(path)

    def now(self) -> Micros:
        """The moment the clock was last moved to."""
        return Micros(self._moment.value)

    def move_to(self, moment: Micros) -> None:
        """Move forward to `moment`, for everybody at once.

        Raises ValueError if `moment` lies before the present one.
        """
        if moment < self._moment.value:
            raise ValueError(f"a clock never goes back: {moment} < {self._moment.value}")
        self._moment.value = moment
