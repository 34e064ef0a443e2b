"""What it costs to look at rows for outliers: `python -m benchmarks.monitors.screens [--quick]`.

A detector of so many numbers on the rows of one turn of a gateway's loop, as `gateway/screens.py` has them looked at:
requests of one row each, and one request that came as a matrix. Microseconds of the processor a turn and a row, the
median of many turns, on one core. Nothing of the kind happens at an endpoint whose file does not ask for it: there a
turn looks at one None. Writes ``monitor-screens.json`` and ``monitor-screens.md``; exit code 1 when a promise was
missed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks import report
from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.gateway.columns import LazyRows, Matrix
from headgate.gateway.reading import Reading
from headgate.gateway.screening import RowScreen, row_screen
from headgate.monitors.outliers.fits import tabular_detector
from headgate.monitors.outliers.screen import OutlierScreen
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task

REFERENCE: Final = 5_000
COLUMNS: Final = (20, 50)
ONE_REQUEST_US: Final = 150.0
"""A request alone in its turn, 20 numbers."""
BUSY_ROW_US: Final = 30.0
"""A row of a turn of 64 requests, 20 numbers."""
LIBRARIES: Final = ("headgate", "numpy", "pyarrow", "msgspec")


def screen(columns: int) -> tuple[RowScreen, np.ndarray[Any, np.dtype[np.float64]]]:
    """A screen of so many numbers, and a thousand rows that it does not mark."""
    draw = np.random.default_rng(11)
    values = draw.normal(size=(REFERENCE + 1200, columns)) @ (np.eye(columns) + 0.1)
    names = [f"f{place}" for place in range(columns)]
    made = tabular_detector(pa.table(dict(zip(names, values[:REFERENCE].T, strict=True))), flag=0.001)
    if isinstance(made, Shortfall):
        raise RuntimeError(made.reason)
    contract = Contract(tuple(Field(each, Kind.NUMBER) for each in names), Output(Task.REGRESSION))
    judge = OutlierScreen(made)
    found = row_screen(judge, contract)
    if found is None:
        raise RuntimeError("the contract has every field")
    fresh = values[REFERENCE:]
    # A row that is marked leaves its request another than it was, and no two turns would be alike.
    return found, fresh[judge.scores(fresh) <= made.flag.score][:1000]


def turn_us(found: RowScreen, readings: list[Reading], turns: int) -> float:
    """Microseconds of the processor to look at these, the median of so many turns."""
    took = []
    for _ in range(turns):
        began = time.process_time_ns()
        found.mark(readings)
        took.append((time.process_time_ns() - began) / 1000)
    return statistics.median(took)


def measured(turns: int) -> Iterator[dict[str, Any]]:
    """One line per number of columns and kind of turn."""
    for columns in COLUMNS:
        found, values = screen(columns)
        singles = [Reading([tuple(row)], True, None, None, None, None, None) for row in values.tolist()]
        matrix = Matrix(values)
        kinds = {
            "1 request of a row": singles[:1],
            "64 requests of a row": singles[:64],
            "1 request of 1,000 rows": [Reading(LazyRows(matrix), True, None, None, None, None, None, matrix)],
        }
        for kind, readings in kinds.items():
            took = turn_us(found, readings, turns)
            rows = sum(len(each.rows) for each in readings)
            yield {"numbers": columns, "turn": kind, "us_a_turn": round(took, 1), "us_a_row": round(took / rows, 2)}


def findings(folder: Path, chosen: argparse.Namespace) -> tuple[report.Rows, list[report.Gate]]:
    """The lines, and what is promised of those with 20 numbers."""
    rows = list(measured(200 if chosen.quick else 2000))
    alone, busy = (each["us_a_row"] for each in rows[:2])
    return rows, [
        report.at_most("us to look at a request of one row and 20 numbers alone, at most", alone, ONE_REQUEST_US),
        report.at_most("us a row to look at 64 of them together, at most", busy, BUSY_ROW_US),
    ]


def main() -> int:
    """See the module."""
    return report.run("monitor-screens", __doc__, findings, quick="fewer turns", libraries=LIBRARIES)


if __name__ == "__main__":
    sys.exit(main())
