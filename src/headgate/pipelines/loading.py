"""The load step: what is new of a source is put down as it came, in the run's own folder; nothing else is touched."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headgate import durability
from headgate.pipelines.shaping import columns_of
from headgate.pipelines.sources.ports import Mark, Source
from headgate.pipelines.state import Pulled


def load(source: Source, mark: Mark, folder: Path) -> Pulled:
    """Every row of `source` since `mark`, in files of `folder`, which is emptied first.

    All rows there are, where they are those of last time by the source's own word, count as nothing. Raises what the
    source raises.
    """
    shutil.rmtree(folder, ignore_errors=True)
    durability.make_folder(folder)
    writer = _Writer(folder)
    pull = source.pull(mark, writer.take)
    if pull.whole and pull.mark == mark:
        writer.forget()
    schema = pa.schema([]) if writer.schema is None else writer.schema
    return Pulled(writer.rows, pull.mark, columns_of(schema), mark, pull.whole and writer.rows > 0, pull.notes)


class _Writer:
    """Puts down tables, a file each, since what one lacks another may have."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self.rows = 0
        self.schema: Any = None

    def take(self, table: pa.Table) -> None:
        """One table more."""
        plain = table.schema.remove_metadata()
        self.schema = plain if self.schema is None else unified([self.schema, plain])
        if table.num_rows:
            pq.write_table(table, self._folder / f"{self._files:06d}.parquet")
            self._files += 1
            self.rows += table.num_rows

    def forget(self) -> None:
        """None of it was new."""
        for each in self._folder.glob("*.parquet"):
            each.unlink()
        self.rows = 0


def unified(schemas: list[Any]) -> Any:
    """One schema for all: what is missing in some, or of a narrower type, becomes what the others have."""
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # A column of two types that have nothing in common is read as text.
        names = list(dict.fromkeys(name for each in schemas for name in each.names))
        return pa.schema(
            [(name, _one([each.field(name).type for each in schemas if name in each.names])) for name in names]
        )


def _one(kinds: list[Any]) -> Any:
    kinds = [each for each in dict.fromkeys(kinds) if each != pa.null()] or [pa.null()]
    return kinds[0] if len(kinds) == 1 else pa.string()


def loaded(folder: Path) -> Iterator[pa.Table]:
    """What `load` put down, in order, each table with all columns."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return
    schema = unified([pq.read_schema(each).remove_metadata() for each in files])
    for each in files:
        table = pq.read_table(each)
        yield pa.table([_as(table, field) for field in schema], names=schema.names)


def _as(table: pa.Table, field: Any) -> Any:
    """The column of `table` that a field describes; null in every row where it has none."""
    if field.name not in table.column_names:
        return pa.nulls(table.num_rows, field.type)
    return table[field.name].cast(field.type)
