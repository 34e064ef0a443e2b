"""What a training set is asked for: whose rows, known when, and which window of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from headgate.contracts.contract import Contract
from headgate.errors import BadInput
from headgate.retraining.datasets.dataset import WindowChoice
from headgate.vocabulary import SECOND, Micros

ROWS: Final = 200
"""Labelled rows below which nothing is learned: a share among so few is off by 7 points at 95 % confidence."""
ROWS_OF_CLASS: Final = 20
"""The same of each class."""
RECENT_DAYS: Final = 90
"""What `recent` means where nobody says."""


class Known(StrEnum):
    """How well the moment of a change is known."""

    SUSPECTED = "suspected"
    """An alarm alone: it counts only where losses show its row."""
    DIAGNOSED = "diagnosed"
    """About: its row is looked for around it, and it counts where losses show none."""
    LOCATED = "located"
    """To the row, by an earlier cut. A champion that learned from the rows since it loses alike on all of them, and
    what its losses show by chance is not to be taken for a change."""


@dataclass(frozen=True, slots=True)
class Least:
    """How few rows are too few."""

    rows: int = ROWS
    of_class: int = ROWS_OF_CLASS
    """Of each class, of which there must be two."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows of one endpoint to learn from."""

    project: str
    endpoint: str
    contract: Contract
    """Of the model that is learned again: its public fields are the columns."""
    as_of: Micros
    start: Micros | None = None
    """None for the journal's beginning."""
    end: Micros | None = None
    """None for `as_of` less `maturity_s`."""
    maturity_s: float = 0.0
    window: WindowChoice = WindowChoice.EVERYTHING
    recent_days: int | None = None
    """For `recent`; None for 90."""
    change: Micros | None = None
    """About when the world changed, by a diagnosis or an alarm; the row is looked for around it. None if it did not."""
    known: Known = Known.DIAGNOSED
    """How well the change is."""
    champion: str | None = None
    """The version whose losses tell the row of the change, ``model:number``; None for whichever was live."""
    least: Least = field(default_factory=Least)
    held_out: float = 0.0
    """Share of a window's newest rows, 0 to 1, that are left for whoever proves the model; the cut's end says which."""
    held_out_most: int = 10_000
    """Rows that are left out at most."""
    seed: int = 0
    """Of the models that windows are compared with."""

    def until(self) -> Micros:
        """Before which moment inputs count. Raises BadInput where that is too early for their labels."""
        mature = Micros(self.as_of - round(self.maturity_s * SECOND))
        if self.end is not None and self.end > mature:
            raise BadInput("end", "leakage", "lies after as_of less maturity_s; labels of those inputs are not all due")
        if not 0.0 <= self.held_out < 1.0:
            raise BadInput("held_out", "range", "must be a share of rows from 0 to below 1")
        return mature if self.end is None else self.end

    def left_out(self, rows: int) -> int:
        """Of so many rows of a window, how many are held out."""
        return min(round(self.held_out * rows), self.held_out_most)
