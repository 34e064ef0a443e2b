"""A SELECT asked of a database through SQLAlchemy: the rows beyond the watermark, or all where there is none."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from headgate.errors import BadConfiguration, BadInput, MissingExtra, Unavailable
from headgate.pipelines.sources.ports import CHUNK_ROWS, Mark, Pull, Take
from headgate.pipelines.sources.watermark import Watermark

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A query and the database it is asked of."""

    name: str
    url: str
    """As SQLAlchemy spells it; it may hold a password, so that no message repeats it."""
    query: str
    watermark: Watermark | None = None
    textual: bool = False

    def pull(self, mark: Mark, take: Take) -> Pull:
        """The rows beyond the watermark in its order; without one all, and a mark that tells whether they differ."""
        engine = self._engine()
        try:
            with self._translated(), engine.connect() as connection:
                streamed = connection.execution_options(stream_results=True, yield_per=CHUNK_ROWS)
                return self._pull(streamed, mark, take)
        finally:
            engine.dispose()

    def _pull(self, connection: sa.Connection, mark: Mark, take: Take) -> Pull:
        statement, bound = self._statement(mark)
        result = connection.execute(sa.text(statement), bound)
        names = list(map(str, result.keys()))
        for place, name in enumerate(names):
            if name in names[:place]:
                raise BadInput(f"sources.{self.name}", "duplicate", f"selects '{name}' twice; name each column once")
        raised, seen, rows = mark, hashlib.sha256(json.dumps(names).encode()), 0
        for chunk in result.partitions(CHUNK_ROWS):
            table = pa.table([_column(values) for values in zip(*chunk, strict=True)], names=names)
            seen.update(repr([tuple(each) for each in chunk]).encode())
            rows += table.num_rows
            take(table)
            raised = raised if self.watermark is None else _raised(self.watermark, raised, table)
        if not rows:
            take(pa.table([pa.nulls(0)] * len(names), names=names))
        if self.watermark is not None:
            return Pull(raised)
        return Pull({"seen": seen.hexdigest()}, whole=True)

    def _statement(self, mark: Mark) -> tuple[str, dict[str, Any]]:
        query = self.query.strip().rstrip(";")
        if self.watermark is None:
            return query, {}
        # The query has lines of its own: it may end in a comment.
        column = f'"{self.watermark.column}"'
        asked = f"SELECT * FROM (\n{query}\n) AS asked"  # noqa: S608 - the operator's own query
        if "highest" not in mark:
            return f"{asked} ORDER BY {column}", {}
        return f"{asked} WHERE {column} > :since ORDER BY {column}", {"since": _since(self.watermark, mark)}

    def _engine(self) -> sa.Engine:
        try:
            url = sa.make_url(self.url)
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            return sa.create_engine(url, poolclass=sa.NullPool)
        except sa.exc.NoSuchModuleError as error:
            raise BadConfiguration(f"sources.{self.name}.url", "names a database SQLAlchemy does not know") from error
        except ModuleNotFoundError as error:
            if error.name == "psycopg":
                raise MissingExtra("reading PostgreSQL", "postgres") from error
            says = f"needs the driver '{error.name}', which is not installed"
            raise BadConfiguration(f"sources.{self.name}.url", says) from error
        except sa.exc.ArgumentError as error:
            raise BadConfiguration(
                f"sources.{self.name}.url", "is no database, such as postgresql://USER@HOST/NAME"
            ) from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """What the database complains of, as an error that says who must act."""
        try:
            yield
        except sa.exc.OperationalError as error:
            if error.statement is None:
                raise Unavailable(f"sources.{self.name}: the database cannot be reached: {_first(error)}") from error
            raise self._refused(error) from error
        except sa.exc.DBAPIError as error:
            raise self._refused(error) from error

    def _refused(self, error: sa.exc.DBAPIError) -> BadInput:
        return BadInput(f"sources.{self.name}", "source", f"the database refuses the query: {_first(error)}")


def _since(watermark: Watermark, mark: Mark) -> Any:
    """The value beyond which rows are new, as the database has it."""
    if mark.get("spelled"):
        return mark["spelled"]
    since = watermark.since(mark)
    if mark["kind"] != "moment":
        return since
    moment = _EPOCH + timedelta(microseconds=since)
    return moment if mark.get("zoned") else moment.replace(tzinfo=None)


def _raised(watermark: Watermark, mark: Mark, table: pa.Table) -> Mark:
    """SQLite keeps moments as texts, and compares them as such: those are remembered as they are spelled."""
    raised = watermark.raised(mark, table)
    values = table[watermark.column]
    if pa.types.is_string(values.type) and not watermark.overlap_s:
        spelled = max((each for each in values.to_pylist() if each is not None), default="")
        return {**raised, "spelled": max(spelled, mark.get("spelled", ""))}
    return {**raised, "zoned": bool(getattr(values.type, "tz", None))}


def _first(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).partition("\n")[0][:200]


def _column(values: Sequence[Any]) -> pa.Array:
    """Values of a database as one Arrow column: decimals as floats, moments in UTC, what tables do not hold as text."""
    kinds = {type(each) for each in values if each is not None}
    if Decimal in kinds:
        return pa.array([None if each is None else float(each) for each in values], pa.float64())
    if kinds == {datetime} and any(each is not None and each.tzinfo for each in values):
        return pa.array(values, pa.timestamp("us", "UTC"))
    if kinds <= {dict, list}:
        return pa.array([None if each is None else json.dumps(each) for each in values], pa.string())
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if each is None else str(each) for each in values], pa.string())
