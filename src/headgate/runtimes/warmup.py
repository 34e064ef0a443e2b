"""A row a model might really get, made from its contract alone: what placements are warmed up and measured with."""

import math

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.explain import bounds


def likely_row(contract: Contract) -> tuple[object, ...]:
    """One legal value per field, in the contract's order.

    >>> from headgate.contracts.contract import Output
    >>> from headgate.vocabulary import Task
    >>> fields = (Field("fee", Kind.NUMBER, minimum=10, maximum=30), Field("plan", Kind.CATEGORY, domain=("a", "b")))
    >>> likely_row(Contract(fields, Output(Task.REGRESSION)))
    (20.0, 'a')
    """
    return tuple(_likely(field) for field in contract.fields)


def _likely(field: Field) -> object:
    match field.kind:
        case Kind.NUMBER:
            return _middle(field)
        case Kind.INTEGER | Kind.TIMESTAMP:
            return math.floor(_middle(field))
        case Kind.BOOLEAN:
            return False
        case Kind.CATEGORY:
            return field.domain[0] if field.domain else ""
        case Kind.TEXT:
            return "some text"[: field.max_bytes]
        case Kind.TENSOR:
            return _zeros(tuple(length or 1 for length in field.shape or ()))
        case Kind.IMAGE:
            return b""


def _middle(field: Field) -> float:
    low, high = bounds(field)
    if low is None or high is None:
        return float(low if low is not None else high if high is not None else 0.0)
    return (low + high) / 2


def _zeros(shape: tuple[int, ...]) -> object:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0
