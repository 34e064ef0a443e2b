"""Rows handed over to a shadow, and the records of what it said of them, or why it said nothing.

`shadow.py` makes them of shares and stretches the live version has answered. They keep nothing of a request but its
rows and their ids: whoever asked has the answer already.
"""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final, TypeGuard

import msgspec

from headgate.errors import RuntimeFailed
from headgate.gateway.ask import Share
from headgate.gateway.columns import Matrix, Table
from headgate.gateway.speak import told
from headgate.gateway.stretch import Stretch, packed_answers
from headgate.gateway.view import Seat, View
from headgate.journal.identifiers import ID_BYTES, each_id
from headgate.journal.packed import PackedBlock
from headgate.journal.records import Answer, Block
from headgate.runtimes.ports import Feeds, Outputs
from headgate.traffic.shadows import ShadowShare
from headgate.vocabulary import Role, Task

Rows = list[tuple[object, ...]] | Table
"""In the order of the live version's fields."""
Works = Sequence[Share] | Sequence[Stretch]
"""Answered rows of one view and one role; stretches whose columns are no matrices come alone."""
_PACKED_ROWS: Final = 8
"""From so many on, one record with columns costs less than a record of each."""


class Handed(msgspec.Struct, eq=False):
    """Rows of one turn for one shadow."""

    view: View
    seat: Seat
    share: float
    """The chance that each of them was taken."""
    since: int
    """When they were handed over, on the scale of `perf_counter_ns`."""
    ids: bytes
    """16 bytes of each row."""
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, stop: int) -> "Handed":
        """The rows from `start` to before `stop`."""
        rows: Rows = self.rows[start:stop] if isinstance(self.rows, list) else self.rows.part(start, stop)
        ids = self.ids[start * ID_BYTES : stop * ID_BYTES]
        return Handed(self.view, self.seat, self.share, self.since, ids, rows)

    def listed(self) -> list[tuple[object, ...]]:
        """The rows one by one."""
        return self.rows if isinstance(self.rows, list) else self.rows.rows()


def handed(works: Works, seat: Seat, share: ShadowShare) -> Handed | None:
    """Those rows of `works`, all of one view, that `share` takes; None where it takes none."""
    ids, rows = _joined(works)
    if not share.is_whole:
        drawn = each_id(ids)
        places = [place for place, id_ in enumerate(drawn) if share.takes(id_)]
        if not places:
            return None
        ids = b"".join([drawn[place] for place in places])
        rows = [rows[place] for place in places] if isinstance(rows, list) else rows.take(places)
    return Handed(works[0].view, seat, share.share, perf_counter_ns(), ids, rows)


def _joined(works: Works) -> tuple[bytes, Rows]:
    """The ids and the rows of all of them."""
    tables = [work.columns for work in works if isinstance(work, Stretch)]
    if tables:
        whole = Matrix.joined(tables) if _are_matrices(tables) else tables[0]
        return b"".join([work.ids for work in works if isinstance(work, Stretch)]), whole
    shares = [work for work in works if isinstance(work, Share)]
    ids = b"".join([each.id for share in shares for each in share.inputs])
    return ids, [row for share in shares for row in share.rows]


class Batch:
    """Rows that one shadow is asked together, of one revision and in the order they came."""

    __slots__ = ("_columns", "parts", "rows", "seat", "view")

    def __init__(self, parts: Sequence[Handed]) -> None:
        self.parts = parts
        self.view, self.seat = parts[0].view, parts[0].seat
        self.rows = sum(map(len, parts))
        self._columns = _columns(parts)

    def feeds(self) -> Feeds:
        """What the model reads."""
        feeds = self.seat.served.feeds
        if self._columns is not None:
            return self._columns.feeds(feeds)
        return feeds.from_values(self.seat.convert([row for each in self.parts for row in each.listed()]))

    def halves(self) -> tuple["Batch", "Batch"]:
        """Two batches of all its rows; it has more than one."""
        if len(self.parts) > 1:
            half = len(self.parts) // 2
            return Batch(self.parts[:half]), Batch(self.parts[half:])
        (only,) = self.parts
        half = len(only) // 2
        return Batch([only.part(0, half)]), Batch([only.part(half, len(only))])

    def answered(self, outputs: Outputs) -> Block | PackedBlock:
        """The records of what was said. Raises RuntimeFailed where it is not one answer for each row."""
        _check(outputs, self)
        seat, share = self.seat, self.parts[0].share
        is_tensor = seat.served.contract.output.task is Task.TENSOR
        if not is_tensor and self.rows >= _PACKED_ROWS:
            counts = list(map(len, self.parts))
            answers = packed_answers(seat, outputs, self._latencies(), counts, role=Role.SHADOW, probability=share)
            return PackedBlock(self._ids(), answers=answers)
        predictions, scores = told(seat, outputs, self.rows)
        name, compute_us = seat.version, outputs.compute_us
        said = zip(each_id(self._ids()), self._each_latency(), predictions, scores, strict=True)
        return Block(
            [],
            [
                Answer(id_, name, name, Role.SHADOW, share, prediction, score, compute_us, latency)
                for id_, latency, prediction, score in said
            ],
        )

    def failed(self, reason: str) -> Block:
        """The records of rows nothing was said of: nobody answered, and `reason` is why."""
        name, share = self.seat.version, self.parts[0].share
        silences = zip(each_id(self._ids()), self._each_latency(), strict=True)
        return Block(
            [], [Answer(id_, name, "", Role.SHADOW, share, None, None, 0, latency, reason) for id_, latency in silences]
        )

    def _ids(self) -> bytes:
        return b"".join([each.ids for each in self.parts])

    def _latencies(self) -> list[int]:
        """Microseconds since each part was handed over."""
        now = perf_counter_ns()
        return [(now - each.since) // 1000 for each in self.parts]

    def _each_latency(self) -> list[int]:
        return [waited for each, waited in zip(self.parts, self._latencies(), strict=True) for _ in range(len(each))]


def _columns(parts: Sequence[Handed]) -> Table | None:
    """The rows as columns, where all of them are and the shadow reads them as they stand."""
    if parts[0].seat.pick is not None:
        return None
    if len(parts) == 1:
        rows = parts[0].rows
        return None if isinstance(rows, list) else rows
    tables = [each.rows for each in parts]
    return Matrix.joined(tables) if _are_matrices(tables) else None


def _are_matrices(tables: Sequence[Rows]) -> TypeGuard[Sequence[Matrix]]:
    return all(isinstance(each, Matrix) for each in tables)


def _check(outputs: Outputs, batch: Batch) -> None:
    """A runtime should have seen to it; to pair answers with the wrong rows would be worse than to have none."""
    is_tensor = batch.seat.served.contract.output.task is Task.TENSOR
    found = [len(each) for each in outputs.arrays.values()] if is_tensor else [len(outputs.prediction)]
    if outputs.scores is not None:
        found.append(len(outputs.scores))
    if any(each != batch.rows for each in found):
        raise RuntimeFailed(f"the model broke its contract: its answers are {found} for {batch.rows} rows")
