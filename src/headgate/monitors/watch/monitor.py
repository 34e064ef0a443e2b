"""What a monitor is: it is handed rows portion by portion, and says how it stands and what it found.

A monitor is a value that was made of an endpoint's file and its model's reference; all it remembers is its state, a
value as well. Every monitor of the room takes part in the watch by this port, `tick.py` is the only caller.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec
import pyarrow as pa

from headgate.alerts.finding import Figure, Finding
from headgate.monitors.alarms.terms import Terms
from headgate.monitors.columns import Columns, Ints
from headgate.monitors.standing import Standing
from headgate.monitors.windows import Window
from headgate.vocabulary import DAY, HOUR, Micros

State = TypeVar("State", bound=msgspec.Struct)


class Reads(StrEnum):
    """Of which rows a monitor is told."""

    ANSWERS = "answers"
    """Every hour's inputs as callers were answered, once the hour is over."""
    LABELS = "labels"
    """Every day's inputs with their truth, once the labels of the day are due."""
    BOTH = "both"
    """Hours and days, in the order in which they are ripe."""

    @property
    def quiet(self) -> Micros:
        """How long there has to be no alarm for what was found to be over.

        A detector that has alarmed begins anew: what goes on raises its next alarm within that time, or is small.
        """
        return Micros(DAY if self is Reads.ANSWERS else 7 * DAY)

    @property
    def lasting(self) -> Micros:
        """How long what was found counts at most, unless it is found again or said to be over."""
        return Micros(self.quiet + 2 * (HOUR if self is Reads.ANSWERS else DAY))


class Span(StrEnum):
    """Of how long a time a portion is."""

    HOUR = "hour"
    """One hour's inputs, once it is over."""
    HOURS = "hours"
    """Those of all hours of a day that were over when somebody looked, and had not been handed over before."""
    DAY = "day"
    """One day's inputs with their truth, once its labels are due."""


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """What a monitor is handed at once: the same rows, in the same order, whenever anybody looked.

    Rows are in event order; there may be none. How many hours come together depends on how often anybody looks, all
    else does not.
    """

    span: Span
    start: Micros
    end: Micros
    """Rows have moments in [start, end), of one day of UTC."""
    ripe: Micros
    """When it may be handed over: hours as the last of them ends, a day when its labels are due."""
    rows: Columns
    """Its versions and rules may be more than occur in these rows."""
    table: pa.Table
    """The same rows, one for one, as the journal's reader joins them."""
    window: Window | None = None
    """What the version in charge did on the day, by its labels; None for an hour, and where it answered nothing."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def told(self) -> Reads:
        """Of which rows it tells: those of hours, or those of a day with their truth."""
        return Reads.LABELS if self.span is Span.DAY else Reads.ANSWERS

    @property
    def hours(self) -> Ints:
        """The hour of the day of each row, 0 to 23; they never go down."""
        found: Ints = self.rows.at // HOUR % 24
        return found


class Over(msgspec.Struct, frozen=True):
    """What a monitor found is found no more."""

    key: str
    """The finding's."""
    at: Micros


Told = Finding | Over


class Says(msgspec.Struct, frozen=True, kw_only=True):
    """How a monitor stands, for whoever asks.

    >>> Says(standing=Standing.UNDECIDED, what="no hour is over yet").since is None
    True
    """

    standing: Standing
    what: str
    """In one sentence."""
    since: Micros | None = None
    """Since when there is an alarm; None where there is none."""
    figures: tuple[Figure, ...] = ()
    advice: str = ""
    """What to do; empty where nothing is to be done."""
    certainty: str = ""
    """How sure that is."""
    findings: tuple[Finding, ...] = ()
    """What stands."""


class Monitor(Protocol[State]):
    """Watches one aspect of one endpoint."""

    @property
    def name(self) -> str:
        """Its own word among the endpoint's monitors."""
        ...

    @property
    def mark(self) -> str:
        """What it was made of: a state that was kept under another mark means nothing to it, and it begins anew."""
        ...

    @property
    def reads(self) -> Reads:
        """Of which rows it wants to be told."""
        ...

    @property
    def daily(self) -> bool:
        """Whether it judges days alone: it is handed hours together then, and says the same however they are cut."""
        ...

    @property
    def kind(self) -> type[State]:
        """What its state is, so that it can be read back."""
        ...

    def start(self, began: Micros) -> State:
        """Nothing was seen yet; rows are handed over from `began` on."""
        ...

    def take(self, state: State, portion: Portion) -> tuple[State, tuple[Told, ...]]:
        """After the next portion, and what that tells. The same whatever the clock says meanwhile."""
        ...

    def says(self, state: State) -> Says:
        """How it stands, as of the last portion."""
        ...


AnyMonitor = Monitor[Any]


def mark_of(*made_of: object) -> str:
    """The mark of a monitor that was made of these values, as 16 hexadecimal digits: of other values it is another.

    >>> mark_of("errors", 0.01) == mark_of("errors", 0.02)
    False
    """
    return hashlib.sha256(msgspec.json.encode(made_of)).hexdigest()[:16]


def certainty(terms: Terms) -> str:
    """How sure an alarm is, in words.

    >>> from headgate.monitors.alarms.terms import Budget
    >>> certainty(Terms(Budget.of("at most one per 90 days")))
    'false alarms of all 3 monitors of the endpoint: at most 1 per 90 days'
    """
    return f"false alarms of all {len(terms.budget.monitors)} monitors of the endpoint: {terms.budget.policy.words}"
