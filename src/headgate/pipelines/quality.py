"""Whether what came is whole: what every load is reported as, measured by the monitors that watch endpoints too."""

from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate.contracts.contract import Contract
from headgate.monitors.quality.freshness import duplicates, staleness
from headgate.monitors.quality.missing import missingness, stuck
from headgate.monitors.standing import Shortfall
from headgate.pipelines.pipelinefile import SourceWords
from headgate.vocabulary import Micros, readable

MEASURED_ROWS: Final = 200_000
"""Rows that are looked at for holes, copies and stuck columns; of more, the first so many."""


class Broken(msgspec.Struct, frozen=True):
    """A rule that new rows break."""

    field: str
    rule: str
    rows: int


class Hole(msgspec.Struct, frozen=True):
    """A field with more values missing than the contract expects."""

    field: str
    share: float
    expected: float


@readable
class Quality(msgspec.Struct, frozen=True):
    """What one load of one source is like."""

    source: str
    rows: int
    """That were read."""
    kept: int
    """Rows that keep the contract."""
    known: int = 0
    """Those of them that were kept before, the same in everything: an overlap, or a file that was read again."""
    broken: tuple[Broken, ...] = ()
    """Why the others were set aside, most rows first."""
    flagged: dict[str, int] = {}
    """Rules that kept rows break and that only flag, by ``rule:field``."""
    holes: tuple[Hole, ...] = ()
    copies: float | None = None
    """Share of rows that are a copy of another, in their key or in everything; None where there were no rows."""
    stuck: tuple[str, ...] = ()
    """Columns with one value now that had several before."""
    age_s: float | None = None
    """Age of the newest moment, in seconds; None where nobody can say."""
    stale: bool | None = None
    """Whether that is older than promised; None where nothing is promised."""
    notes: tuple[str, ...] = ()

    @property
    def aside(self) -> int:
        """Rows set aside."""
        return self.rows - self.kept


def measured(
    quality: Quality, words: SourceWords, contract: Contract | None, good: Path, *, before: Path | None, now: Micros
) -> Quality:
    """`quality` with everything that is measured on the rows kept in the file `good`; `before` holds earlier ones."""
    table = _head(good)
    holes = [] if contract is None else [
        Hole(each.field, each.share.value or 0.0, each.expected)
        for each in missingness(contract, table) if each.changed and (each.excess.value or 0.0) > 0
    ]  # fmt: skip
    same = duplicates(table, words.key)
    still = () if before is None else tuple(each.field for each in stuck(_head(before), table))
    age = staleness(_newest(table, words.watermark), now, words.fresh_s)
    notes = quality.notes
    age_s = stale = None
    if isinstance(age, Shortfall):
        notes = (*notes, age.reason)
    elif words.watermark is not None and age.age_s is not None:
        age_s, stale = age.age_s, age.stale
    return msgspec.structs.replace(
        quality, holes=tuple(holes), copies=same.share.value, stuck=still, age_s=age_s, stale=stale, notes=notes
    )


def _head(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        batches, rows = [], 0
        for each in file.iter_batches(batch_size=MEASURED_ROWS):
            batches.append(each)
            rows += each.num_rows
            if rows >= MEASURED_ROWS:
                break
        return pa.Table.from_batches(batches, file.schema_arrow).slice(0, MEASURED_ROWS)


def _newest(table: pa.Table, column: str | None) -> Micros | None:
    if column is None or column not in table.column_names or not pa.types.is_timestamp(table[column].type):
        return None
    newest = pc.max(pc.cast(table[column], pa.int64())).as_py()
    return None if newest is None else Micros(newest)


def sentences(quality: Quality) -> list[str]:
    """What a person should know of a load, the worst first; one line that says how much came in any case."""
    known = f", {quality.known:,} known already" if quality.known else ""
    found = [f"{quality.source}: {quality.rows:,} rows read, {quality.aside:,} set aside{known}"]
    found += [f"{each.rows:,} rows break '{each.rule}' of {each.field}" for each in quality.broken[:5]]
    found += [f"{each.share:.1%} of {each.field} missing, {each.expected:.1%} expected" for each in quality.holes[:5]]
    if quality.stale:
        found.append(f"stale: the newest row is {(quality.age_s or 0) / 3600:,.1f} hours old")
    if quality.copies:
        found.append(f"{quality.copies:.1%} of the rows came twice")
    found += [f"{each} has one value only, and had several" for each in quality.stuck]
    return [*found, *quality.notes]
