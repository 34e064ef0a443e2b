"""Contracts drawn by Hypothesis, for every property that must hold for all of them."""

import math

from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Sensitivity
from headgate.vocabulary import Task

NAMES = ("distance", "class", "a b", "é", "f0", "1", "no", "_row")
DOMAINS = (None, ("a",), ("a", "b"), ("a", "b", "no", "1e5"))
SHAPES: tuple[tuple[int | None, ...], ...] = ((2,), (None,), (2, 2), (None, None), (None, 2), (2, None))


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    kind = draw(st.sampled_from(list(Kind)))
    low, high = None, None
    if kind in (Kind.NUMBER, Kind.INTEGER, Kind.TIMESTAMP):
        low, high = draw(st.sampled_from([(None, None), (0, None), (None, 2.5), (-1.5, 3), (1, 1)]))
    nullable = draw(st.booleans())
    actions = st.sampled_from(list(OnBreak))
    return Field(
        name=name,
        kind=kind,
        nullable=nullable,
        unit=draw(st.sampled_from([None, "m", "ft"])),
        minimum=None if low is None or kind is not Kind.TIMESTAMP else math.floor(low) * 1e6 if low < 0 else low * 1e6,
        maximum=None if high is None else high * 2e6 if kind is Kind.TIMESTAMP else high,
        domain=draw(st.sampled_from(DOMAINS)) if kind is Kind.CATEGORY else None,
        shape=draw(st.sampled_from(SHAPES)) if kind is Kind.TENSOR else None,
        max_bytes=draw(st.sampled_from([None, 3, 16])) if kind in (Kind.TEXT, Kind.IMAGE, Kind.TENSOR) else None,
        expected_missing=draw(st.sampled_from([0.0, 0.25])) if nullable else 0.0,
        sensitivity=draw(st.sampled_from(list(Sensitivity))),
        on_range=draw(actions),
        on_domain=draw(actions),
        description=draw(st.sampled_from(["", "in words: yes", "# no comment"])),
    )


OUTPUTS = st.sampled_from(
    [
        Output(Task.TENSOR),
        Output(Task.BINARY, "late", (False, True), probability=True),
        Output(Task.BINARY, "late", (0, 1)),
        Output(Task.MULTICLASS, "kind", ("no", "yes", "1e5", "null"), probability=True),
        Output(Task.REGRESSION, "delay", minimum=0.0, maximum=10.5),
        Output(Task.REGRESSION, "delay"),
    ]
)


@st.composite
def contracts(draw: st.DrawFn, most: int = 3) -> Contract:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=most, unique=True))
    return Contract(tuple(draw(fields(name)) for name in names), draw(OUTPUTS))
