"""Makes blobs disappear that no record names any more; the controller calls it once a day, after retention.

A gateway keeps a blob before the record that names it is in the journal, and bytes that come again may be those of a
blob about to go. So a pass never removes what it finds unnamed. It sets it aside by a rename: from then on the same
bytes are written anew, while readers still find the old ones. A later pass, at least the grace later, removes what
nobody names even then and brings back what somebody does. A record that follows its blob within the grace is in time.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.clock import Clock
from headgate.errors import NotFound
from headgate.journal.blobs import Kept, digest_of, folders, kept
from headgate.journal.frames import FORMAT, Frame, Kind, read_frames
from headgate.journal.lake import Lake, each_table
from headgate.journal.ports import Disk, SegmentSource
from headgate.journal.sealer import GRACE_HOURS
from headgate.journal.tables import FEATURES
from headgate.vocabulary import Micros

GRACE_US: Final = GRACE_HOURS * 3600 * 1_000_000
"""How long a blob stays aside, by the machine's clock: as long as the lake's replaced files stay for their readers, and
far longer than a record takes to follow its blob."""

_DIGEST: Final = re.compile(rb"sha256:([0-9a-f]{64})")
_CELL: Final = '["blob","sha256:'
"""How a reference begins in the lake, where it is JSON text."""
_KINDS: Final = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one pass did, in files."""

    set_aside: int = 0
    brought_back: int = 0
    removed: int = 0
    waiting: int = 0
    """Set aside, by this pass or an earlier one, and still there."""
    unknown: tuple[str, ...] = ()
    """Segments, as ``stream/sequence``, of a newer format: nobody can tell what they name, so nothing was touched."""


class Fate(Enum):
    """What a pass makes of one file."""

    STAYS = "stays"
    """Somebody names it."""
    ASIDE = "aside"
    """Nobody names it, or its writer has not finished: set aside from now on."""
    WAITS = "waits"
    """Set aside not long enough ago."""
    BACK = "back"
    """Set aside, and somebody names it after all."""
    GONE = "gone"
    """Set aside for as long as the grace, and still nobody names it."""


