"""Transforms: SELECTs that DuckDB runs, and Python functions, from tables to tables. `serving` runs the same ones.

A SELECT sees the pipeline's tables and nothing else: no file, no network, and no extension is loaded for it.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.contracts.tables import as_table, without_views
from headgate.errors import BadConfiguration, BadInput, HeadgateError, NotFound
from headgate.pipelines.pipelinefile import ROWS, PipelineFile, TransformWords

Make = Callable[[Any], Any]
_ALL: Final = f"FROM {ROWS}"


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform, ready to run."""

    key: str
    """Where it stands in the pipeline's file, for complaints."""
    sql: str | None = None
    make: Make | None = None
    """The Python function, where it is one."""
    code: str = ""
    """Its text: the SELECT, or all of the function's file."""


def read_transforms(file: PipelineFile) -> list[Transform]:
    """Every transform of the pipeline. Raises NotFound and BadConfiguration for a Python file or function not there."""
    return [_read(file, f"transforms[{place}]", each) for place, each in enumerate(file.said.transforms)]


def _read(file: PipelineFile, key: str, words: TransformWords) -> Transform:
    if words.sql is not None:
        return Transform(key, sql=words.sql.strip().rstrip(";"), code=words.sql)
    name, _, function = (words.python or "").partition(":")
    path = file.folder / name
    if not path.is_file():
        raise NotFound("file", str(path), f"{file.path.name}: {key}.python names it")
    code = path.read_text(encoding="utf-8")
    return Transform(key, make=function_in(code, str(path), function), code=code)


def function_in(code: str, where: str, name: str) -> Make:
    """The function of that name in Python's `code`, which runs now. Raises BadConfiguration when it cannot."""
    said = hashlib.sha256(code.encode()).hexdigest()[:16]
    module = ModuleType(f"headgate_pipeline_{said}")
    module.__file__ = where
    sys.modules[module.__name__] = module  # dataclasses look the module of a class up by its name
    try:
        exec(compile(code, where, "exec"), module.__dict__)  # noqa: S102 - the operator's own file, which they named
        found = getattr(module, name)
    except AttributeError as error:
        raise BadConfiguration(where, f"has no function '{name}'") from error
    except Exception as error:
        raise BadConfiguration(where, f"cannot be run: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise BadConfiguration(where, f"'{name}' is no function")
    make: Make = found
    return make


class Tables:
    """A database that knows tables by name, and runs transforms one after the other over ``rows``."""

    def __init__(self, path: Path | None = None, *, reads: Path | None = None) -> None:
        """`path` holds what does not fit into memory; `reads` is the folder whose Parquet files may be tables."""
        config: dict[str, Any] = {
            "allow_community_extensions": "false", "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false", "threads": "1",
        }  # fmt: skip
        self._database = duckdb.connect(":memory:" if path is None else str(path), config=config)
        if reads is not None:
            self._database.execute(f"SET allowed_directories = ['{_quoted(str(reads))}']")
        # Names in SQL mean tables, never variables of whatever Python happens to run.
        self._database.execute("SET python_enable_replacements = false")
        self._database.execute("SET enable_external_access = false")
        self._steps = 0

    def __enter__(self) -> "Tables":
        return self

    def __exit__(self, *_error: object) -> None:
        self._database.close()

    def add(self, name: str, query: str) -> None:
        """A table by the SELECT that gives it."""
        self._database.execute(f'CREATE OR REPLACE VIEW "{name}" AS {query}')

    def put(self, name: str, table: pa.Table) -> None:
        """A table that is there already."""
        self._database.register(name, table)

    def run(self, transform: Transform) -> None:
        """Let ``rows`` be what `transform` makes. Raises BadInput with what the database or the function says."""
        if transform.make is not None:
            self._database.register("handed", self.made(transform))
            self._keep("FROM handed")
            self._database.unregister("handed")
            return
        with _told(transform):
            self._keep(transform.sql or "")

    def _keep(self, query: str) -> None:
        """Let ``rows`` be what a query gives, put down: it may read the ``rows`` of before."""
        self._steps += 1
        self._database.execute(f"CREATE TABLE made_{self._steps} AS {query}")
        self.add(ROWS, f"FROM made_{self._steps}")

    def made(self, transform: Transform) -> pa.Table:
        """What `transform` makes of ``rows``, which stay as they are. Raises BadInput as `run` does."""
        with _told(transform):
            if transform.make is not None:
                return as_table(transform.make(self.rows()))
            return self.query(transform.sql or "")

    def rows(self) -> pa.Table:
        """What the last transform made."""
        return self.query(_ALL)

    def query(self, query: str) -> pa.Table:
        """What a SELECT gives."""
        return without_views(self._database.sql(query).to_arrow_table())

    def names(self) -> list[str]:
        """The columns of ``rows``."""
        return list(self._database.sql(_ALL).columns)

    def order(self, by: Sequence[str]) -> None:
        """Let ``rows`` be in the order of those columns, then of all: the same rows always come in the same order."""
        names = [*by, *(each for each in self.names() if each not in by)]
        self._keep(f"{_ALL} ORDER BY " + ", ".join(f'"{each}" NULLS FIRST' for each in names))


@contextmanager
def _told(transform: Transform) -> Iterator[None]:
    try:
        yield
    except HeadgateError as error:
        raise BadInput(transform.key, "table", f"returns no table: {error}") from error
    except duckdb.Error as error:
        raise BadInput(transform.key, "sql", str(error).partition("\n\n")[0].replace("\n", " ")) from error
    except Exception as error:
        # Whatever the operator's function raises: it ends the step with the function's own words.
        raise BadInput(transform.key, "python", f"raises {type(error).__name__}: {error}") from error


def kept_rows(files: Sequence[Path], key: Sequence[str]) -> str:
    """A SELECT of a source's kept rows: of rows with the same key the one that came last."""
    listed = ", ".join(f"'{_quoted(str(each))}'" for each in files)
    read = f"read_parquet([{listed}], union_by_name = true, filename = true, file_row_number = true)"
    select = " ".join(["SELECT * EXCLUDE (filename, file_row_number) FROM", read])
    if not key:
        return select
    names = ", ".join(f'"{each}"' for each in key)
    newest = "ORDER BY filename DESC, file_row_number DESC"
    return f"{select} QUALIFY row_number() OVER (PARTITION BY {names} {newest}) = 1"


def only_new(fresh: Path, files: Sequence[Path], key: Sequence[str], reads: Path) -> pa.Table:
    """The rows of the file `fresh` that the files of kept rows do not have already, the same in every column."""
    place = "file_row_number"
    with Tables(reads=reads) as tables:
        tables.add("kept", kept_rows(files, key))
        tables.add("fresh", f"FROM read_parquet('{_quoted(str(fresh))}', {place} = true)")
        names = [each for each in pq.read_schema(fresh).names if each in tables.query("FROM kept LIMIT 0").column_names]
        same = " AND ".join(f'fresh."{each}" IS NOT DISTINCT FROM kept."{each}"' for each in names)
        found = tables.query(f"FROM fresh ANTI JOIN kept ON {same} ORDER BY {place}")
    return found.drop_columns([place])


def _quoted(text: str) -> str:
    return text.replace("'", "''")
