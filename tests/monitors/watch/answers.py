"""Portions of rows that a made-up model answered, whole columns at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from headgate.contracts.contract import Output
from headgate.evaluation.estimate import Floats
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.monitor import Portion
from headgate.monitors.watch.scene import Scene
from headgate.vocabulary import DAY, HOUR, Micros, Role, Task

VERSION = "churn:1"
CLASSES = ("no", "yes")
BINARY = Output(Task.BINARY, classes=CLASSES, probability=True)
SOURCE = Source("default", "churn", (Role.LIVE,))
MONDAY = 20_003 * DAY


def answered(
    start: int,
    chance: Floats,
    *,
    features: pa.Table | None = None,
    label: Sequence[Any] | None = None,
    groups: pa.Table | None = None,
    prediction: Sequence[Any] | None = None,
    flags: Sequence[list[str]] | None = None,
    refused: Sequence[str | None] | None = None,
) -> pa.Table:
    """Rows a second apart, with the stated chance of ``yes``; those refused, by ``rule:field``, have no answer."""
    rows = len(chance)
    known = [each is None for each in refused or [None] * rows]
    said = list(prediction) if prediction is not None else np.where(chance > 0.5, "yes", "no").tolist()
    kind = pa.float64() if said and isinstance(said[0], float) else pa.string()
    at = pa.array(start + np.arange(rows) * 1_000_000, pa.timestamp("us", tz="UTC"))
    broken = [each.split(":") if each else (None, None) for each in refused or [None] * rows]
    columns = {
        "at": at,
        "assigned": pa.array([VERSION if each else None for each in known], pa.string()),
        "answered": pa.array([VERSION if each else None for each in known], pa.string()),
        "role": pa.array(["live" if each else None for each in known], pa.string()),
        "prediction": pa.array([each if ok else None for each, ok in zip(said, known, strict=True)], kind),
        "scores": pa.array(
            [[1 - each, each] if ok else None for each, ok in zip(chance.tolist(), known, strict=True)],
            pa.list_(pa.float64()),
        ),
        "compute_us": pa.array([200] * rows, pa.int64()),
        "latency_us": pa.array([900] * rows, pa.int64()),
        "fallback": pa.array([""] * rows, pa.string()),
        "refusal_field": pa.array([each[1] for each in broken], pa.string()),
        "refusal_rule": pa.array([each[0] for each in broken], pa.string()),
        "flags": pa.array(list(flags) if flags is not None else [[] for _ in range(rows)], pa.list_(pa.string())),
        "label": pa.array(label if label is not None else [None] * rows, kind),
    }
    for name, table in (("features", features), ("groups", groups)):
        if table is not None:
            arrays = [each.combine_chunks() for each in table.columns]
            mask = pa.array([not each for each in known]) if name == "features" else None
            columns[name] = pa.StructArray.from_arrays(arrays, names=table.column_names, mask=mask)
    return pa.table(columns)


def hour(table: pa.Table, start: int, output: Output = BINARY) -> Portion:
    """The hour that begins at `start`."""
    scene = Scene(SOURCE, VERSION, output)
    found = list(scene.hours(table, Micros(start), Micros(start + HOUR)))
    return found[0]


def last_hour(number: int) -> int:
    """When the last hour of a day begins, counted from a Monday."""
    return MONDAY + number * DAY + 23 * HOUR


def day(table: pa.Table, number: int, output: Output = BINARY) -> Portion:
    """The day with its labels."""
    return Scene(SOURCE, VERSION, output).day(table, Micros(MONDAY + number * DAY))
