"""Joined tables as the journal's reader gives them, written answer by answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from headgate.contracts.contract import Contract, Field, Kind, Output, Sensitivity
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.pairs import pairs_of
from headgate.rollouts.comparison.values import Comparison
from headgate.vocabulary import Task

LIVE, SHADOW = "m:1", "m:2"
BINARY = Contract(
    (
        Field("carrier", Kind.CATEGORY),
        Field("distance", Kind.NUMBER),
        Field("late", Kind.BOOLEAN),
        Field("note", Kind.TEXT),
        Field("age", Kind.INTEGER, sensitivity=Sensitivity.PERSONAL),
    ),
    Output(Task.BINARY, classes=("no", "yes"), probability=True),
)
NUMBERS = replace(BINARY, output=Output(Task.REGRESSION))
SEVERAL = replace(BINARY, output=Output(Task.MULTICLASS, classes=("a", "b", "c"), probability=True))
TENSORS = replace(BINARY, output=Output(Task.TENSOR))


@dataclass(frozen=True)
class Said:
    """One answer to one input, or with a role of None an input that nobody answered."""

    input_id: str
    role: str | None = "live"
    prediction: Any = "no"
    assigned: str | None = None
    """The live version's or the shadow's name, going by the role, where there is none."""
    label: Any = None
    scores: Sequence[float] | None = None
    at: int = 0
    request_id: str = ""
    compute_us: int | None = 200
    latency_us: int | None = 1000
    fallback: str | None = ""
    refusal_rule: str | None = None


def live(input_id: str, prediction: Any = "no", **more: Any) -> Said:
    return Said(input_id, "live", prediction, **more)


def shadow(input_id: str, prediction: Any = "no", **more: Any) -> Said:
    return Said(input_id, "shadow", prediction, **more)


def table(rows: Sequence[Said], value: pa.DataType | None = None) -> pa.Table:
    """The rows as Arrow, labels and predictions of one type."""
    kind = value or pa.string()
    versions = {"live": LIVE, "canary": LIVE, "shadow": SHADOW, "human": "", None: None}
    filled = [each if each.assigned is not None else replace(each, assigned=versions[each.role]) for each in rows]
    types = {
        "at": pa.timestamp("us", tz="UTC"),
        "prediction": kind,
        "label": kind,
        "scores": pa.list_(pa.float64()),
        "compute_us": pa.int64(),
        "latency_us": pa.int64(),
    }
    names = list(Said.__dataclass_fields__)
    return pa.table(
        {name: pa.array([getattr(row, name) for row in filled], types.get(name, pa.string())) for name in names}
    )


def features(rows: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """The features by input id, as the reader gives them; all rows have the same fields."""
    return pa.table({"input_id": pa.array(list(rows), pa.string()), "features": pa.array(list(rows.values()))})


_SIDE = st.one_of(
    st.none(),
    st.sampled_from(["no", "yes"]),
    st.sampled_from(["timeout", "error", ""]).map(lambda reason: ("failed", reason)),
)
INPUTS = st.lists(st.tuples(_SIDE, _SIDE, st.sampled_from([None, "no", "yes"])), max_size=30)
"""What the live version and its shadow said of each input (None where nobody asked), and the label."""


def rows_of(inputs: Sequence[tuple[Any, Any, str | None]]) -> list[Said]:
    """`inputs` as answers, the tenth input a day after the first ten."""
    rows = []
    for place, (ours, theirs, label) in enumerate(inputs):
        for role, said in (("live", ours), ("shadow", theirs)):
            about: dict[str, Any] = {
                "at": place // 10,
                "label": label,
                "compute_us": 100 + place,
                "latency_us": 1000 - place,
            }
            if isinstance(said, tuple):
                rows.append(Said(f"i{place:02}", role, None, fallback=said[1], **about))
            elif said is not None:
                rows.append(Said(f"i{place:02}", role, said, **about))
    return rows


def of(rows: Sequence[Said], contract: Contract = BINARY, value: pa.DataType | None = None, **more: Any) -> Comparison:
    """What is compared where these were said."""
    return compare(pairs_of(table(rows, value), contract), contract, **more)
