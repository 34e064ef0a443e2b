"""Three ways to keep a model, month by month: the first one for ever, always the latest, and the loop's.

All are judged on the same flights: those that were answered and have a label.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from headgate.demo.beside import Beside
from headgate.demo.flights import Flights
from headgate.demo.replay import Replay

STATIC: Final = "static"
LATEST: Final = "always-latest"
LOOP: Final = "Headgate"
POLICIES: Final = (STATIC, LATEST, LOOP)
ANSWERS: Final = "answers.parquet"
"""In the demo's home: what each flight was told, and by which version; by its line of the file."""
_MONTHS: Final = range(3, 13)


@dataclass(frozen=True, slots=True)
class Month:
    """One month, or all of them."""

    name: str
    flights: int
    """Answered, with a label."""
    auc: dict[str, float | None]
    """Of each policy; None where all flights were of one class."""
    brier: dict[str, float]
    versions: dict[str, int]
    """Flights by the version that answered them."""


@dataclass(frozen=True, slots=True)
class Table:
    """The months, and the whole."""

    months: tuple[Month, ...]
    whole: Month
    learned: int
    """How often always-latest took another model."""


def table_of(flights: Flights, replay: Replay, beside: Beside) -> Table:
    """The table of what was answered in `replay`, beside what the others would have said."""
    scores = {STATIC: beside.static[flights.row], LATEST: beside.latest[flights.row], LOOP: replay.scores}
    counted = ~np.isnan(replay.scores) & ~np.isnan(flights.late)
    chosen = {f"2013-{each:02}": counted & (flights.month == each) for each in _MONTHS}
    found = [_month(name, rows, flights, replay, scores) for name, rows in chosen.items() if rows.any()]
    return Table(tuple(found), _month("all", counted, flights, replay, scores), beside.learned)


def _month(
    name: str, chosen: NDArray[np.bool_], flights: Flights, replay: Replay, scores: dict[str, NDArray[np.float64]]
) -> Month:
    late = flights.late[chosen]
    both = len(np.unique(late)) > 1
    auc = {policy: float(roc_auc_score(late, each[chosen])) if both else None for policy, each in scores.items()}
    brier = {
        policy: float(((each[chosen] - late) ** 2).mean()) if len(late) else 0.0 for policy, each in scores.items()
    }
    return Month(name, len(late), auc, brier, dict(Counter(replay.versions[chosen].tolist())))


def keep_answers(flights: Flights, replay: Replay, home: Path) -> None:
    """Write `ANSWERS`, so that anybody can judge the demo from the data files and this one."""
    parts = {"row": flights.row, "at": flights.at, "version": replay.versions.astype(str), "score": replay.scores}
    pq.write_table(pa.table(parts), home / ANSWERS)


def table_row(month: Month) -> dict[str, Any]:
    """A month as programs read it."""
    return {
        "month": month.name,
        "flights": month.flights,
        "auc": month.auc,
        "brier": month.brier,
        "versions": month.versions,
    }