class Orphans:
    """Collects blobs nobody names; one at a time per home, beside gateways that put and readers that get.

    `clock` is the machine's, in a replay too: gateways are as quick as the machine.

    >>> from pathlib import Path
    >>> from headgate.clock import SystemClock
    >>> from headgate.testing.disk import UnkindDisk
    >>> from headgate.testing.segments import MemorySegments
    >>> orphans = Orphans(UnkindDisk(), MemorySegments(), Lake(Path("no-such-lake")), clock=SystemClock())
    >>> orphans.possible(), orphans.collect().removed
    (False, 0)
    """

    def __init__(
        self, disk: Disk, source: SegmentSource, lake: Lake, *, clock: Clock, grace_us: int = GRACE_US
    ) -> None:
        self._disk = disk
        self._source = source
        self._lake = lake
        self._clock = clock
        self._grace_us = grace_us

    def possible(self) -> bool:
        """Whether a blob was ever put; cheap, where a pass reads the whole journal."""
        return bool(folders(self._disk))

    def collect(self) -> Collected:
        """Take one pass; interrupted at any step, the next one goes on. OSError when the disk fails."""
        began = self._clock.now()
        there = {folder: list(kept(self._disk, folder)) for folder in folders(self._disk)}
        # Blobs put from here on are no business of this pass, so their records need not be found.
        unnamed = {each.digits for files in there.values() for each in files if not each.part}
        # Segments before the lake: what is sealed meanwhile is in the lake by the time that it is read.
        unknown = self._named_by_segments(unnamed) if unnamed else ()
        if unknown:
            waiting = sum(each.aside_since is not None for files in there.values() for each in files)
            return Collected(waiting=waiting, unknown=unknown)
        self._named_by_lake(unnamed)
        done: Counter[Fate] = Counter()
        for folder, files in there.items():
            done += self._tidy(folder, files, unnamed, began)
        waiting = done[Fate.ASIDE] + done[Fate.WAITS]
        return Collected(done[Fate.ASIDE], done[Fate.BACK], done[Fate.GONE], waiting)

    def _named_by_segments(self, unnamed: set[str]) -> tuple[str, ...]:
        """Take out of `unnamed` what segments name; returns those of a newer format.

        Digests are looked for in the bytes themselves: whatever damage surrounds one, its blob stays.
        """
        unknown = []
        for segment in self._source.segments():
            try:
                data = self._source.read(segment)
            except NotFound:
                continue  # sealed since it was listed
            if not all(_is_plain(each) for each in read_frames(data).frames):
                unknown.append(f"{segment.stream}/{segment.sequence}")
            unnamed.difference_update(each.decode() for each in _DIGEST.findall(data))
        return tuple(unknown)

    def _named_by_lake(self, unnamed: set[str]) -> None:
        """Take out of `unnamed` what rows of the lake name, of every project, endpoint and generation."""
        for project, endpoint, table in each_table(self._lake):
            for generation in self._lake.generations(project, endpoint, table):
                columns = _texts(generation.schema)
                for batch in generation.batches(columns) if columns else ():
                    if not unnamed:
                        return
                    unnamed.difference_update(_named(batch))

    def _tidy(self, folder: str, files: Iterable[Kept], unnamed: set[str], began: Micros) -> Counter[Fate]:
        """Do what is due in one folder of the store; how many files met which fate."""
        done: Counter[Fate] = Counter()
        for each in files:
            fate = self._fate(each, unnamed, began)
            done[fate] += self._do(each, fate)
        if done[Fate.ASIDE] + done[Fate.BACK] + done[Fate.GONE]:
            self._disk.sync_folder(folder)
        return done

    def _fate(self, file: Kept, unnamed: set[str], began: Micros) -> Fate:
        if not file.part and file.digits not in unnamed:
            return Fate.STAYS if file.aside_since is None else Fate.BACK
        if file.aside_since is None or file.aside_since > began:
            # A moment to come was written before the clock was set back: the wait begins anew.
            return Fate.ASIDE
        return Fate.GONE if began - file.aside_since >= self._grace_us else Fate.WAITS

    def _do(self, file: Kept, fate: Fate) -> bool:
        """Let `file` meet its fate; whether it did."""
        with suppress(FileNotFoundError):  # its writer has finished it, or somebody has removed it
            match fate:
                case Fate.ASIDE:
                    self._disk.rename(file.path, file.aside(self._clock.now()))
                case Fate.BACK:
                    # The same bytes may have been put again meanwhile: only a copy that is whole may take their
                    # place. One that is not stays where it is, for `get` to complain of.
                    if digest_of(self._disk.read(file.path)) != file.digest:
                        return False
                    self._disk.rename(file.path, file.place)
                case Fate.GONE:
                    self._disk.remove(file.path)
            return True
        return False


def _is_plain(frame: Frame) -> bool:
    """Whether the frame's payload is what this version writes, in which a digest stands as it is spelled."""
    return frame.format == FORMAT and not frame.flags and not frame.key_id and frame.kind in _KINDS


def _texts(schema: pa.Schema) -> list[str]:
    """Features, as ``struct.member``, whose cells may be references."""
    members = schema.field(FEATURES).type if FEATURES in schema.names else ()
    return [f"{FEATURES}.{each.name}" for each in members if pa.types.is_string(each.type)]


def _named(batch: pa.RecordBatch) -> Iterator[str]:
    """Digits of every reference among the batch's cells."""
    for column in batch.columns:
        for cells in column.flatten():
            texts = cells.cast(pa.string())
            references = texts.filter(pc.starts_with(texts, _CELL))
            yield from pc.utf8_slice_codeunits(references, len(_CELL), len(_CELL) + 64).to_pylist()
