"""The check step: new rows are read as the source's columns and held against its contract; what breaks it goes aside.

Nothing is kept where too many break it. What is kept becomes one more part of the source.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate.contracts.check import check_table
from headgate.contracts.contract import Contract
from headgate.errors import BadInput, Violation
from headgate.pipelines.loading import loaded
from headgate.pipelines.pipelinefile import SourceWords
from headgate.pipelines.quality import Broken, Quality
from headgate.pipelines.shaping import conformed, read_texts, settled
from headgate.pipelines.state import Column, Pulled
from headgate.pipelines.whole import write_whole

_SAID: Final = ("_field", "_rule", "_message")
ROWS: Final = 100_000
"""Rows that are checked at once."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What is known of a source before its new rows are looked at."""

    name: str
    words: SourceWords
    contract: Contract | None
    kept: tuple[Column, ...]
    """Its columns so far; empty before the first load."""
    textual: bool
    """Whether its values come as texts."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a source's new rows."""

    columns: tuple[Column, ...]
    """The source's columns from now on."""
    quality: Quality


@dataclass(slots=True)
class _Count:
    rows: int = 0
    kept: int = 0
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)


def check(lot: Lot, pulled: Pulled, raw: Path, *, good: Path, aside: Path) -> Checked:
    """Part the rows in `raw` into the files `good` and `aside`, which is there only where any row went aside.

    Raises BadInput when columns are gone or changed, when a column of the key or the watermark is not there, and when
    more rows break the contract than are tolerated; `good` is not there then, and `aside` is, for whoever looks why.
    """
    name, words, contract = lot.name, lot.words, lot.contract
    came = pulled.columns
    if lot.textual and (not lot.kept or any(each.type == "null" for each in lot.kept)):
        came = read_texts(loaded(raw), [each.name for each in came], contract)
    columns, notes = settled(name, lot.kept, came, textual=lot.textual)
    for key in (*words.key, *filter(None, [words.watermark])):
        if key not in {each.name for each in columns}:
            raise BadInput(f"sources.{name}", "schema", f"has no column '{key}'; it has {_names(columns)}")
    if contract is not None:
        _see_fields(name, contract, columns)
    count = _Count()
    rows = (_judged(words, contract, each, columns, count) for part in loaded(raw) for each in _sliced(part))

    def write(path: Path) -> None:
        _part(rows, path, aside)

    scratch = good.with_name(f"{good.name}.checked")
    try:
        write_whole(scratch, write)
        broken = tuple(Broken(*rule, rows) for rule, rows in count.broken.most_common())
        quality = Quality(
            name, count.rows, count.kept, broken=broken, flagged=dict(count.flags), notes=(*pulled.notes, *notes)
        )
        _tolerate(words, quality, aside)
        scratch.replace(good)
    finally:
        scratch.unlink(missing_ok=True)
    return Checked(columns, quality)


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(each.name for each in columns)


def _see_fields(name: str, contract: Contract, columns: Sequence[Column]) -> None:
    there = {each.name for each in columns}
    gone = [each.name for each in contract.fields if each.name not in there and not each.nullable]
    if gone:
        raise BadInput(f"sources.{name}", "schema", f"has no column '{gone[0]}', which its contract asks for")


def _sliced(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, ROWS):
        yield table.slice(start, ROWS)


def _judged(
    words: SourceWords, contract: Contract | None, raw: pa.Table, columns: Sequence[Column], count: _Count
) -> tuple[pa.Table, pa.Table]:
    """The rows that are kept, and the others as they came with what is wrong with them."""
    table, broken = conformed(raw, columns)
    found = {**_keyless(words, table), **broken}
    readable = np.array([row not in found for row in range(table.num_rows)], dtype=bool)
    places = np.flatnonzero(readable)
    good = table.filter(pa.array(readable))
    if contract is not None and good.num_rows:
        carried = [each.name for each in columns if each.name not in contract.names]
        checked = check_table(contract, good, carry=carried)
        good, _ = conformed(checked.good, columns)
        bad = checked.quarantine
        for row, *said in zip(*(bad[each].to_pylist() for each in ("_row", *_SAID)), strict=True):
            found[int(places[row])] = Violation(*said)
        count.flags.update(checked.flags)
    count.rows += raw.num_rows
    count.kept += good.num_rows
    count.broken.update((each.field, each.rule) for each in found.values())
    return good, _told(raw, found)


def _keyless(words: SourceWords, table: pa.Table) -> dict[int, Violation]:
    found = {}
    for name in words.key:
        for row in np.flatnonzero(np.asarray(pc.is_null(table[name]))):
            found[int(row)] = Violation(name, "null", "names the row and has no value")
    return found


def _told(raw: pa.Table, found: Mapping[int, Violation]) -> pa.Table:
    rows = sorted(found)
    table = raw.drop_columns([each for each in _SAID if each in raw.column_names]).take(pa.array(rows, pa.int64()))
    for column, part in zip(_SAID, ("field", "rule", "message"), strict=True):
        table = table.append_column(column, pa.array([str(getattr(found[row], part)) for row in rows], pa.string()))
    return table


def _part(rows: Iterator[tuple[pa.Table, pa.Table]], good: Path, aside: Path) -> None:
    """Write both files as the rows come; `aside` is whole or not there, and gone where no row went aside."""
    writers: dict[Path, Any] = {}

    def put(table: pa.Table, path: Path) -> None:
        if path not in writers:
            writers[path] = pq.ParquetWriter(path, table.schema)
        writers[path].write_table(table.cast(writers[path].schema))

    def both(broken: Path) -> None:
        try:
            for kept, refused in rows:
                put(kept, good)
                put(refused, broken)
        finally:
            for each in writers.values():
                each.close()

    write_whole(aside, both)
    if pq.read_metadata(aside).num_rows == 0:
        aside.unlink()


def _tolerate(words: SourceWords, quality: Quality, aside: Path) -> None:
    share = quality.aside / quality.rows if quality.rows else 0.0
    if quality.rows and (share > words.tolerated or not quality.kept):
        said = ", ".join(f"{each.rows:,} '{each.rule}' of {each.field}" for each in quality.broken[:3])
        raise BadInput(
            f"sources.{quality.source}",
            "quarantine",
            f"{share:.1%} of {quality.rows:,} new rows cannot be kept, and {words.quarantine} may: {said}. "
            f"They are in {aside}; mend the source, its contract: or its quarantine:",
        )
