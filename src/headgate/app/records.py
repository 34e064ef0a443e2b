"""What an installation remembers, as the facade shows it: its history, and how much its journal holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from headgate.clock import Clock
from headgate.events import Event, EventKind, Sealed
from headgate.journal.ports import SegmentRef
from headgate.journal.reader import Counts, Reader
from headgate.journal.segments import DiskSegmentSource
from headgate.store.sql import SqlStore
from headgate.vocabulary import Micros


class Records:
    """The part of `headgate.app.facade.Headgate` that reads and writes the history."""

    project: str
    reader: Reader
    _store: SqlStore
    _clock: Clock
    _segments: DiskSegmentSource

    def events(self, subject: str | None = None, limit: int = 100) -> list[Event]:
        """The project's history, newest first: of one version, endpoint or process, or of everything.

        >>> import tempfile
        >>> import headgate
        >>> with tempfile.TemporaryDirectory() as folder, headgate.open(folder) as hg:
        ...     hg.events()
        []
        """
        return self._store.events(self.project, subject, limit)

    def note_read(self, endpoint: str, who: str, what: str) -> None:
        """Remember that `who` read an endpoint's journal over HTTP."""
        details: dict[str, str | int | float | bool | None] = {"what": what}
        self._store.add_event(Event(self._clock.now(), EventKind.READ, self.project, endpoint, who, "", details))

    def note_advance(self, was: Micros, to: Micros, who: str) -> None:
        """Remember that `who` has a replay's clock move."""
        event = Event(was, EventKind.ADVANCED, self.project, "replay", who, "", {}, _moment(was), _moment(to))
        self._store.add_event(event)

    def audit(self) -> Iterator[Sealed]:
        """The whole history of all projects, oldest first, each record with its seal; see ``events.first_broken``."""
        after = 0
        while records := self._store.sealed(after):
            yield from records
            after = records[-1].number

    def segments(self) -> list[SegmentRef]:
        """Journal segments that are not in the lake yet, of all projects."""
        return self._segments.segments()

    def counts(self, endpoint: str) -> Counts:
        """How much the journal holds of an endpoint."""
        return self.reader.counts(self.project, endpoint)


def _moment(at: Micros) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).isoformat()
