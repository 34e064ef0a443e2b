"""A training set as any engine reads it: one Parquet file, and the value beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.errors import IntegrityError, NotFound
from headgate.retraining.datasets.dataset import INPUT_ID, ROWS_FILE, VALUE_FILE, Dataset
from headgate.retraining.datasets.digests import Digester

BATCH: Final = 100_000
"""Rows of a batch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A training set in its folder."""

    dataset: Dataset
    folder: Path

    @property
    def rows_file(self) -> Path:
        """The Parquet file: features, then ``label``, ``weight``, ``at``, ``input_id`` and ``source``."""
        return self.folder / ROWS_FILE

    def table(self) -> pa.Table:
        """All rows: those the model was first learned from, then the journal's by event time.

        Raises NotFound, as all that read rows do, once they were forgotten for the endpoint's retention.
        """
        with self._file() as opened:
            return opened.read()

    def batches(self, rows: int = BATCH) -> Iterator[pa.RecordBatch]:
        """The same, at most so many rows at a time."""
        with self._file() as opened:
            yield from opened.iter_batches(rows)

    def input_ids(self) -> tuple[str, ...]:
        """The inputs of the journal it was cut from, in order: what an erasure, or whoever proves a model, goes by."""
        with self._file() as opened:
            return tuple(opened.read([INPUT_ID])[INPUT_ID].drop_null().to_pylist())

    def verify(self) -> None:
        """Raises IntegrityError unless the rows are those its digest names."""
        with self._file() as opened:
            digester = Digester(opened.schema_arrow)
            for batch in opened.iter_batches(BATCH):
                digester.add(pa.Table.from_batches([batch]))
        if digester.digest() != self.dataset.digest:
            raise IntegrityError(f"{self.rows_file} is not the training set {self.dataset.digest}; cut it again")

    def _file(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.rows_file)
        except FileNotFoundError:
            said = "They were past the endpoint's retention; cut another set"
            raise NotFound("rows of training set", self.folder.name, said) from None


def folder_of(folder: Path, digest: str) -> Path:
    """Where the set of a digest lies among those in `folder`."""
    return folder / digest.removeprefix("sha256:")


def open_dataset(folder: Path) -> Opened:
    """The training set in `folder`, which was named by its digest. Raises NotFound and IntegrityError."""
    try:
        dataset = msgspec.json.decode((folder / VALUE_FILE).read_bytes(), type=Dataset)
    except FileNotFoundError:
        raise NotFound("training set", folder.name) from None
    except msgspec.MsgspecError as error:
        raise IntegrityError(f"{folder / VALUE_FILE} is no training set: {error}") from error
    return Opened(dataset, folder)
