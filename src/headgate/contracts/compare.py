"""Whether a new contract can take the place of an old one without its callers noticing.

Called where ``headgate plan`` and ``deploy`` look at a candidate. Seen from the caller's side: a row that was legal
must stay legal, and an answer that is legal now must have been legal before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.contracts.explain import bounds


class Compatibility(StrEnum):
    """What a change asks of callers, from nothing to everything."""

    COMPATIBLE = "compatible"
    """The same rows are legal and the same answers come back."""
    WIDENING = "widening"
    """Takes all it took and more, or promises all it promised and more; no caller has to change."""
    BREAKING = "breaking"
    """Some row that was legal would be refused, or some answer would surprise."""


_SEVERITY: Final = tuple(Compatibility)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed, what it means for callers and why."""

    subject: str
    """A field's name, or ``output``."""
    compatibility: Compatibility
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, the fields' first."""

    differences: tuple[Difference, ...]

    @property
    def compatibility(self) -> Compatibility:
        """The gravest of the differences."""
        return max((each.compatibility for each in self.differences), key=_SEVERITY.index, default=_SEVERITY[0])


def compare(old: Contract, new: Contract) -> Comparison:
    """What changes for callers of `old` when `new` takes its place.

    >>> old = Contract((Field("distance", Kind.NUMBER),))
    >>> new = Contract((Field("distance", Kind.NUMBER, nullable=True),))
    >>> comparison = compare(old, new)
    >>> comparison.compatibility.value, comparison.differences[0].reason
    ('widening', 'null is now allowed')
    >>> compare(new, old).compatibility.value
    'breaking'
    """
    before, after = ({each.name: each for each in contract.fields} for contract in (old, new))
    found = [
        Difference(name, BREAKING, "is gone, so rows that have it are refused") for name in before if name not in after
    ]
    for name, field in after.items():
        changes = _field_changes(before[name], field) if name in before else _addition(field)
        found += [Difference(name, compatibility, reason) for compatibility, reason in changes]
    found += [
        Difference("output", compatibility, reason) for compatibility, reason in _output_changes(old.output, new.output)
    ]
    return Comparison(tuple(found))


BREAKING: Final = Compatibility.BREAKING
WIDENING: Final = Compatibility.WIDENING
COMPATIBLE: Final = Compatibility.COMPATIBLE
Change = tuple[Compatibility, str]


def _addition(field: Field) -> Iterator[Change]:
    if field.nullable:
        yield WIDENING, "is new and may be left out"
    else:
        yield BREAKING, "is new and required, so rows without it are refused"


def _field_changes(old: Field, new: Field) -> Iterator[Change]:
    if old.kind is not new.kind:
        if not _contains_kind(old, new):
            yield BREAKING, f"was {old.kind.value} and is {new.kind.value}"
            return
        yield WIDENING, f"was {old.kind.value} and is {new.kind.value}, which takes the same values and more"
    if old.nullable != new.nullable:
        yield (WIDENING, "null is now allowed") if new.nullable else (BREAKING, "null is no longer allowed")
    yield from _unit_change(old, new)
    yield from _set_change("range", _accepted_range(old), _accepted_range(new))
    yield from _domain_change(old, new)
    yield from _shape_change(old, new)
    yield from _size_change(old, new)
    for name in ("sensitivity", "description", "expected_missing"):
        if getattr(old, name) != getattr(new, name):
            yield COMPATIBLE, f"{name} changed, which callers do not see"
    if (_flagging(old)) != (_flagging(new)):
        yield COMPATIBLE, "what is flagged changed; flagged rows are answered all the same"


def _contains_kind(old: Field, new: Field) -> bool:
    pairs = {(Kind.INTEGER, Kind.NUMBER), (Kind.CATEGORY, Kind.TEXT), (Kind.TEXT, Kind.CATEGORY)}
    return (old.kind, new.kind) in pairs


def _unit_change(old: Field, new: Field) -> Iterator[Change]:
    # Stating a unit nobody had stated changes no number. Withdrawing one would let it come back as another.
    if old.unit is None and new.unit is not None:
        yield COMPATIBLE, "its unit is now stated"
    elif old.unit != new.unit:
        yield BREAKING, "its unit changed, so the same number means something else"


def _accepted_range(field: Field) -> tuple[float, float]:
    low, high = bounds(field) if field.on_range is OnBreak.REJECT else (None, None)
    return (float("-inf") if low is None else low, float("inf") if high is None else high)


def _set_change(what: str, old: tuple[float, float], new: tuple[float, float]) -> Iterator[Change]:
    if old == new:
        return
    if new[0] <= old[0] and old[1] <= new[1]:
        yield WIDENING, f"its {what} of legal values grew"
    else:
        yield BREAKING, f"its {what} of legal values no longer covers the old one"


def _accepted_domain(field: Field) -> frozenset[str] | None:
    closed = field.kind is Kind.CATEGORY and field.on_domain is OnBreak.REJECT and field.domain is not None
    return frozenset(field.domain or ()) if closed else None


def _domain_change(old: Field, new: Field) -> Iterator[Change]:
    before, after = _accepted_domain(old), _accepted_domain(new)
    if before == after:
        return
    if after is None or (before is not None and before <= after):
        yield WIDENING, "more categories are legal"
    else:
        yield BREAKING, "categories that were legal are refused"


def _shape_change(old: Field, new: Field) -> Iterator[Change]:
    if old.shape == new.shape:
        return
    before, after = old.shape or (), new.shape or ()
    if len(before) == len(after) and all(b is None or a == b for a, b in zip(before, after, strict=True)):
        yield WIDENING, "more shapes are legal"
    else:
        yield BREAKING, "its shape changed"


def _largest(field: Field) -> float:
    """Bytes of the largest legal value."""
    domain = _accepted_domain(field)
    if domain is not None:
        return max(len(each.encode()) for each in domain)
    return float("inf") if field.max_bytes is None else field.max_bytes


def _size_change(old: Field, new: Field) -> Iterator[Change]:
    limit = float("inf") if new.max_bytes is None else new.max_bytes
    if _largest(old) > limit:
        yield BREAKING, "values that were not too large are refused"
    elif old.max_bytes != new.max_bytes:
        yield WIDENING, "larger values are legal"


def _flagging(field: Field) -> tuple[object, ...]:
    ranged = bounds(field) if field.on_range is OnBreak.FLAG else None
    named = frozenset(field.domain or ()) if field.on_domain is OnBreak.FLAG else None
    return ranged, named


def _output_changes(old: Output, new: Output) -> Iterator[Change]:
    if old.task is not new.task:
        yield BREAKING, f"the task was {old.task.value} and is {new.task.value}"
        return
    if [(type(each), each) for each in old.classes] != [(type(each), each) for each in new.classes]:
        # Fewer classes too: callers post labels, and read scores by position.
        yield BREAKING, "the classes or their order changed"
    if old.probability != new.probability:
        yield (
            (WIDENING, "scores are now probabilities")
            if new.probability
            else (
                BREAKING,
                "scores are no longer probabilities",
            )
        )
    before, after = _promised(old), _promised(new)
    if before != after:
        narrower = before[0] <= after[0] and after[1] <= before[1]
        yield (
            (WIDENING, "answers keep to tighter bounds")
            if narrower
            else (
                BREAKING,
                "answers may lie beyond the old bounds",
            )
        )
    if old.label != new.label:
        yield COMPATIBLE, "the label column is called otherwise, which callers do not see"


def _promised(output: Output) -> tuple[float, float]:
    low = float("-inf") if output.minimum is None else output.minimum
    return low, float("inf") if output.maximum is None else output.maximum
