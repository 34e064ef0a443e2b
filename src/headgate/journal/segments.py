"""Segments as their readers see them: the SegmentSource port over a disk.

The sealer and the readers of recent data list, read and finally delete here; only writers touch segments
otherwise.
"""

from contextlib import suppress

from headgate.errors import NotFound
from headgate.journal.ports import Disk, SegmentRef, Stream
from headgate.journal.segment import CLOSED, FOLDER, GONE, OPEN, parse_name, segment_path


class DiskSegmentSource:
    """Reads the segments of every stream that writes to this disk.

    A segment still open may be read beyond what its writer has acknowledged, by the length of one commit.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def segments(self) -> list[SegmentRef]:
        """Every segment there is, by stream and sequence."""
        found: list[SegmentRef] = []
        for name in self._disk.folders(FOLDER):
            stream = Stream(name)
            present: dict[int, SegmentRef] = {}
            for file, size in self._disk.files(f"{FOLDER}/{stream}"):
                match parse_name(file):
                    # Listed while it was renamed a segment can show under both names; ".seg" sorts last and wins.
                    case (sequence, ending) if ending != GONE:
                        present[sequence] = SegmentRef(stream, sequence, ending == CLOSED, size)
                    case _:
                        continue
            found.extend(present[sequence] for sequence in sorted(present))
        return found

    def read(self, segment: SegmentRef, start: int = 0) -> bytes:
        """Its bytes from `start`; headgate.errors.NotFound once it was deleted."""
        endings = (CLOSED,) if segment.closed else (OPEN, CLOSED)  # it may have been closed since it was listed
        for ending in endings:
            try:
                return self._disk.read(segment_path(segment.stream, segment.sequence, ending), start)
            except FileNotFoundError:
                continue
        raise NotFound("segment", f"{segment.stream}/{segment.sequence}", "It was sealed and deleted.")

    def delete(self, segment: SegmentRef) -> None:
        """Remove a closed segment everybody has sealed; no error if it is gone already.

        An empty mark keeps its sequence from being used again; marks of earlier segments are removed with it.
        Raises ValueError for a segment that is still open.
        """
        if not segment.closed:
            raise ValueError("a segment is deleted only after it was closed and sealed")
        folder = f"{FOLDER}/{segment.stream}"
        with suppress(FileExistsError):
            self._disk.create(segment_path(segment.stream, segment.sequence, GONE)).close()
        self._disk.sync_folder(folder)  # the mark must outlive the segment in every crash
        self._disk.remove(segment_path(segment.stream, segment.sequence, CLOSED))
        marks = [found[0] for name, _ in self._disk.files(folder) if (found := parse_name(name)) and found[1] == GONE]
        for sequence in sorted(marks)[:-1]:
            self._disk.remove(segment_path(segment.stream, sequence, GONE))
        self._disk.sync_folder(folder)
