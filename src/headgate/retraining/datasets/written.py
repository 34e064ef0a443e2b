"""Lays a training set down in a folder of its own: aside first, then under its digest in one step, or not at all."""

import contextlib
import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from headgate import durability
from headgate.retraining.datasets.columns import feature_names
from headgate.retraining.datasets.dataset import INPUT_ID, LABEL, ROWS_FILE, VALUE_FILE, Dataset
from headgate.retraining.datasets.digests import Digester
from headgate.retraining.datasets.opened import folder_of
from headgate.vocabulary import Digest

PIECE: Final = 250_000
"""Rows that are written at once."""
ASIDE: Final = ".aside-"
"""How a folder begins in which a set is being made."""
_LOCK: Final = "lock"
"""Held as long as its maker lives."""
_THERE: Final = (errno.EEXIST, errno.ENOTEMPTY)


@contextlib.contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A folder beside the sets in `folder` to work in; it and all that is left in it are gone afterwards.

    So is what a process that was killed left there.
    """
    durability.make_folder(folder)
    for left in folder.glob(f"{ASIDE}*"):
        _remove_if_left(left)
    made = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder))
    with (made / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    """Remove a folder whose maker is gone: the kernel gave its lock back."""
    # One that was made this very moment has no lock yet, and stays.
    with contextlib.suppress(FileNotFoundError, BlockingIOError), (folder / _LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)


class Rows:
    """A file of rows that grows piece by piece, and what is known of them; use it with ``with``.

    A piece is written and digested beside the caller, who waits for the one before: two are held at most.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        texts = [each.name for each in schema if pa.types.is_string(each.type) and each.name != INPUT_ID]
        self._writer = pq.ParquetWriter(
            path, schema, compression="zstd", compression_level=1, use_dictionary=texts, write_statistics=True
        )
        self._schema = schema
        self._digester = Digester(schema)
        self._beside = ThreadPoolExecutor(2)
        self._waiting: list[Future[None]] = []
        self.count = 0
        self.classes: dict[Any, int] = {}
        self.copies = set(feature_names(schema))
        """Features that say the label itself in every row so far."""

    def __enter__(self) -> "Rows":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._settle()
        finally:
            self._beside.shutdown()
            self._writer.close()

    def add(self, rows: pa.Table) -> None:
        """The next rows. Raises OSError where an earlier piece could not be written."""
        rows = rows.select(self._schema.names).cast(self._schema).combine_chunks()
        self._settle()
        self._waiting = [
            self._beside.submit(self._writer.write_table, rows),
            self._beside.submit(self._digester.add, rows),
        ]
        self.count += len(rows)
        self._count(rows)

    def digest(self) -> Digest:
        """Of all rows."""
        self._settle()
        return self._digester.digest()

    def _settle(self) -> None:
        for each in self._waiting:
            each.result()
        self._waiting = []

    def _count(self, rows: pa.Table) -> None:
        label = rows[LABEL]
        if not pa.types.is_floating(label.type):
            for each in pc.value_counts(label).to_pylist():
                self.classes[each["values"]] = self.classes.get(each["values"], 0) + each["counts"]
        self.copies = {each for each in self.copies if _same(rows[each], label)}


def keep_table(table: pa.Table, dataset: Dataset, folder: Path) -> Dataset:
    """Keep rows that somebody else made as a set among those in `folder`: features, then the columns every set has.

    Of `dataset` the digest and the number of bytes are filled in. Raises OSError.
    """
    with aside(folder) as work:
        made = work / "made"
        durability.make_folder(made)
        with Rows(made / ROWS_FILE, table.schema) as rows:
            for begin in range(0, len(table), PIECE):
                rows.add(table.slice(begin, PIECE))
            digest = rows.digest()
        size = (made / ROWS_FILE).stat().st_size
        return keep(made, msgspec.structs.replace(dataset, digest=digest, bytes=size), folder)


def keep(made: Path, dataset: Dataset, folder: Path) -> Dataset:
    """Put the folder `made`, which has the rows, among the sets in `folder`, and return what is there under its digest.

    A set that is there already is the same, and stays as it is. All is on stable storage on return. Raises OSError.
    """
    (made / VALUE_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(dataset)) + b"\n")
    for each in (made / ROWS_FILE, made / VALUE_FILE, made):
        durability.sync(each)
    target = folder_of(folder, dataset.digest)
    try:
        made.rename(target)
    except OSError as error:
        if error.errno not in _THERE:
            raise
    durability.sync(folder)
    return msgspec.json.decode((target / VALUE_FILE).read_bytes(), type=Dataset)


def _same(column: pa.ChunkedArray, label: pa.ChunkedArray) -> bool:
    """Whether a feature is the label in every row."""
    try:
        return not len(label) or bool(pc.all(pc.fill_null(pc.equal(column.cast(label.type), label), False)).as_py())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
