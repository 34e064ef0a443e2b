"""The lake as it was loaded last, for those who read again and again: loaded anew once a log has changed.

To load a table costs milliseconds, since its log is read from the last checkpoint on; to see that nothing was committed
costs a listing.
"""

import threading
from collections import OrderedDict
from typing import Final

from headgate.journal.lake import Generation, Lake, Mark
from headgate.journal.tables import Table

MOST: Final = 256
"""Tables that are held, three per endpoint; the one that was asked for longest ago goes first.

Endpoints are looked at in turn: where one table more than these is asked for, each is gone when its turn comes. One of
ten months takes a megabyte, one of some weeks a fiftieth of that.
"""
_Where = tuple[str, str, Table]


class Snapshots:
    """The generations of tables; threads may share them, and nobody may commit to one.

    >>> from pathlib import Path
    >>> Snapshots(Lake(Path("no-such-lake"))).generations("default", "flights", Table.INPUTS)
    []
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._held: OrderedDict[_Where, tuple[Mark, list[Generation]]] = OrderedDict()

    def generations(self, project: str, endpoint: str, table: Table) -> list[Generation]:
        """What `Lake.generations` says now. Raises NotFound when a name is none."""
        where = project, endpoint, table
        # Before it is loaded: a commit in between is loaded once more than needed, and never missed.
        mark = self._lake.mark(*where)
        with self._lock:
            held = self._held.get(where)
            if held is not None and held[0] == mark:
                self._held.move_to_end(where)
                return held[1]
        found = self._lake.generations(*where)
        with self._lock:
            self._held[where] = mark, found
            self._held.move_to_end(where)
            while len(self._held) > MOST:
                self._held.popitem(last=False)
        return found
