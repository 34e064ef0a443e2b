"""CSV and Parquet files on this machine: each is read once it is new, or from its watermark on when it has grown."""

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from headgate.contracts.tables import without_views
from headgate.errors import BadInput, NotFound
from headgate.pipelines.sources.ports import CHUNK_ROWS, Mark, Pull, Take
from headgate.pipelines.sources.watermark import Watermark

EMPTY: tuple[str, ...] = ("", "NA", "NaN", "nan", "null", "NULL", "None")
"""Unquoted cells of CSV that mean that there is no value."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files by a name or a pattern."""

    name: str
    pattern: Path
    textual: bool
    """Whether they are CSV; otherwise they are Parquet."""
    watermark: Watermark | None = None

    def pull(self, mark: Mark, take: Take) -> Pull:
        """The rows of files that are new; of all files, when one has changed that no watermark divides."""
        found = {each: [each.stat().st_size, each.stat().st_mtime_ns] for each in self._files()}
        known: dict[str, list[int]] = mark.get("files", {})
        fresh = [each for each, said in found.items() if known.get(str(each)) != said]
        changed = [each for each in fresh if str(each) in known]
        whole = bool(changed) and self.watermark is None
        raised = mark
        for path in list(found) if whole else fresh:
            for table in read_file(self.name, path, csv=self.textual):
                rows = table if self.watermark is None else self.watermark.newer(table, mark)
                take(rows)
                raised = raised if self.watermark is None else self.watermark.raised(raised, rows)
        seen = {str(each): said for each, said in found.items()}
        notes = tuple(f"{each.name} has changed, so that all files were read anew" for each in changed if whole)
        return Pull({**raised, "files": seen if whole else known | seen}, whole, notes)

    def _files(self) -> list[Path]:
        found = sorted(Path(each) for each in glob.glob(str(self.pattern), recursive=True))
        files = [each for each in found if each.is_file()]
        if not files:
            raise NotFound("file", str(self.pattern), f"sources.{self.name} reads it; has it been moved?")
        return files


def read_file(source: str, path: Path, *, csv: bool) -> Iterator[pa.Table]:
    """The rows of a file, table by table; of CSV every value as text. Raises BadInput when it cannot be read."""
    reader: Callable[[Path], Iterator[pa.Table]] = _csv if csv else _parquet
    try:
        for table in reader(path):
            _refuse_duplicates(source, table.column_names)
            yield without_views(table)
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0][:200]
        raise BadInput(f"sources.{source}", "unreadable", f"{path.name} cannot be read: {first}") from error


def _refuse_duplicates(source: str, names: list[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadInput(f"sources.{source}", "duplicate", f"has more than one column '{name}'; name each once")


def _csv(path: Path) -> Iterator[pa.Table]:
    parse = pacsv.ParseOptions(newlines_in_values=True)  # texts have lines; without it they must fit a block
    with path.open("rb") as file:
        names = pacsv.open_csv(file, parse_options=parse).schema.names
    types = dict.fromkeys(names, pa.string())
    convert = pacsv.ConvertOptions(
        column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=list(EMPTY)
    )
    with pacsv.open_csv(path, parse_options=parse, convert_options=convert) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _parquet(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=CHUNK_ROWS):
            yield pa.Table.from_batches([batch])
