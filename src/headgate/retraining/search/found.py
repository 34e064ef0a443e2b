"""What a search found: the model, everything tried, and the reasons, as values and as text."""

from dataclasses import dataclass
from typing import Any

import msgspec

from headgate.evaluation.estimate import Estimate
from headgate.evaluation.table import shown, table
from headgate.retraining.search.families import Value
from headgate.vocabulary import Task, readable

SHOWN = 12
"""Lines of a leaderboard as text."""


@readable
class Entry(msgspec.Struct, frozen=True):
    """One setting on the leaderboard."""

    name: str
    """The kind of model."""
    parameters: dict[str, Value]
    """Its settings; of boosted trees with the number of rounds that was best."""
    metric: Estimate
    """What models are ranked by, on rows they did not learn from: log loss, or the root of the mean squared error."""
    figures: dict[str, Estimate]
    """Further metrics of the same rows; of each family's best alone."""
    share: float
    """The share of rows it learned from; figures of different shares do not compare."""
    fit_seconds: float
    """Seconds of learning and judging, all folds together; of the chosen one, of learning from all rows."""
    row_us: float | None
    """Median microseconds for a row asked alone, served; None where it was not measured."""
    size_bytes: int | None
    """Bytes of the file that is served; None where it was not measured."""
    calibrated: bool | None
    """Whether stated probabilities lie no more than two points from frequencies, beyond chance; None: not measured."""
    out: str
    """Why it was not chosen; empty for the one that was."""

    @property
    def chosen(self) -> bool:
        """Whether it is the one."""
        return not self.out


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The end of a search."""

    model: Any
    """A scikit-learn pipeline, or several that vote, learned from all rows; the registry makes ONNX of it."""
    leaderboard: tuple[Entry, ...]
    """The chosen one first, then the best of all rows, then those that saw fewer."""
    why: tuple[str, ...]
    """The choice explained, sentence by sentence."""
    task: Task
    """What was learned."""
    rows: int
    """Rows learned from."""
    seconds: float
    """Time all of it took, earlier runs of an interrupted search included."""

    @property
    def chosen(self) -> Entry:
        """The entry of `model`."""
        return self.leaderboard[0]

    @property
    def metrics(self) -> dict[str, float]:
        """The chosen model's figures by name, for a run's record."""
        entry = self.chosen
        known = {entry.metric.name: entry.metric} | entry.figures
        return {name: each.value for name, each in known.items() if each.value is not None}


def as_text(found: Found) -> str:
    """The leaderboard as a table, and the reasons."""
    extra = "auc" if "auc" in found.chosen.figures else "mae"
    head = ["model", found.chosen.metric.name, extra, "rows", "fit s", "row µs", "kB", "calibrated", ""]
    rows = [
        [
            each.name,
            shown(each.metric),
            shown(each.figures.get(extra)),
            f"{each.share:.0%}",
            f"{each.fit_seconds:.1f}",
            "-" if each.row_us is None else f"{each.row_us:,.0f}",
            "-" if each.size_bytes is None else f"{each.size_bytes / 1000:,.0f}",
            {None: "-", True: "yes", False: "no"}[each.calibrated],
            "chosen" if each.chosen else each.out,
        ]
        for each in found.leaderboard[:SHOWN]
    ]
    more = len(found.leaderboard) - len(rows)
    lines = [table(head, rows), *([f"and {more} more"] if more else []), "", *found.why]
    return "\n".join(lines)


def to_json(found: Found) -> bytes:
    """The same for programs; the model is left out."""
    return msgspec.json.encode(
        {
            "task": found.task,
            "rows": found.rows,
            "seconds": round(found.seconds, 3),
            "leaderboard": found.leaderboard,
            "why": found.why,
        }
    )
