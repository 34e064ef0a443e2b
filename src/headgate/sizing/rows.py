"""Rows to ask a package with, as the JSON its callers would send: its own reference rows, or made from its contract.

Called by the app's sizing in the process that asks; never in the one that is measured.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.decode import Decoder, compile_contract
from headgate.contracts.explain import bounds
from headgate.errors import BadInput, Violation
from headgate.registry.packages import REFERENCE
from headgate.runtimes.warmup import likely_row

MOST: Final = 1024
"""Rows kept to ask with; more would only be asked again sooner."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEED: Final = 20_130_101


@dataclass(frozen=True, slots=True)
class Questions:
    """Rows to ask with."""

    rows: tuple[bytes, ...]
    """Each the JSON of one row."""
    values: tuple[Mapping[str, Any], ...]
    """The same, as Python has them."""
    source: str
    """Where they come from, for people to read."""

    def body(self, count: int, start: int = 0) -> bytes:
        """A request of the native door with `count` rows, beginning at row `start` and going round."""
        chosen = (self.rows[(start + each) % len(self.rows)] for each in range(count))
        return b'{"rows":[%b]}' % b",".join(chosen)


def questions(package: Path, contract: Contract) -> Questions:
    """Rows that `contract` takes: of the reference the package in that directory has, else made up.

    A field that the reference does not have gets a likely value. Raises BadInput when no row is taken.
    """
    decoder = compile_contract(contract)
    reference = package / REFERENCE
    if reference.is_file():
        table = pa.parquet.read_table(reference)
        made = list(_taken(decoder, _of_table(table, contract)))
        source = f"{len(made):,} reference rows"
    else:
        made = list(_taken(decoder, _made_up(contract)))
        source = f"{len(made):,} rows made up from the contract, since the package has no reference"
    if not made:
        raise BadInput("reference", "contract", "no row of it keeps the contract, so there is nothing to ask with")
    return Questions(tuple(each for each, _ in made), tuple(each for _, each in made), source)


def _taken(decoder: Decoder, rows: Iterator[dict[str, Any]]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    for row in rows:
        raw = msgspec.json.encode(row)
        if not isinstance(decoder.explain(raw, "row"), Violation):
            yield raw, row


def _of_table(table: pa.Table, contract: Contract) -> Iterator[dict[str, Any]]:
    step = max(1, table.num_rows // MOST)
    picked = table.take(pa.array(np.arange(0, table.num_rows, step)[:MOST]))
    likely = dict(zip(contract.names, likely_row(contract), strict=True))
    for row in picked.to_pylist():
        yield {
            field.name: _plain(field, row[field.name] if field.name in row else likely[field.name])
            for field in contract.fields
        }


def _made_up(contract: Contract) -> Iterator[dict[str, Any]]:
    draw = np.random.default_rng(_SEED)
    likely = likely_row(contract)
    for place in range(MOST):
        yield {
            field.name: _plain(field, _varied(field, value, place, draw))
            for field, value in zip(contract.fields, likely, strict=True)
        }


def _varied(field: Field, likely: Any, place: int, draw: np.random.Generator) -> object:
    low, high = bounds(field)
    match field.kind:
        case Kind.NUMBER:
            return float(draw.uniform(likely - 1.0 if low is None else low, likely + 1.0 if high is None else high))
        case Kind.INTEGER if low is not None and high is not None and high - low >= 1:
            return int(low) + place % (int(high - low) + 1)
        case Kind.BOOLEAN:
            return place % 2 == 0
        case Kind.CATEGORY if field.domain:
            return field.domain[place % len(field.domain)]
    return likely


def _plain(field: Field, value: Any) -> object:
    """A value of a table or of the contract's own as callers write it; what does not fit stays and is refused."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    match field.kind:
        case Kind.TIMESTAMP:
            return _moment(value)
        case Kind.CATEGORY | Kind.TEXT:
            return str(value)
        case Kind.NUMBER:
            return float(value)
        case Kind.INTEGER if float(value).is_integer():
            return int(value)
    return value


def _moment(value: Any) -> object:
    if isinstance(value, int):
        return _EPOCH + timedelta(microseconds=value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value
