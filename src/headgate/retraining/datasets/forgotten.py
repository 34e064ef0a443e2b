"""Forgets the rows of training sets that are past an endpoint's retention, as the lake does; for the controller."""

from pathlib import Path
from typing import Final

import msgspec
import pyarrow.parquet as pq

from headgate import durability
from headgate.clock import Clock
from headgate.retraining.datasets.dataset import AT, ROWS_FILE, VALUE_FILE, Dataset
from headgate.vocabulary import DAY, Micros

GRACE: Final = 7 * DAY
"""Microseconds of the machine's clock for which a set stays whole: a run that learns from it has ended by then."""


def forget(folder: Path, clock: Clock, project: str, endpoint: str, before: Micros) -> int:
    """Remove the rows of every set in `folder` that has any of a UTC day that ended by `before`; returns how many had.

    `clock` is the machine's: a set that was made less than `GRACE` ago is left to the next call. What the set was
    stays: its digest, its window, its counts. Rows a model was first learned from have no moment.

    >>> from headgate.clock import SystemClock
    >>> forget(Path("no-such-folder"), SystemClock(), "default", "flights", Micros(0))
    0
    """
    gone, day = 0, before // DAY * DAY
    for value in sorted(folder.glob(f"[!.]*/{VALUE_FILE}")):
        rows = value.parent / ROWS_FILE
        dataset = msgspec.json.decode(value.read_bytes(), type=Dataset)
        if (dataset.project, dataset.endpoint) != (project, endpoint) or not rows.exists():
            continue
        if rows.stat().st_mtime_ns // 1000 + GRACE <= clock.now() and _oldest(rows) < day:
            rows.unlink()
            durability.sync(value.parent)
            gone += 1
    return gone


def _oldest(rows: Path) -> int:
    """The first moment of any row; later than all there are where none has one."""
    with pq.ParquetFile(rows) as opened:
        column = opened.schema_arrow.names.index(AT)
        groups = (opened.metadata.row_group(each).column(column).statistics for each in range(opened.num_row_groups))
        firsts = [each.min for each in groups if each is not None and each.has_min_max]
    return min((round(each.timestamp() * 1e6) for each in firsts), default=2**62)
