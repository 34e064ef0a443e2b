"""A worker's counters in a memory-mapped file: exact, as cheap as a list, and still there after SIGKILL.

One worker writes, any process reads. A worker that is started again under its old name goes on counting where the
dead one stopped; gauges begin at zero, and those of a dead worker are passed over by readers.

The file is a page of header and then entries of 256 bytes: a 64-bit float, the length of a name and the name itself,
JSON of ``[family, suffix, labels]``. The header's entry count is raised after an entry is whole, so a reader never
sees half of one. Floats hold whole numbers up to 2⁵³ exactly.
"""

import math
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from headgate.gateway.metrics.families import FAMILIES, PASSING, Kind

SUFFIX: Final = ".slab"
_MAGIC: Final = b"HGSLAB1\0"
_HEADER: Final = struct.Struct("<8sQQQ")  # magic, pid, when the kernel says the process began, entries
_PAGE: Final = 4096
_ENTRY: Final = 256
_CAPACITY: Final = 4096
_SIZE: Final = _PAGE + _ENTRY * _CAPACITY
_NAME: Final = struct.Struct("<H")
_LONGEST: Final = _ENTRY - 8 - _NAME.size

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Family, suffix of the sample's name, labels."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of one worker."""

    key: Key
    value: float


class Slab:
    """One worker's cells. ``slab.values[cell] += n`` counts.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slab = Slab(Path(folder) / "w0.slab")
    ...     cell = slab.cell("headgate_labels_total", source="label")
    ...     slab.values[cell] += 2
    ...     slab.close()
    ...     [(sample.key[0], sample.value) for sample in read_slab(Path(folder) / "w0.slab")]
    [('headgate_metrics_dropped_total', 0.0), ('headgate_labels_total', 2.0)]
    """

    def __init__(self, path: Path) -> None:
        """Open or make the slab at `path`, for this process."""
        self.folder = path.parent
        """Where the other workers of the home have theirs."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, _SIZE)  # sparse: only touched pages cost anything
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self.values = memoryview(self._map).cast("d")
        """Every cell's number, by the index `cell` gave."""
        self._cells: dict[Key, int] = {}
        magic, _, _, entries = _HEADER.unpack_from(self._map)
        for position in range(min(entries, _CAPACITY) if magic == _MAGIC else 0):
            # What a torn page or another release left keeps its place, so that those behind it keep theirs.
            key = _read_name(self._map, position) or ("", str(position), ())
            cell = (_PAGE + position * _ENTRY) // 8
            self._cells[key] = cell
            family = FAMILIES.get(key[0])
            if family is not None and family.kind in PASSING:
                self.values[cell] = math.nan if family.kind is Kind.FIGURE else 0.0
        self._write_header()
        self._spill: int = self._make(("headgate_metrics_dropped_total", "", ()))

    def cell(self, family: str, suffix: str = "", **labels: str) -> int:
        """The index of a sample's number, made at the first call; keep it.

        When the slab is full or the labels are too long, all such samples share one cell,
        ``headgate_metrics_dropped_total``.
        """
        key = (family, suffix, tuple(sorted(labels.items())))
        found = self._cells.get(key)
        return self._make(key) if found is None else found

    def put(self, number: float, family: str, **labels: str) -> int | None:
        """Set a sample and return its index; where there is no room, it is counted as dropped and None returned."""
        cell = self.cell(family, **labels)
        if cell == self._spill:
            self.values[cell] += 1.0
            return None
        self.values[cell] = number
        return cell

    def close(self) -> None:
        """Let go of the file; its numbers stay."""
        self.values.release()
        self._map.close()

    def _make(self, key: Key) -> int:
        found = self._cells.get(key)
        if found is not None:
            return found
        name = msgspec.json.encode(key)
        position = len(self._cells)
        if position >= _CAPACITY or len(name) > _LONGEST:
            return self._spill
        start = _PAGE + position * _ENTRY
        _NAME.pack_into(self._map, start + 8, len(name))
        self._map[start + 8 + _NAME.size : start + 8 + _NAME.size + len(name)] = name
        self.values[start // 8] = 0.0
        self._cells[key] = start // 8
        self._write_header()
        return start // 8

    def _write_header(self) -> None:
        pid = os.getpid()
        _HEADER.pack_into(self._map, 0, _MAGIC, pid, _began(pid), len(self._cells))


def read_slab(path: Path) -> Iterator[Sample]:
    """Every sample of the slab at `path`; of a dead worker without its gauges, and none if it is no slab."""
    try:
        data = path.read_bytes()
    except OSError:
        return
    if len(data) < _SIZE or data[:8] != _MAGIC:
        return
    _, pid, began, entries = _HEADER.unpack_from(data)
    alive = _began(pid) == began
    for position in range(min(entries, _CAPACITY)):
        key = _read_name(data, position)
        family = None if key is None else FAMILIES.get(key[0])
        if key is not None and family is not None and (alive or family.kind not in PASSING):
            (value,) = struct.unpack_from("=d", data, _PAGE + position * _ENTRY)
            if not math.isnan(value):
                yield Sample(key, value)


def _read_name(data: "bytes | mmap.mmap", position: int) -> Key | None:
    """The name of an entry; None when none can be read, as after a machine died before its page was written."""
    start = _PAGE + position * _ENTRY + 8
    (length,) = _NAME.unpack_from(data, start)
    start += _NAME.size
    try:
        key: Key = msgspec.json.decode(data[start : start + length], type=Key)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return key


def _began(pid: int) -> int:
    """Start time of a process in clock ticks since boot (field 22 of ``proc_pid_stat(5)``); 0 when unknown or dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat[stat.rindex(")") + 2 :].split()[19])
