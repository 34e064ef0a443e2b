"""Where columns come from, one at a time: a table in memory, or a Parquet file of which one column is held at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from headgate.errors import BadInput


class Source(Protocol):
    """Columns by name, all of the same rows."""

    @property
    def names(self) -> Sequence[str]:
        """Every column's name, in order."""

    def column(self, name: str) -> Any:
        """One column as a chunked array; BadInput when it cannot be read, or cannot be told from another."""


class TableSource:
    """The columns of an Arrow table.

    >>> TableSource(pa.table({"a": [1, 2]})).column("a").to_pylist()
    [1, 2]
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def names(self) -> Sequence[str]:
        """Every column's name, in order."""
        names: list[str] = self._table.column_names
        return names

    def column(self, name: str) -> Any:
        """One column as a chunked array; BadInput, rule ``unique``, when several have this name."""
        _check_once(name, self.names)
        return self._table[name]


class ParquetSource:
    """The columns of a Parquet file, each read when it is asked for, in the calling thread alone.

    Raises BadInput, rule ``unreadable``, when this is no Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            # Not mapped into memory: what was read of a mapped file counts as this process's until the file is closed.
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(self._name, "unreadable", f"is no Parquet file ({type(error).__name__})") from error

    @property
    def names(self) -> Sequence[str]:
        """Every column's name, in order."""
        names: list[str] = self._file.schema_arrow.names
        return names

    def column(self, name: str) -> Any:
        """One column as a chunked array, nothing of the others is read; BadInput as for a table."""
        _check_once(name, self.names)
        try:
            return self._file.read(columns=[name], use_threads=False)[name]
        except (pa.ArrowException, OSError) as error:
            raise BadInput(self._name, "unreadable", f"a column is damaged ({type(error).__name__})") from error


def _check_once(name: str, names: Sequence[str]) -> None:
    if names.count(name) > 1:
        raise BadInput(name, "unique", f"{names.count(name)} columns have this name")
