"""Days that bring what hardly any monitor can measure, of endpoints of every task; `test_bad_input` hands them over."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.evaluation.report import Report, evaluate
from headgate.evaluation.rows import labelled
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.known import Known
from headgate.monitors.watch.monitor import AnyMonitor, Portion
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.traffic.endpoint import EndpointSpec, Slo
from headgate.traffic.outliers import OutlierWords
from headgate.traffic.watched import MonitorWords
from headgate.vocabulary import DAY, HOUR, Micros, Role, Task

MONDAY: Final = Micros(20_003 * DAY)
VERSION: Final = "m:1"
SOURCE: Final = Source("default", "odd", (Role.LIVE,))
GROUP: Final = "kind"
SPEC: Final = EndpointSpec(
    "odd",
    "m",
    slo=Slo(latency_p99_ms=50.0),
    monitors=MonitorWords(groups=[GROUP]),
    outliers=OutlierWords(flag="1 in 100"),
)
OUTPUTS: Final = {
    Task.BINARY: Output(Task.BINARY, classes=("no", "yes"), probability=True),
    Task.MULTICLASS: Output(Task.MULTICLASS, classes=("a", "b", "c"), probability=True),
    Task.REGRESSION: Output(Task.REGRESSION),
    Task.TENSOR: Output(Task.TENSOR),
}
FIELDS: Final = (
    Field("km", Kind.NUMBER),
    Field("stops", Kind.INTEGER),
    Field(GROUP, Kind.CATEGORY, domain=("a", "b")),
)
Draw = np.random.Generator


@dataclass(frozen=True)
class Asked:
    """Rows with the answers and the truth of each; every part has an entry a row."""

    features: dict[str, pa.Array] | None
    """None where none were kept."""
    label: Sequence[Any]
    prediction: Sequence[Any]
    scores: Sequence[Sequence[float] | None]
    latency_us: Sequence[int | None]
    refused: str | None = None
    """The rule for which all of them were refused."""

    def __len__(self) -> int:
        return len(self.label)


def asked(task: Task, count: int, draw: Draw) -> Asked:
    """Ordinary rows: nine answers of ten are right, and scores say so."""
    features = {
        "km": pa.array(draw.normal(size=count)),
        "stops": pa.array(draw.integers(0, 4, count)),
        "kind": pa.array(draw.choice(["a", "b"], count).tolist()),
    }
    nothing: list[Any] = [None] * count
    made = Asked(features, nothing, nothing, nothing, [900] * count)
    if task is Task.TENSOR:
        return made
    if task is Task.REGRESSION:
        truth = draw.normal(size=count)
        return replace(made, label=truth.tolist(), prediction=(truth + 0.3 * draw.normal(size=count)).tolist())
    names = np.array(OUTPUTS[task].classes)
    said = draw.integers(0, len(names), count)
    others = (said + 1) % len(names)
    truth = np.where(draw.random(count) < 0.9, said, others)
    scores = np.full((count, len(names)), 0.1 / (len(names) - 1))
    scores[np.arange(count), said] = 0.9
    return replace(made, label=names[truth].tolist(), prediction=names[said].tolist(), scores=scores.tolist())


Spoil = Callable[[Asked, Draw], Asked]


def as_it_is(rows: Asked, draw: Draw) -> Asked:
    """Nothing is spoilt."""
    return rows


@dataclass(frozen=True)
class Bad:
    """What is wrong with the days, and with the reference they are held against."""

    day: Spoil = as_it_is
    reference: Spoil = as_it_is
    known: int = 1500
    """Rows of the reference."""
    rows: int = 60
    """Of a day."""
    backwards: bool = False
    """Whether portions, and rows within them, come last first."""
    blind: frozenset[str] = frozenset()
    """Monitors that had nothing to measure, so that none of them may be called steady."""
    tasks: frozenset[Task] = field(default_factory=lambda: frozenset(Task))


@dataclass(frozen=True)
class World:
    """Monitors, and what they are handed."""

    monitors: tuple[AnyMonitor, ...]
    portions: tuple[Portion, ...]


def world(task: Task, bad: Bad, *, days: int = 4, every: Micros = DAY) -> World:
    """An endpoint of this task with all its monitors, and its days as who looks `every` so often hands them over."""
    draw = np.random.default_rng(5)
    monitors, report = _watching(task, bad.reference, bad.known)
    scene = Scene(SOURCE, VERSION, OUTPUTS[task], reference=report)
    portions = [each for day in range(days) for each in _day(scene, bad, Micros(MONDAY + day * DAY), draw, every)]
    if bad.backwards:
        portions = [_turned(each) for each in reversed(portions)]
    return World(monitors, tuple(portions))


@cache
def _watching(task: Task, spoil: Spoil, count: int) -> tuple[tuple[AnyMonitor, ...], Report | None]:
    """All monitors of an endpoint with so many rows of reference, and what its evaluation measured."""
    draw = np.random.default_rng(6)
    known = spoil(asked(task, count, draw), draw)
    report = _evaluated(task, known)
    rows = None if known.features is None else pa.table(known.features)
    words: dict[str, Any] = {"contract": Contract(FIELDS, OUTPUTS[task]), "known": _answered(task, known)}
    return roster(SPEC, VERSION, OUTPUTS[task], report, rows, held_out=count // 2, **words), report


def _evaluated(task: Task, known: Asked) -> Report | None:
    if task is Task.TENSOR or not len(known):
        return None
    return evaluate(task, known.label, known.prediction, _scores(known), OUTPUTS[task].classes)


def _answered(task: Task, known: Asked) -> Known | None:
    """The rows of the evaluation, as they are kept."""
    if task is Task.TENSOR or known.features is None:
        return None
    rows, chosen = labelled(task, known.label, known.prediction, _scores(known), OUTPUTS[task].classes)
    return Known(rows, pa.table(known.features).filter(pa.array(chosen)), f"{len(rows)} rows of {task}")


def _scores(known: Asked) -> NDArray[np.float64] | None:
    return None if not len(known) or known.scores[0] is None else np.array(known.scores)


def _day(scene: Scene, bad: Bad, start: Micros, draw: Draw, every: Micros) -> Iterator[Portion]:
    at = start + 9 * HOUR + np.sort(draw.integers(0, 2 * HOUR, bad.rows))
    rows = _joined(bad.day(asked(scene.output.task, bad.rows, draw), draw), at, scene.output.task)
    for begins in range(start, start + DAY, every):
        yield from scene.hours(rows, Micros(begins), Micros(begins + every))
    yield scene.day(rows, start)


def _joined(rows: Asked, at: NDArray[np.int64], task: Task) -> pa.Table:
    """The table that the journal's reader would give."""
    count, kind = len(rows), pa.float64() if task is Task.REGRESSION else pa.string()
    answered = None if rows.refused else VERSION

    def same(value: str | None) -> pa.Array:
        return pa.array([value] * count, pa.string())

    return pa.table(
        {
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
            "assigned": same(answered),
            "answered": same(answered),
            "role": same(None if rows.refused else Role.LIVE.value),
            "prediction": pa.array(rows.prediction, kind),
            "scores": pa.array(rows.scores, pa.list_(pa.float64())),
            "compute_us": pa.array(rows.latency_us, pa.int64()),
            "latency_us": pa.array(rows.latency_us, pa.int64()),
            "fallback": same(None if rows.refused else ""),
            "refusal_field": same(None if rows.refused is None else "km"),
            "refusal_rule": same(rows.refused),
            "flags": pa.array([[]] * count, pa.list_(pa.string())),
            "label": pa.array(rows.label, kind),
            "request_id": pa.array([f"r{moment}" for moment in at.tolist()], pa.string()),
            "features": _features(rows),
            "groups": _groups(rows),
        }
    )


def _features(rows: Asked) -> pa.Array:
    if rows.features is None:
        return pa.nulls(len(rows), pa.struct([("km", pa.float64())]))
    return pa.StructArray.from_arrays(list(rows.features.values()), names=list(rows.features))


def _groups(rows: Asked) -> pa.Array:
    found = (rows.features or {}).get(GROUP)
    return pa.StructArray.from_arrays([pa.nulls(len(rows), pa.string()) if found is None else found], names=[GROUP])


def _turned(portion: Portion) -> Portion:
    """The same rows, the last first."""
    order = np.arange(len(portion))[::-1]
    return replace(portion, rows=portion.rows.take(order), table=portion.table.take(pa.array(order)))
