"""What a model would be once it is served: its form, its latency, its size. The registry's own steps tell."""

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from headgate.contracts.tables import as_table
from headgate.errors import HeadgateError
from headgate.registry.choice import choose, rows_for
from headgate.registry.importers.recognise import importer_of
from headgate.registry.package import Engine
from headgate.registry.ports import Runner
from headgate.registry.reference import contract_for

ASKED: Final = 1_000
"""Rows that a package is compared with its model on, before registration compares more."""
_CALLS: Final = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A model as a package."""

    exact: bool
    """Whether it runs as ONNX and answers as the model itself does."""
    form: str
    """As people read it; empty when no package can be made of it."""
    row_us: float | None
    """Median time in microseconds for one row asked alone, on one thread; None without a package."""
    size_bytes: int | None
    """Of the file that is served; None without a package."""
    why: str
    """What was wrong with forms before this one, or with all of them."""


def served(
    model: Any, frame: pd.DataFrame, label: Any, runner: Runner, clock: Callable[[], float] = time.perf_counter
) -> Served:
    """`model` packaged as `headgate.registry.register` would, without keeping it, and asked row by row.

    `frame` holds rows it knows, `label` the truth of each.
    """
    rows = frame.iloc[-ASKED:]
    name = "label"
    while name in rows.columns:
        name += "_"
    table = as_table(rows.assign(**{name: list(label[-ASKED:])}))
    with tempfile.TemporaryDirectory(prefix="headgate-search-") as folder:
        try:
            importer = importer_of(model)
            contract = contract_for(importer.traits(model), table, name)
            features = table.select(list(contract.names))
            imported = importer.build(model, contract, features, trust=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                choice = choose(imported, contract, rows_for(imported, features, contract), runner, Path(folder))
            row_us = _row_us(runner, choice.folder, features, clock)
        except HeadgateError as error:
            return Served(False, "", None, None, str(error))
        exact = choice.candidate.engine is Engine.ONNX
        size = (choice.folder / choice.candidate.artefact).stat().st_size
        return Served(exact, choice.candidate.name, row_us, size, "" if exact else choice.report.reason)


def _row_us(runner: Runner, folder: Path, features: pa.Table, clock: Callable[[], float]) -> float:
    model = runner(folder)
    rows = [features.slice(place % features.num_rows, 1) for place in range(_CALLS)]
    seconds = []
    for row in rows:
        begun = clock()
        model.predict(row)
        seconds.append(clock() - begun)
    return round(statistics.median(seconds) * 1e6, 1)
