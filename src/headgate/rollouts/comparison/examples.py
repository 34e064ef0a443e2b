"""A few inputs to read: those two disagree most about, with what both said. `compare` is the only caller."""

import math
from datetime import date, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.contracts.contract import Contract
from headgate.evaluation.estimate import Floats
from headgate.rollouts.comparison.differences import numbers_of
from headgate.rollouts.comparison.features import public_features
from headgate.rollouts.comparison.pairs import Pairs
from headgate.rollouts.comparison.values import Example, Value
from headgate.vocabulary import Micros, Task

LONGEST: Final = 200
"""Characters of a feature that are kept: enough to recognise a text, little enough to read ten of them."""


def examples(both: Pairs, contract: Contract, features: pa.Table | None, most: int) -> tuple[Example, ...]:
    """At most `most` inputs: first those with different answers, among them those whose numbers are farthest apart.

    None of them has the same answer and the same scores. Of inputs as far apart the earlier comes first.
    """
    if both.output.task is Task.TENSOR:
        return ()
    differ = both.live.said != both.candidate.said
    distance = _distance(both)
    order = np.lexsort((-distance, ~differ))
    order = order[(differ | (distance > 0))[order]][:most]
    chosen = both.take(order)
    places, table = public_features(features, contract.fields, chosen.ids)
    rows = table.to_pylist() or [{} for _ in places]  # no rows either where none of the fields is public
    kept = dict(zip(places.tolist(), rows, strict=True))
    return tuple(_example(chosen, place, kept.get(place, {})) for place in range(len(chosen)))


def _distance(both: Pairs) -> Floats:
    """How far apart the numbers are: of several classes' scores, the share that would have to move."""
    live, candidate = both.live.scores, both.candidate.scores
    if both.output.task is Task.MULTICLASS and live is not None and candidate is not None:
        found = np.abs(candidate - live).sum(axis=1) / 2
    else:
        numbers = numbers_of(both)
        found = np.zeros(len(both)) if numbers is None else np.abs(numbers[2] - numbers[1])
    known: Floats = np.where(np.isfinite(found), found, 0.0)
    return known


def _example(chosen: Pairs, place: int, features: dict[str, Any]) -> Example:
    numbers = None if chosen.output.task is Task.REGRESSION else numbers_of(chosen)
    scores = (None, None) if numbers is None else (_number(numbers[1][place]), _number(numbers[2][place]))
    return Example(
        input_id=str(chosen.ids[place]),
        at=Micros(int(chosen.at[place])),
        live=_answer(chosen, chosen.live.said, place),
        candidate=_answer(chosen, chosen.candidate.said, place),
        live_score=scores[0],
        candidate_score=scores[1],
        label=_answer(chosen, chosen.truth, place) if chosen.labelled[place] else None,
        features={name: _plain(value) for name, value in features.items()},
    )


def _answer(chosen: Pairs, said: NDArray[Any], place: int) -> Value:
    if chosen.output.task is Task.REGRESSION:
        return float(said[place])
    return chosen.output.classes[int(said[place])]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Value:
    """A feature as JSON can say it: no infinite number, no text longer than one reads."""
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, bool | int):
        return value
    text = value.isoformat() if isinstance(value, datetime | date) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
