"""An endpoint whose inputs, or what they lead to, change on a day: planted, so that a diagnosis can be held to it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from tests.monitors.watch.worlds import MATURITY_S, MONDAY, VERSION, Written, ident

from headgate.contracts.contract import Kind, Output
from headgate.evaluation.gates import Outcome
from headgate.evaluation.metrics import measure
from headgate.evaluation.report import Report
from headgate.evaluation.rows import Rows
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.monitors.attribution.samples import Sample
from headgate.monitors.columns import SERVED
from headgate.monitors.diagnosis.sides import Side
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.lookback import Registered
from headgate.monitors.watch.roster import roster
from headgate.monitors.watch.scene import Scene
from headgate.traffic.endpoint import EndpointSpec
from headgate.vocabulary import DAY, HOUR, Micros, Role, Task

FIELDS: Final = (
    SchemaField("size", "number", "public"),
    SchemaField("distance", "number", "public"),
    SchemaField("shop", "category", "public"),
)
DRIFTING: Final = Schema("default", "late", "sha256:1", FIELDS, "binary", "text", ("no", "yes"))
KINDS: Final = {"size": Kind.NUMBER, "distance": Kind.NUMBER, "shop": Kind.CATEGORY}
OUTPUT: Final = Output(Task.BINARY, classes=("no", "yes"), probability=True)
CHANGED: Final = 8
"""The day, from 0, on which the change comes."""
ROWS: Final = 500
"""Inputs of a day."""


@dataclass(frozen=True)
class Change:
    """What is other from the day `CHANGED` on."""

    shift: float = 0.0
    """Of the sizes, in standard deviations, to where the model is less sure."""
    swapped: float = 0.0
    """Share of the outcomes that are the other one."""


@dataclass(frozen=True)
class Rowed:
    """Some rows."""

    size: "np.ndarray"
    distance: "np.ndarray"
    shop: "np.ndarray"
    chance: "np.ndarray"
    late: "np.ndarray"

    @classmethod
    def drawn(cls, random: np.random.Generator, count: int, change: Change) -> "Rowed":
        size = random.normal(1.5 - change.shift, size=count)
        chance = 1 / (1 + np.exp(-3 * size))
        late = (random.random(count) < chance) ^ (random.random(count) < change.swapped)
        shops = np.array(["north", "south"])[random.integers(2, size=count)]
        return cls(size, random.normal(size=count), shops, chance, late)


def drifting(seed: int, change: Change, days: int) -> list[Written]:
    """Inputs of some days with their answers, an hour at a time, and labels an hour later."""
    random = np.random.default_rng(seed)
    found = []
    for day in range(days):
        rows = Rowed.drawn(random, ROWS, change if day >= CHANGED else Change())
        moments = np.sort(random.integers(MONDAY + day * DAY, MONDAY + (day + 1) * DAY - HOUR, ROWS)).tolist()
        asked, said = Block([], [], []), Block([], [], [])
        for place, at in enumerate(moments):
            number, chance = day * ROWS + place, float(rows.chance[place])
            values = float(rows.size[place]), float(rows.distance[place]), str(rows.shop[place])
            asked.inputs.append(Input(ident(number), at, values, f"r{number}", 0))
            answer = "yes" if chance > 0.5 else "no"
            scores = [1 - chance, chance]
            asked.answers.append(Answer(ident(number), VERSION, VERSION, Role.LIVE, 1.0, answer, scores, 300, 900, ""))
            truth = "yes" if rows.late[place] else "no"
            known = at + HOUR
            said.labels.append(Label(ident(10**6 + number), known, known, truth, input_id=ident(number)))
        end = Micros(MONDAY + (day + 1) * DAY)
        found += [Written(end, asked), Written(end, said)]
    return found


def registered(*, fields: bool = True) -> Registered:
    """What the package knows: the fields of its rows, and nothing of their labels."""
    if not fields:
        return Registered(KINDS)
    rows = Rowed.drawn(np.random.default_rng(99), 2000, Change())
    table = pa.table({"size": rows.size, "distance": rows.distance, "shop": rows.shop})
    nobody = Rows(Task.BINARY, np.zeros(0, np.int64), None, None, OUTPUT.classes)
    return Registered(KINDS, Side(table, Sample({}, nobody), 2000, 0))


def evaluated() -> Report:
    """What the evaluation of the version measured."""
    rows = Rowed.drawn(np.random.default_rng(98), 4000, Change())
    truth, said = (np.where(each, "yes", "no").tolist() for each in (rows.late, rows.chance > 0.5))
    figures = measure(Task.BINARY, truth, said, rows.chance, OUTPUT.classes)
    kept = {name: figures[name] for name in ("log_loss", "auc", "accuracy")}
    return Report(rows=4000, estimates=kept, task=Task.BINARY, confidence=0.95, verdict=Outcome.PASSED)


SPEC: Final = EndpointSpec("late", "late")


def scene() -> Scene:
    """The endpoint as it is watched."""
    reference = evaluated()
    return Scene(
        source=Source("default", "late", SERVED),
        version=VERSION,
        output=OUTPUT,
        monitors=roster(SPEC, VERSION, OUTPUT, reference),
        reference=reference,
        maturity_s=MATURITY_S,
        replayed=True,
    )
