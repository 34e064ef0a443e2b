"""Joined tables as the journal's reader gives them, written row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa


def moment(text: str) -> int:
    """Microseconds of an ISO moment in UTC."""
    return int(np.datetime64(text, "us").astype(np.int64))


@dataclass(frozen=True)
class Row:
    """One input with the answer its caller saw."""

    at: int = moment("2013-03-10T12:00")
    assigned: str | None = "flight:1"
    answered: str | None = "flight:1"
    role: str | None = "live"
    prediction: Any = "no"
    scores: list[float] | None = field(default_factory=lambda: [0.8, 0.2])
    compute_us: int | None = 200
    latency_us: int | None = 1000
    fallback: str | None = ""
    refusal_rule: str | None = None
    flags: list[str] = field(default_factory=list)
    label: Any = None


NOTHING = Row(
    assigned=None,
    answered=None,
    role=None,
    prediction=None,
    scores=None,
    compute_us=None,
    latency_us=None,
    fallback=None,
)


def refused(rule: str, at: int = Row.at) -> Row:
    """An input no version saw."""
    return replace(NOTHING, refusal_rule=rule, at=at)


def table(rows: Sequence[Row], value: pa.DataType | None = None) -> pa.Table:
    """The rows as Arrow, labels and predictions of one type."""
    kind = value or pa.string()
    types = {
        "at": pa.timestamp("us", tz="UTC"),
        "prediction": kind,
        "label": kind,
        "scores": pa.list_(pa.float64()),
        "compute_us": pa.int64(),
        "latency_us": pa.int64(),
        "flags": pa.list_(pa.string()),
    }
    names = list(Row.__dataclass_fields__)
    return pa.table(
        {name: pa.array([getattr(row, name) for row in rows], type=types.get(name, pa.string())) for name in names}
    )
