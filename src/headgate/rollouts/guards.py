"""What a candidate is judged by during a rollout: guards, with the margin within which it counts as no worse."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.vocabulary import Task


class Measure(StrEnum):
    """What a guard looks at."""

    ERRORS = "errors"
    """Rows its arm did not answer: it erred, was late, or broke its output contract."""
    LATENCY = "latency"
    """How long the model computes, next to the model, at several quantiles."""
    AGREEMENT = "agreement"
    """How often it says the same as the live version of the same input; needs a shadow."""
    ACCURACY = "accuracy"
    """How often it is right, once labels are due; classification."""
    CALIBRATION = "calibration"
    """The squared error of its probabilities (Brier 1950), once labels are due; classification with probabilities."""
    ABSOLUTE_ERROR = "absolute_error"
    """How far it is off, up to a cap, once labels are due; regression."""
    VALUE = "value"
    """What its decisions are worth, once labels are due; classification."""
    RISK = "risk"
    """How often it is wrong where it decides beside people by itself; a partial step guards it, no plan names it."""
    SQL = "sql"
    """A loss of each prediction that a query over the journal gives."""


class Unit(StrEnum):
    """What a margin is counted in."""

    PERCENT = "%"
    """Of the live version's own figure."""
    POINTS = "pt"
    """Hundredths: of 100 rows, so many more."""
    PLAIN = ""
    """The unit of the measure itself."""


class Margin(msgspec.Struct, frozen=True):
    """How much worse is not yet worse."""

    value: float
    """0 or more, in units of `unit`."""
    unit: Unit

    @property
    def absolute(self) -> float:
        """The part that does not depend on the live version's figure."""
        return {Unit.PERCENT: 0.0, Unit.POINTS: self.value / 100, Unit.PLAIN: self.value}[self.unit]

    @property
    def factor(self) -> float:
        """By what the live version's figure is multiplied before anything is compared with it."""
        return 1.0 + self.value / 100 if self.unit is Unit.PERCENT else 1.0


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """One measure, with its margin."""

    metric: Measure
    margin: Margin
    """A candidate that is proved to be worse by less may take more traffic."""
    harm: Margin | None = None
    """By how much more it has to be proved to lose before it goes back; None takes it back for any loss that is."""
    dry_run: bool = False
    """Whether it is measured and told, and decides nothing."""
    cap: float | None = None
    """The largest loss of one row that counts, or the largest `column`; what has a largest one needs none."""
    by: str | None = None
    """A field of the contract: the guard has to hold for the rows of each of its values by themselves."""
    worth: dict[str, dict[str, float]] | None = None
    """What a decision is worth, by prediction and then by truth, both as text; what is left out is worth 0."""
    column: str | None = None
    """A field of the contract by which what a decision is worth is multiplied, such as an amount."""
    query: str | None = None
    """A SELECT of ``input_id``, ``version`` and ``loss`` over the relations ``joined`` and ``features``."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the contract it looks at."""
        return tuple(each for each in (self.by, self.column) if each is not None)

    @property
    def of_quality(self) -> bool:
        """Whether it looks at how good answers are, and not at whether and when they come."""
        return RULES[self.metric].labels or self.metric is Measure.SQL

    @property
    def needs_labels(self) -> bool:
        """Whether it can say nothing before labels come; where a query does not read them, it can."""
        return RULES[self.metric].labels or (self.metric is Measure.SQL and reads_label(self.query or ""))


