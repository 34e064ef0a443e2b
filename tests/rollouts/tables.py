"""Joined tables as the journal gives them, made up for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from headgate.journal.identifiers import least_id
from headgate.journal.tables import MOMENT
from headgate.vocabulary import SECOND, Role

LIVE, CANDIDATE = "late:1", "late:2"
_TYPES = {
    "input_id": pa.string(),
    "at": MOMENT,
    "entity": pa.string(),
    "assigned": pa.string(),
    "answered": pa.string(),
    "role": pa.string(),
    "probability": pa.float64(),
    "prediction": pa.string(),
    "scores": pa.list_(pa.float64()),
    "compute_us": pa.int64(),
    "fallback": pa.string(),
    "refusal_rule": pa.string(),
    "label": pa.string(),
    "source": pa.string(),
    "latency_us": pa.int64(),
}


def name(place: int) -> str:
    """The id of the input at `place`."""
    return least_id((1 + place) * SECOND)


def answer(place: int, role: Role, prediction: str | None, label: str | None = None, **other: Any) -> dict[str, Any]:
    """A row of a joined table; the inputs are a second apart."""
    ours = role in (Role.CANARY, Role.SHADOW)
    row = {
        "input_id": name(place),
        "at": (1 + place) * SECOND,
        "assigned": CANDIDATE if ours else LIVE,
        "role": role.value,
        "probability": 1.0 if role in (Role.LIVE, Role.SHADOW) else 0.5,
        "prediction": prediction,
        "scores": None if prediction is None else ([0.1, 0.9] if prediction == "yes" else [0.8, 0.2]),
        "compute_us": 100,
        "fallback": "",
        "label": label,
    }
    return row | other


def unanswered(place: int, **other: Any) -> dict[str, Any]:
    """An input that nobody answered its caller."""
    return {"input_id": name(place), "at": (1 + place) * SECOND, "refusal_rule": "runtime"} | other


def joined(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows as the reader gives them: by event time, input and role."""
    ordered = sorted(rows, key=lambda each: (each["at"], each["input_id"], each.get("role") or ""))
    columns = {key: pa.array([each.get(key) for each in ordered], _stored(kind)) for key, kind in _TYPES.items()}
    columns["at"] = columns["at"].cast(MOMENT)
    return pa.table(columns)


def shadowed(live_wrong: Sequence[bool], ours_wrong: Sequence[bool]) -> pa.Table:
    """Inputs whose truth is ``yes``, both versions asked."""
    rows = []
    for place, (theirs, ours) in enumerate(zip(live_wrong, ours_wrong, strict=True)):
        rows.append(answer(place, Role.LIVE, "no" if theirs else "yes", "yes"))
        rows.append(answer(place, Role.SHADOW, "no" if ours else "yes", "yes"))
    return joined(rows)


def divided(candidate: Sequence[bool], wrong: Sequence[bool], share: float) -> pa.Table:
    """Inputs whose truth is ``yes``, divided between the versions."""
    rows = []
    for place, (ours, bad) in enumerate(zip(candidate, wrong, strict=True)):
        role, probability = (Role.CANARY, share) if ours else (Role.LIVE, 1.0 - share)
        rows.append(answer(place, role, "no" if bad else "yes", "yes", probability=probability))
    return joined(rows)


def coins(generator: np.random.Generator, count: int, probability: float) -> list[bool]:
    """So many draws."""
    drawn: list[bool] = (generator.random(count) < probability).tolist()
    return drawn


def _stored(kind: pa.DataType) -> pa.DataType:
    return pa.int64() if kind == MOMENT else kind
