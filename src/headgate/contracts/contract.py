"""The contract as a value: what a model expects of a row and promises of an answer.

Every room reads this file's types; ``infer``, ``check``, ``compare`` and ``decode`` act on them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from headgate.vocabulary import Task


class Kind(StrEnum):
    """What sort of value a field holds."""

    NUMBER = "number"
    """A finite 64-bit float."""
    INTEGER = "integer"
    """A whole number within 64 bits."""
    BOOLEAN = "boolean"
    """True or false."""
    CATEGORY = "category"
    """One of a known, finite set of strings."""
    TEXT = "text"
    """Free text."""
    TIMESTAMP = "timestamp"
    """A moment: RFC 3339 text with an offset on the wire, microseconds since 1970 in UTC inside."""
    TENSOR = "tensor"
    """A nested list of numbers of a known shape."""
    IMAGE = "image"
    """An encoded picture, base64 text on the wire."""


class OnBreak(StrEnum):
    """What happens to a row that breaks a rule."""

    REJECT = "reject"
    """The row is refused and never reaches the model."""
    FLAG = "flag"
    """The row is answered; its journal record carries the rule's name."""


class Sensitivity(StrEnum):
    """How carefully a field's values must be kept."""

    PUBLIC = "public"
    PERSONAL = "personal"
    """Kept in a side table that erasure can reach."""
    SPECIAL = "special"
    """Personal, and of a kind the law protects further."""


class Rule(StrEnum):
    """The name of each rule a row can break; replies, journals and metrics use these words."""

    TYPE = "type"
    MISSING = "missing"
    """The field is absent and has no null to stand for it."""
    UNKNOWN = "unknown"
    """The row has a field the contract does not name."""
    NULL = "null"
    """Null where the field is not nullable."""
    FINITE = "finite"
    """NaN or infinity."""
    RANGE = "range"
    DOMAIN = "domain"
    """A category never seen in the reference."""
    SHAPE = "shape"
    """A tensor of another shape."""
    SIZE = "size"
    """A text, image or tensor over its limit."""


BENDABLE: Final = frozenset({Rule.RANGE, Rule.DOMAIN})
"""Rules a person may set to ``flag``; after any other break there is nothing a model could read."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input field of a model."""

    name: str
    kind: Kind
    nullable: bool = False
    unit: str | None = None
    minimum: float | None = None
    """Smallest legal value, inclusive, in `unit`; None means unbounded."""
    maximum: float | None = None
    domain: tuple[str, ...] | None = None
    """The legal categories; only for ``category``."""
    shape: tuple[int | None, ...] | None = None
    """A tensor's shape without the batch dimension; None stands for any length."""
    max_bytes: int | None = None
    """Largest UTF-8 text or decoded image; None means no limit of its own."""
    expected_missing: float = 0.0
    """Share of nulls in the reference, 0 to 1."""
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    on_range: OnBreak = OnBreak.FLAG
    on_domain: OnBreak = OnBreak.FLAG
    description: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What the model answers and what its label looks like."""

    task: Task
    label: str = "label"
    """Name of the label column in reference and training data."""
    classes: tuple[str | int | bool, ...] = ()
    """Classification only: the legal labels, in the order of the model's scores."""
    probability: bool = False
    """Whether scores are probabilities: within 0..1 and summing to one."""
    minimum: float | None = None
    """Regression only: smallest legal answer."""
    maximum: float | None = None

    @property
    def positive(self) -> str | int | bool:
        """The class a binary model's score speaks of: the last one listed."""
        return self.classes[-1]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model expects of each row and what it promises back."""

    fields: tuple[Field, ...]
    output: Output = field(default_factory=lambda: Output(Task.TENSOR))
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """Field names in the order the journal keeps them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(each.name for each in self.fields))
