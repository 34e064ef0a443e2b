"""The lake: one set of Delta tables per endpoint, on a local disk, that any Delta reader can open.

A table's directory holds generations ``g1``, ``g2``, …: a contract whose columns do not fit the last ones opens
the next, and readers unite them. The sealer appends, the reader reads, retention deletes; nobody else writes.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import ColumnProperties, CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from headgate import durability
from headgate.errors import NotFound
from headgate.journal.ports import Stream
from headgate.journal.tables import DATED, Table, conform, fits
from headgate.vocabulary import NAME, NAME_RULE

Mark = tuple[tuple[str, int, int, str], ...]
NEVER: Final = -1
"""The sequence of a stream no commit has mentioned."""


@dataclass(frozen=True, slots=True)
class Days:
    """Event dates from `first` to `last`, both inclusive; None leaves that side open."""

    first: date | None = None
    last: date | None = None

    def hold(self, day: date | None) -> bool:
        """Whether `day` is one of them; a row whose day is unknown belongs to all."""
        if day is None:
            return True
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


ALL_DAYS: Final = Days()


@dataclass(frozen=True)
class Generation:
    """One Delta table as it was when it was loaded."""

    table: Table
    number: int
    delta: Any
    schema: pa.Schema

    @classmethod
    def load(cls, table: Table, folder: Path) -> "Generation":
        """The newest snapshot of the generation in `folder`."""
        delta = DeltaTable(folder)
        return cls(table, int(folder.name[1:]), delta, _plain(pa.schema(delta.schema())))

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return Path(unquote(self.delta.table_uri.removeprefix("file://")))  # a blank in its name is spelled %20 there

    def sealed(self, stream: Stream) -> int:
        """The last sequence of `stream` this generation holds; `NEVER` when there is none."""
        if stream not in self._sealed:
            version = self.delta.transaction_version(stream)
            self._sealed[stream] = NEVER if version is None else int(version)
        return self._sealed[stream]

    @cached_property
    def _sealed(self) -> dict[Stream, int]:
        """What was asked already: readers ask again and again."""
        return {}

    def takes(self, schema: pa.Schema) -> bool:
        """Whether rows of `schema` belong here."""
        return all(
            fits(self.schema.field(each.name).type, each.type) for each in schema if each.name in self.schema.names
        )

    def has(self, schema: pa.Schema) -> bool:
        """Whether it has every column of `schema` already."""
        return bool(_widened(self.schema, schema) == self.schema)

    def files(self, days: Days = ALL_DAYS) -> list[str]:
        """Its data files that may hold rows of `days`."""
        return [path for path, day in self._listed if days.hold(day)]

    @cached_property
    def _listed(self) -> list[tuple[str, date | None]]:
        """Its data files, each with the day of all its rows; None where that is not known."""
        actions, folder = pa.table(self.delta.get_add_actions(flatten=True)), self.folder
        paths = [str(folder / each) for each in actions.column("path").to_pylist()]
        dated = self.table in DATED
        return list(
            zip(paths, actions.column("partition.date").to_pylist() if dated else [None] * len(paths), strict=True)
        )

    def read(self, columns: Sequence[str], days: Days = ALL_DAYS, where: pc.Expression | None = None) -> pa.Table:
        """The rows of `days`; ``date`` itself is a directory name and cannot be asked for.

        Raises FileNotFoundError when a file was vacuumed meanwhile: load again.
        """
        return self.read_files(self.files(days), columns, where)

    def read_files(self, files: Sequence[str], columns: Sequence[str], where: pc.Expression | None = None) -> pa.Table:
        """The rows of some of its data files; otherwise as `read`."""
        named = [each for each in columns if each in self.schema.names]
        stored = pa.schema([each for each in self.schema if each.name != "date"])
        if where is not None:
            return ds.dataset(files, schema=stored, format="parquet").to_table(columns=named, filter=where)
        # Twice as fast as a dataset scan over the many small files that days make.
        wanted = pa.schema([stored.field(each) for each in named])
        return pa.concat_tables([_whole(each, wanted) for each in files] or [wanted.empty_table()])

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All its rows, a few at a time; a member of a struct is asked for as ``struct.member``.

        Columns a file is too old to have are left out. Raises FileNotFoundError when one was vacuumed meanwhile.
        """
        for file in self.files():
            with pq.ParquetFile(file) as opened:
                yield from opened.iter_batches(columns=list(columns), use_threads=False)


