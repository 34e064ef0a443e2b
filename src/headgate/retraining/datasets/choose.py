"""Which window is learned from: each is tried on the newest rows, which none of them has seen, and the best one taken.

Where two do about as well, the one with most rows is preferred. One that mixes two worlds does not do about as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from headgate.errors import BadInput
from headgate.evaluation.batches import batches_of, over_batches
from headgate.evaluation.estimate import Floats
from headgate.processor import side_by_side
from headgate.retraining.datasets.dataset import Cut, Trial, WindowChoice
from headgate.vocabulary import Micros

PREFERRED: Final = (
    WindowChoice.EVERYTHING, WindowChoice.REWEIGHTED, WindowChoice.SAME_SEASON, WindowChoice.RECENT,
    WindowChoice.SINCE_CHANGE,
)  # fmt: skip
"""In which order windows are taken that do about as well: a trial learns from a part, the model from every row."""
SURE: Final = 0.975
"""How sure it must be that a window is better than one with more rows: what is forgotten may come back."""
NAMES: Final = {
    WindowChoice.SINCE_CHANGE: "rows since the change",
    WindowChoice.EVERYTHING: "all rows",
    WindowChoice.REWEIGHTED: "all rows, weighed by how frequent their like is now",
    WindowChoice.SAME_SEASON: "rows of the same season a year before",
    WindowChoice.RECENT: "rows of the last days",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A window that may be learned from."""

    choice: WindowChoice
    start: Micros | None
    end: Micros | None
    rows: int
    """That it has to learn from, apart from those it is judged on."""
    recent_days: int | None = None
    short: str = ""
    """Why it cannot be tried; empty where it can."""

    @property
    def name(self) -> str:
        """In words."""
        days = f" ({self.recent_days} of them)" if self.recent_days else ""
        return NAMES[self.choice] + days


Judge = Callable[[Candidate], "Floats | str"]
"""The loss of each of the newest rows after learning from a window, the same rows for all; or why there is none.

Two threads may ask at a time."""


def choose(asked: Cut, candidates: Sequence[Candidate], judge: Judge, at: NDArray[np.int64]) -> Cut:
    """What was `asked`, with the window that is learned from, and why.

    The least mean loss wins. A window that is preferred is taken before it while no t test of the paired difference, at
    2.5 %, says that it loses more (after the rule of Breiman et al. 1984, "Classification and regression trees", 3.4).
    `at` says in microseconds when the rows that they lose on were asked about, in order: what rows of one day have in
    common is no proof, so days count, or sevenths of less than a week. Raises BadInput where no window can be tried.

    >>> asked = Cut(Micros(9), None, Micros(9), 0.0, WindowChoice.AUTO, "", change=Micros(5))
    >>> new = Candidate(WindowChoice.SINCE_CHANGE, Micros(5), Micros(9), 500)
    >>> old = Candidate(WindowChoice.EVERYTHING, None, Micros(9), 9000)
    >>> found = choose(asked, [old, new], lambda each: np.full(100, 0.3 if each is new else 0.4), np.arange(100))
    >>> found.choice.value, found.start, [each.value for each in found.tried]
    ('since_change', 5, [0.4, 0.3])
    """
    sorted_ = sorted(candidates, key=lambda each: (PREFERRED.index(each.choice), -(each.recent_days or 0)))
    # The last first: two that read the same rows stand at the front, and the second finds what the first has read.
    losses_of = reversed(side_by_side(lambda each: each.short or judge(each), reversed(sorted_)))
    judged = list(zip(sorted_, losses_of, strict=True))
    tried = [(each, losses) for each, losses in judged if not isinstance(losses, str)]
    if not tried:
        raise BadInput("window", "too_few", "; ".join(f"{each.name}: {why}" for each, why in judged) or "no rows")
    best, least = min(tried, key=lambda each: float(each[1].mean()))
    taken, losses = next(each for each in tried if _no_worse(each[1] - least, at))
    return msgspec.structs.replace(
        asked,
        start=taken.start,
        end=taken.end,
        choice=taken.choice,
        recent_days=taken.recent_days,
        why=_why(taken, float(losses.mean()), best, float(least.mean()), len(least)),
        tried=tuple(_trial(each, losses) for each, losses in judged),
    )


def _no_worse(more: Floats, at: NDArray[np.int64]) -> bool:
    """Whether what is lost `more`, by the moments of rows, may be chance; nothing is sure where rows are too few."""
    error, freedom = over_batches(more, batches_of(at))
    return not freedom or float(more.mean()) <= float(stdtrit(freedom, SURE)) * error


def _why(taken: Candidate, value: float, best: Candidate, least: float, rows: int) -> str:
    said = f"{taken.name} gave a mean loss of {value:.4f} on the {rows:,} newest rows"
    if taken is best:
        return f"{said}, the least of all windows tried"
    return f"{said}; {best.name} gave {least:.4f}, which is less by no more than chance"


def _trial(candidate: Candidate, losses: Floats | str) -> Trial:
    if isinstance(losses, str):
        return Trial(candidate.choice, candidate.rows, None, f"{candidate.name}: {losses}")
    words = f"{candidate.name}: mean loss on {len(losses):,} newest rows"
    return Trial(candidate.choice, candidate.rows, round(float(np.mean(losses)), 6), words)
