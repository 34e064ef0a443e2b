"""A training set as a value: what was asked, what was chosen and why, and what is in it. ``dataset.json`` holds it."""

from enum import StrEnum
from typing import Final

import msgspec

from headgate.vocabulary import Digest, Micros, Task, readable

LABEL: Final = "label"
WEIGHT: Final = "weight"
AT: Final = "at"
INPUT_ID: Final = "input_id"
SOURCE: Final = "source"
RESERVED: Final = (LABEL, WEIGHT, AT, INPUT_ID, SOURCE)
"""Columns that every training set has behind its features, in this order."""
ROWS_FILE: Final = "rows.parquet"
VALUE_FILE: Final = "dataset.json"


class WindowChoice(StrEnum):
    """Which rows are learned from."""

    AUTO = "auto"
    """Whichever of the others did best in a back-test."""
    SINCE_CHANGE = "since_change"
    """Rows since the world changed, to the row."""
    EVERYTHING = "everything"
    """All there are, the model's first rows among them."""
    REWEIGHTED = "reweighted"
    """All there are, each weighed by how frequent rows like it are by now."""
    SAME_SEASON = "same_season"
    """Rows of the same season a year before."""
    RECENT = "recent"
    """Rows of the last days."""


class RowSource(StrEnum):
    """Where a row is from."""

    JOURNAL = "journal"
    ORIGINAL = "original"
    """The rows the model was first learned from: older than everything, and without a moment."""


class Trial(msgspec.Struct, frozen=True):
    """One window that was tried, or why it was not."""

    choice: WindowChoice
    rows: int
    """That the window has to learn from, apart from those it was judged on."""
    value: float | None
    """Mean loss on the newest rows, which no trial learned from; None where it was not tried."""
    words: str
    """How it was judged, or why it was not."""


@readable
class Cut(msgspec.Struct, frozen=True):
    """Which rows, fixed before they are read."""

    as_of: Micros
    """What was known at this moment counts, and nothing later."""
    start: Micros | None
    """Inputs of this moment and later; None for all since the beginning."""
    end: Micros | None
    """Inputs before this moment."""
    maturity_s: float
    """Only inputs at least so many seconds older than `as_of`, so that quick labels are not over-represented."""
    choice: WindowChoice
    why: str
    """In one sentence."""
    change: Micros | None = None
    """When the world changed, where it did."""
    recent_days: int | None = None
    """How many days `recent` means."""
    tried: tuple[Trial, ...] = ()


@readable
class Dataset(msgspec.Struct, frozen=True):
    """A training set that lies in a folder named by its digest."""

    digest: Digest
    """Of all values of all columns in order, and of the columns' names and types; of no path and no time of making."""
    project: str
    endpoint: str
    task: Task
    label: str
    """What the contract calls the label; the column is called ``label``."""
    features: tuple[str, ...]
    """Columns that a model may learn from."""
    cut: Cut
    rows: int
    original_rows: int
    """Those of them that the model was first learned from."""
    classes: dict[str, int]
    """How many rows each class has; empty for a number."""
    leaked: int
    """Rows left out because their truth was observed before their features were: they would teach the answer."""
    bytes: int
    """Size of the file of rows."""