class Lake:
    """The Delta tables under one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, project: str, endpoint: str, table: Table) -> Path:
        """Where the generations of a table lie; NotFound when a name is none."""
        for what, name in (("project", project), ("endpoint", endpoint)):
            if NAME.fullmatch(name) is None:
                raise NotFound(what, "?", f"A name matches {NAME_RULE}.")
        return self.root / project / endpoint / table

    def endpoints(self) -> list[tuple[str, str]]:
        """Every (project, endpoint) that has a table, sorted."""
        return sorted(
            (each.parent.name, each.name) for each in self.root.glob("*/*") if any(each.glob("*/g*/_delta_log"))
        )

    def generations(self, project: str, endpoint: str, table: Table) -> list[Generation]:
        """Fresh snapshots of a table's generations, oldest first."""
        found = self.folder(project, endpoint, table).glob("g*/_delta_log/")
        folders = sorted((each.parent for each in found), key=lambda each: int(each.name[1:]))
        return [Generation.load(table, each) for each in folders if DeltaTable.is_deltatable(each)]

    def mark(self, project: str, endpoint: str, *tables: Table) -> Mark:
        """What the logs of these tables are like, of all where none is named: every commit makes it another."""
        logs = (self.folder(project, endpoint, table).glob("g*/_delta_log") for table in tables or Table)
        return tuple(_seen(each) for found in logs for each in sorted(found))

    def place(self, project: str, endpoint: str, table: Table, schema: pa.Schema) -> Generation:
        """The generation that takes rows of `schema`, extended or created if it must be.

        Always the first that fits, and it is extended before any row is written: columns are only ever added, so
        that the same rows find the same generation after a crash, whatever was written in between.
        """
        known = self.generations(project, endpoint, table)
        chosen = home_of(known, schema)
        if chosen is None:
            folder = self.folder(project, endpoint, table) / f"g{len(known) + 1}"
            DeltaTable.create(folder, schema, partition_by=_partition(table), configuration=_configuration(table))
        else:
            folder = chosen.folder
            if chosen.has(schema):
                return chosen
            write_deltalake(folder, _widened(chosen.schema, schema).empty_table(), mode="append", schema_mode="merge")
        persist(folder)
        return Generation.load(table, folder)

    def append(self, generation: Generation, rows: pa.Table, sealed: Mapping[Stream, int]) -> None:
        """One commit of `rows`, remembering the last sequence of each stream in it; durable on return."""
        marks = [Transaction(stream, sequence) for stream, sequence in sorted(sealed.items())]
        write_deltalake(
            generation.delta,
            conform(rows, generation.schema),
            mode="append",
            writer_properties=writing(generation.table),
            commit_properties=CommitProperties(app_transactions=marks),
        )
        persist(generation.folder)


def _seen(log: Path) -> tuple[str, int, int, str]:
    """A log's folder, its number and when it changed, and its newest name, since clocks of disks tick slowly."""
    about = log.stat()
    newest = max((each for each in os.listdir(log) if each.endswith(".json")), default="")
    return str(log), about.st_ino, about.st_mtime_ns, newest


def _whole(file: str, wanted: pa.Schema) -> pa.Table:
    """The `wanted` columns of one file; those it is too old to have are null."""
    # Reading ahead is for slow disks and large files: over many small ones it costs a third of the time.
    with pq.ParquetFile(file, pre_buffer=False) as opened:
        held = frozenset(opened.schema_arrow.names)  # made anew each time it is asked for
        rows = opened.read([each for each in wanted.names if each in held], use_threads=False)
    return rows if rows.schema.equals(wanted) else conform(rows, wanted)


def home_of(generations: Sequence[Generation], schema: pa.Schema) -> Generation | None:
    """The generation rows of `schema` belong to, if one takes them."""
    return next((each for each in generations if each.takes(schema)), None)


def writing(table: Table) -> WriterProperties:
    """How the Parquet files of `table` are written: no column statistics for what is personal."""
    if table is Table.PERSONAL:
        plain = ColumnProperties(statistics_enabled="NONE")
        return WriterProperties(compression="ZSTD", compression_level=1, default_column_properties=plain)
    unique = {name: ColumnProperties(dictionary_enabled=False) for name in ("input_id", "label_id")}
    return WriterProperties(compression="ZSTD", compression_level=1, column_properties=unique)


def persist(folder: Path) -> None:
    """Return once the newest commit of the Delta table in `folder` and the files it added are on stable storage."""
    log = folder / "_delta_log"
    commit = max(log.glob("*.json"))
    added = [json.loads(line).get("add", {}).get("path") for line in commit.read_text().splitlines()]
    files = [folder / each for each in added if each]
    # A checkpoint is written beside some commits, and a torn one would hide the whole table.
    marks = [*sorted(log.glob("*.checkpoint*.parquet"))[-1:], *log.glob("_last_checkpoint")]
    folders = {each.parent for each in files} | {log, folder, *folder.parents[:4]}
    for path in (*files, commit, *marks, *sorted(folders)):
        durability.sync(path)


def _partition(table: Table) -> list[str] | None:
    return ["date"] if table in DATED else None


def _configuration(table: Table) -> dict[str, str | None]:
    # Statistics of times are kept in milliseconds there and would hide rows from a reader that trusts them.
    keys = {Table.INPUTS: "input_id", Table.ANSWERS: "input_id", Table.LABELS: "label_id"}
    if table in keys:
        return {"delta.dataSkippingStatsColumns": keys[table]}
    return {"delta.dataSkippingNumIndexedCols": "0"}


def _widened(old: pa.Schema, new: pa.Schema) -> pa.Schema:
    fields = {each.name: each for each in old}
    for each in new:
        known = fields.get(each.name)
        fields[each.name] = each if known is None else pa.field(each.name, _gaining(known.type, each.type))
    return pa.schema(list(fields.values()))


def _gaining(old: pa.DataType, new: pa.DataType) -> pa.DataType:
    if not pa.types.is_struct(old):
        return old
    return pa.struct([*old, *(each for each in new if old.get_field_index(each.name) < 0)])


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema as this code writes it: Delta hands back views and other spellings of the same types."""

    def spelled(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(each.name, spelled(each.type)) for each in kind])
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return pa.list_(spelled(kind.value_type))
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            return pa.string()
        if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
            return pa.binary()
        return kind

    return pa.schema([pa.field(each.name, spelled(each.type)) for each in schema])


def each_table(lake: Lake) -> Iterator[tuple[str, str, Table]]:
    """Every (project, endpoint, table) of the lake."""
    for project, endpoint in lake.endpoints():
        for table in Table:
            yield project, endpoint, table
