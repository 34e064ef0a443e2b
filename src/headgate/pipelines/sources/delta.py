"""A Delta table, read by version: the files that a newer version added, or all rows where older ones were rewritten."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from headgate.contracts.tables import without_views
from headgate.errors import BadInput, NotFound
from headgate.pipelines.sources.ports import CHUNK_ROWS, Mark, Pull, Take
from headgate.pipelines.sources.watermark import Watermark


@dataclass(frozen=True, slots=True)
class DeltaSource:
    """A table by its folder or address."""

    name: str
    where: str
    watermark: Watermark | None = None
    textual: bool = False

    def pull(self, mark: Mark, take: Take) -> Pull:
        """The rows of files the table did not have at `mark`; all rows where files of then are gone."""
        try:
            table = DeltaTable(self.where)
        except TableNotFoundError as error:
            raise NotFound("Delta table", self.where, f"sources.{self.name} reads it; has it been moved?") from error
        except (DeltaError, OSError) as error:
            raise BadInput(f"sources.{self.name}", "unreadable", _first(error)) from error
        version, files = table.version(), sorted(table.file_uris())
        if mark.get("version") == version:
            return Pull(mark)
        known = set(mark.get("files", ()))
        rewritten = not known <= set(files)
        whole = rewritten and self.watermark is None
        new = None if whole or rewritten else [each for each in files if each not in known]
        raised = self._hand_on(table, new, mark, take)
        notes = ("rows of an earlier version were rewritten, so that all were read anew",) if whole else ()
        return Pull({**raised, "version": version, "files": files}, whole, notes)

    def _hand_on(self, table: DeltaTable, new: list[str] | None, mark: Mark, take: Take) -> Mark:
        raised = mark
        try:
            for rows in self._tables(table, new):
                newer = rows if self.watermark is None else self.watermark.newer(rows, mark)
                take(newer)
                raised = raised if self.watermark is None else self.watermark.raised(raised, newer)
        except (DeltaError, OSError) as error:
            raise BadInput(f"sources.{self.name}", "unreadable", _first(error)) from error
        return raised

    def _tables(self, table: DeltaTable, new: list[str] | None) -> Any:
        """All rows, or those of files that are new; columns that only the log knows (partitions) need the former."""
        local = not table.metadata().partition_columns and new is not None and "://" not in self.where
        if local and new is not None:
            for each in new:
                with pq.ParquetFile(each.removeprefix("file://")) as file:
                    for batch in file.iter_batches(batch_size=CHUNK_ROWS):
                        yield without_views(pa.Table.from_batches([batch]))
            return
        wanted = None if new is None else set(new)
        rows = table.to_pyarrow_dataset()
        for fragment in rows.get_fragments():
            if wanted is None or any(each.endswith(fragment.path) for each in wanted):
                # With the whole schema, or what the log alone knows would be missing.
                for batch in fragment.to_batches(schema=rows.schema, batch_size=CHUNK_ROWS):
                    yield without_views(pa.Table.from_batches([batch]))


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
