"""What may be wrong with the rows of a day or of a reference: every case of the list that monitors have to bear."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
from tests.monitors.watch.bad_days import Asked, Bad, Draw, Spoil

from headgate.vocabulary import Task

CLASSES: Final = frozenset({Task.BINARY, Task.MULTICLASS})
JUDGES: Final = frozenset({"risk", "performance", "labels"})
"""Monitors that need labels."""
EVERY: Final = JUDGES | frozenset(
    {"errors", "refusals", "fallbacks", "latency", "outliers"}
    | {"input", "reconstruction", "quality", "estimate", "fairness"}
)
HUGE: Final = 2**62


def fields(make: Callable[[int, Draw], dict[str, Any]]) -> Spoil:
    """Other values in the fields that are named."""

    def spoil(rows: Asked, draw: Draw) -> Asked:
        made = {name: pa.array(each) for name, each in make(len(rows), draw).items()}
        return replace(rows, features={**(rows.features or {}), **made})

    return spoil


def constant(rows: Asked, draw: Draw) -> Asked:
    """Every column has its first value throughout."""
    count = len(rows)
    features = {name: pa.array([each[0].as_py()] * count) for name, each in (rows.features or {}).items()}
    first = (rows.label[0], rows.prediction[0], rows.scores[0])
    label, prediction, scores = ([each] * count for each in first)
    return replace(rows, features=features, label=label, prediction=prediction, scores=scores)


def missing(rows: Asked, draw: Draw) -> Asked:
    """There is nothing in any column."""
    nothing: list[Any] = [None] * len(rows)
    features = {name: pa.nulls(len(rows), each.type) for name, each in (rows.features or {}).items()}
    return replace(rows, features=features, label=nothing, prediction=nothing, scores=nothing, latency_us=nothing)


def missing_inputs(rows: Asked, draw: Draw) -> Asked:
    """Fields are empty, of no type at all."""
    return replace(rows, features={name: pa.nulls(len(rows)) for name in rows.features or {}})


def one_class(rows: Asked, draw: Draw) -> Asked:
    """Truth and answers are all of the first row's class."""
    count = len(rows)
    return replace(rows, label=[rows.label[0]] * count, prediction=[rows.label[0]] * count)


def huge(rows: Asked, draw: Draw) -> Asked:
    """Whole numbers beyond what a float tells apart, times of centuries, answers that cannot be squared."""
    count = len(rows)
    whole = {"stops": pa.array(HUGE + draw.integers(0, 9, count)), "km": pa.array([10.0**300] * count)}
    found = replace(rows, features={**(rows.features or {}), **whole}, latency_us=[HUGE] * count)
    if count and isinstance(rows.label[0], float):
        return replace(found, label=[1e300] * count, prediction=[-1e300] * count)
    return found


def noisy(rows: Asked, draw: Draw) -> Asked:
    """Labels have nothing to do with the rows."""
    return replace(rows, label=[rows.label[place] for place in draw.permutation(len(rows)).tolist()])


def strange_labels(rows: Asked, draw: Draw) -> Asked:
    """Labels of a class that the model does not know."""
    return replace(rows, label=["perhaps"] * len(rows))


def scored(change: Callable[[list[float]], list[float] | None]) -> Spoil:
    """Other scores."""

    def spoil(rows: Asked, draw: Draw) -> Asked:
        return replace(rows, scores=[None if each is None else change(list(each)) for each in rows.scores])

    return spoil


def unhinged(rows: Asked, draw: Draw) -> Asked:
    """The model is as sure as can be, whatever it says."""
    sure = [None if each is None else [float(one == max(each)) for one in each] for each in rows.scores]
    return replace(noisy(rows, draw), scores=sure)


def unscored(rows: Asked, draw: Draw) -> Asked:
    """Classes without scores."""
    return replace(rows, scores=[None] * len(rows))


BAD: Final[dict[str, Bad]] = {
    "nothing is wrong": Bad(),
    "no rows": Bad(rows=0, blind=EVERY),
    "constant columns": Bad(constant),
    "a constant reference": Bad(reference=constant),
    "all missing": Bad(missing, blind=frozenset({"risk", "performance"})),
    "fields all missing": Bad(missing_inputs),
    "fields of the reference all missing": Bad(reference=missing_inputs),
    "no features are kept": Bad(
        lambda rows, draw: replace(rows, features=None), blind=frozenset({"input", "reconstruction"})
    ),
    "one class only": Bad(one_class),
    "one class only in the reference": Bad(reference=one_class),
    "a single row": Bad(rows=1, blind=frozenset({"performance", "labels"})),
    "a single row in the reference": Bad(known=1, blind=frozenset({"risk", "input", "reconstruction"})),
    "huge integers": Bad(huge),
    "huge integers in the reference": Bad(reference=fields(lambda count, draw: {"stops": [HUGE] * count})),
    "mixed types": Bad(
        fields(lambda count, draw: {"km": ["far"] * count, "kind": [1] * count, "stops": [[1]] * count}),
    ),
    "another field": Bad(lambda rows, draw: replace(rows, features={"age": pa.array([1.0] * len(rows))})),
    "categories in the tens of thousands": Bad(
        fields(lambda count, draw: {"kind": [f"u{each}" for each in draw.integers(0, 30_000, count).tolist()]}),
        fields(lambda count, draw: {"kind": [f"u{each}" for each in range(count)]}),
        known=20_000,
        tasks=frozenset({Task.BINARY}),
    ),
    "a reference smaller than the window": Bad(known=20, blind=frozenset({"risk", "input", "reconstruction"})),
    "no reference": Bad(
        reference=lambda rows, draw: replace(rows, features=None), known=0, blind=frozenset({"risk", "performance"})
    ),
    "probabilities that are not calibrated": Bad(unhinged, tasks=CLASSES),
    "probabilities that do not sum to one": Bad(scored(lambda each: [3 * one for one in each]), tasks=CLASSES),
    "probabilities that are no numbers": Bad(scored(lambda each: [math.nan, -math.inf, *each[2:]]), tasks=CLASSES),
    "a model without scores": Bad(unscored, tasks=CLASSES),
    "label noise": Bad(noisy),
    "label noise in the reference": Bad(reference=noisy),
    "labels of no class": Bad(strange_labels, tasks=CLASSES, blind=frozenset({"risk", "performance"})),
    "time going backwards": Bad(backwards=True),
    "everything refused": Bad(
        lambda rows, draw: replace(missing(rows, draw), features=None, refused="range"),
        blind=JUDGES | {"latency", "input", "reconstruction"},
    ),
    "a metric that cannot be computed": Bad(one_class, one_class),
}
