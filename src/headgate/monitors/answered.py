"""What a model said of rows whose truth is not known yet, and whether that can be read as probabilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headgate.evaluation.estimate import Floats
from headgate.evaluation.metrics import improbable
from headgate.evaluation.rows import Class, Rows
from headgate.monitors.standing import Shortfall, broken, undecided
from headgate.vocabulary import Task


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """The answers of one window, in order; `headgate.evaluation.rows.Rows` without the truth."""

    task: Task
    predicted: NDArray[Any] | None
    """Class codes, negative for none of the classes, or, for regression, numbers."""
    scores: Floats | None
    """Shape (rows, classes); None when the model gives none."""
    classes: tuple[Class, ...] = ()

    @classmethod
    def of(cls, rows: Rows) -> "Answered":
        """The answers to rows whose truth is known, as if it were not."""
        return cls(rows.task, rows.predicted, rows.scores, rows.classes)

    def __len__(self) -> int:
        kept = self.predicted if self.predicted is not None else self.scores
        return 0 if kept is None else len(kept)

    def take(self, chosen: NDArray[Any]) -> "Answered":
        """The rows of a mask or of row numbers."""
        predicted = None if self.predicted is None else self.predicted[chosen]
        scores = None if self.scores is None else self.scores[chosen]
        return Answered(self.task, predicted, scores, self.classes)

    def with_truth(self, truth: NDArray[Any]) -> Rows:
        """The same rows once their truth is known."""
        return Rows(self.task, truth, self.predicted, self.scores, self.classes)


def unreadable(said: Answered) -> Shortfall | None:
    """Why these answers say nothing of how sure the model was; None when they do.

    >>> said = Answered(Task.BINARY, np.array([1]), np.array([[0.5, 0.9]]), ("no", "yes"))
    >>> unreadable(said).reason
    'the scores are not probabilities: some rows do not sum to 1'
    """
    if len(said) == 0:
        return undecided("the window has no answered rows")
    if said.scores is None:
        return broken("the model gives no scores, and without them nothing says how sure it was")
    if said.scores.shape != (len(said), len(said.classes)):
        return broken("the scores are not one per row and class")
    lost = int((~np.isfinite(said.scores)).any(axis=1).sum())
    if lost:
        return broken(f"{lost:,} of {len(said):,} rows have no finite scores")
    why = improbable(said.scores)
    return broken(why) if why else None
