"""What every source does: hand on what is new since a mark, and say where the next load goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pyarrow as pa

Mark = dict[str, Any]
"""Where a load ended, as JSON; empty before the first. What it means only its source knows."""
Take = Callable[[pa.Table], None]
"""Is handed rows in order, table by table."""
CHUNK_ROWS: Final = 100_000
"""Rows handed on at once."""
BROKEN: Final = "_text"
"""The column of what came as one text and is no row; null in rows."""


@dataclass(frozen=True, slots=True)
class Pull:
    """What a load found, beside the rows it handed on."""

    mark: Mark
    whole: bool = False
    """Whether these are all rows there are, so that they take the place of those kept before."""
    notes: tuple[str, ...] = ()
    """What was odd, in sentences."""


class Source(Protocol):
    """One source, as an adapter."""

    @property
    def textual(self) -> bool:
        """Whether its values come as texts that have yet to be read as numbers, moments and so on."""
        ...

    def pull(self, mark: Mark, take: Take) -> Pull:
        """Hand every row that is new since `mark` to `take`.

        Raises NotFound when the source is gone, Unavailable when it does not answer, BadInput when it cannot be read,
        Conflict when it began anew, so that `mark` means nothing any more.
        """
        ...
