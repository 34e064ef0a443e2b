"""What goes into a call and what comes out, as frozen values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
"""One row: field to value. Numbers, text, booleans, None, lists, moments with an offset; NumPy's scalars too."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One row's answer."""

    id: str
    """The row's name in the journal: labels may name it."""
    version: str
    """The version that answered, ``model:number``."""
    value: Any
    """A class, a number, or for tensor models nested lists by output name."""
    scores: tuple[float, ...] | None = None
    """One number per class in the contract's order; None where the model gives none."""


@dataclass(frozen=True, slots=True)
class LeftToPeople:
    """A row that a person decides: a decision may name it."""

    id: str
    """The row's name in the journal."""
    suggestion: Any = None
    """What the model says, where the endpoint shows it."""
    scores: tuple[float, ...] | None = None
    """As those of a `Prediction`."""


@dataclass(frozen=True, slots=True)
class RowRefused:
    """Why one row was not answered."""

    field: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answer to one request: an entry per row, in order.

    >>> found = Predictions("r1", (Prediction("i1", "late:1", True), RowRefused("rows[1].a", "type", "no number")))
    >>> len(found), found[0].value, found.is_complete
    (2, True, False)
    """

    request_id: str
    """The request's name: sent with every attempt, so that a repeat counts once. Labels may name it with a row."""
    rows: tuple[Prediction | LeftToPeople | RowRefused, ...]
    journalled: bool = True
    """False when the answer could not be remembered and the endpoint answers all the same."""
    attempts: int = 1
    """How often the request was sent."""

    @property
    def is_complete(self) -> bool:
        """Whether every row is answered; one that a person decides is not, yet."""
        return all(isinstance(each, Prediction) for each in self.rows)

    @property
    def answered(self) -> tuple[Prediction, ...]:
        """The rows that are answered, in order."""
        return tuple(each for each in self.rows if isinstance(each, Prediction))

    def __iter__(self) -> Iterator[Prediction | LeftToPeople | RowRefused]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Prediction | LeftToPeople | RowRefused:
        return self.rows[place]


@dataclass(frozen=True, slots=True)
class ById:
    """The row that was answered under this id."""

    id: str


@dataclass(frozen=True, slots=True)
class ByRequest:
    """Row `row` of the request of that name."""

    request_id: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class ByKey:
    """The last row of `key` up to the moment `at`, which has an offset."""

    key: str
    at: datetime


Reference = ById | ByRequest | ByKey | Prediction | LeftToPeople
"""Which row a label or a decision speaks of."""


@dataclass(frozen=True, slots=True)
class Label:
    """What turned out to be true of one row."""

    of: Reference
    value: Any
    observed_at: datetime | None = None
    """When the truth became known; None means now, by the clock of this machine, however often it is sent. Of several
    labels the one observed last wins."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person chose on one row."""

    of: Reference
    value: Any
    actor: str | None = None
    """Who chose; None where a key or token was shown, whose name it is then."""
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What an endpoint says of itself."""

    name: str
    project: str
    live: str
    """The version that owns it, ``model:number``."""
    versions: tuple[str, ...]
    """Every version that may answer."""
    task: str
    classes: tuple[Any, ...]
    """The legal labels in the order of `Prediction.scores`; empty where there are none."""
    row_schema: Mapping[str, Any]
    """A row as JSON Schema: fields, types, ranges, categories."""