class Alpha(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the evidence may be wrong, each between 0 and 1, however often it is looked at."""

    roll_back: float = 0.01
    """A candidate that is no worse is rolled back with this probability at most, over all guards and all time."""
    promote: float = 0.05
    """A candidate that is worse than a margin is promoted with this probability at most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for every guard of a measure."""

    margin: Margin | None
    """Where a plan states none; None where it must."""
    units: frozenset[Unit]
    """In which its margin may be stated."""
    labels: bool = False
    """Whether it can say nothing before labels come; of a query see `Guard.needs_labels`."""
    paired: bool = False
    """Whether it can be measured on a shadow alone."""
    tasks: frozenset[Task] = frozenset(Task)
    capped: bool = False
    """Whether a plan must state a cap."""
    by: bool = False
    """Whether it can be asked group by group."""


_CLASSES: Final = frozenset({Task.BINARY, Task.MULTICLASS})
_BOTH: Final = frozenset({Unit.PERCENT, Unit.POINTS})
RULES: Final[dict[Measure, Rule]] = {
    Measure.ERRORS: Rule(Margin(0.5, Unit.POINTS), frozenset({Unit.POINTS})),
    Measure.LATENCY: Rule(Margin(10.0, Unit.PERCENT), frozenset({Unit.PERCENT})),
    Measure.AGREEMENT: Rule(Margin(10.0, Unit.POINTS), frozenset({Unit.POINTS}), paired=True, tasks=_CLASSES, by=True),
    Measure.ACCURACY: Rule(Margin(1.0, Unit.POINTS), _BOTH, labels=True, tasks=_CLASSES, by=True),
    Measure.CALIBRATION: Rule(
        Margin(0.01, Unit.PLAIN), frozenset({Unit.PERCENT, Unit.PLAIN}), labels=True, tasks=_CLASSES, by=True
    ),
    Measure.ABSOLUTE_ERROR: Rule(
        Margin(2.0, Unit.PERCENT),
        frozenset({Unit.PERCENT, Unit.PLAIN}),
        labels=True,
        tasks=frozenset({Task.REGRESSION}),
        capped=True,
        by=True,
    ),
    Measure.VALUE: Rule(None, frozenset({Unit.PLAIN}), labels=True, tasks=_CLASSES, by=True),
    Measure.RISK: Rule(None, frozenset({Unit.POINTS}), labels=True, tasks=frozenset()),
    Measure.SQL: Rule(None, frozenset({Unit.PERCENT, Unit.PLAIN}), capped=True, by=True),
}
_LABEL: Final = re.compile(r"\blabel\b", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|("(?:[^"]|"")*")""", re.DOTALL)
"""String literals and comments of a query; and names in quotes, so that nothing within them is taken for either."""
_MARGIN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(%|pt)?")


def read_margin(text: str | float) -> Margin:
    """The margin that `text` states: ``25%`` of the live version's figure, ``1pt`` (a hundredth), or a plain number.

    Raises BadInput for anything else.

    >>> read_margin("25%").factor, read_margin("1pt").absolute, read_margin(0.5).absolute
    (1.25, 0.01, 0.5)
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = repr(text)
    found = _MARGIN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadInput("margin", "format", "must be a number with its unit: 25% (of the live version's), 1pt, or 0.02")
    return Margin(float(found[1]), Unit(found[2] or ""))


def reads_label(query: str) -> bool:
    """Whether a query reads the column ``label``: its name stands in it as a word, string literals and comments aside.

    >>> reads_label("SELECT input_id, assigned AS version, label <> prediction AS loss FROM joined")
    True
    >>> reads_label("SELECT input_id, assigned AS version, prediction = 'label' AS loss FROM joined -- no label")
    False
    """
    return _LABEL.search(_NO_NAME.sub(lambda found: found[1] or " ", query)) is not None


def usual_guards(task: Task, *, labels: bool, people: bool = False) -> tuple[Guard, ...]:
    """What a candidate is judged by where a plan does not say: errors and latency, and quality where labels come.

    Beside `people` nobody is slower, and where no labels come agreement with them is what there is.

    >>> [each.metric.value for each in usual_guards(Task.BINARY, labels=True)]
    ['errors', 'latency', 'accuracy']
    >>> [each.metric.value for each in usual_guards(Task.BINARY, labels=False, people=True)]
    ['errors', 'agreement']
    """
    measures = [Measure.ERRORS] if people else [Measure.ERRORS, Measure.LATENCY]
    if task in _CLASSES and (labels or people):
        measures.append(Measure.ACCURACY if labels else Measure.AGREEMENT)
    return tuple(usual_guard(each) for each in measures)


def usual_guard(measure: Measure) -> Guard:
    """A guard with the margin it has where a plan states none. Raises BadInput where a plan must state one."""
    margin = RULES[measure].margin
    if margin is None:
        raise BadInput("margin", "missing", f"is needed for {measure}: how much worse is not yet worse")
    return Guard(metric=measure, margin=margin)
