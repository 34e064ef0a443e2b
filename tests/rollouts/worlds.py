"""A served endpoint that is made up, with its journal: callers, labels and a rollout, all by chance, for tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from headgate.contracts.contract import Output
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Refusal, Schema, SchemaField, Source
from headgate.journal.sealer import Sealer
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.observe import Scene
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move
from headgate.testing.segments import MemorySegments
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import SECOND, Micros, Role, Task

LIVE, CANDIDATE = "late:1", "late:2"
FIELDS = (SchemaField("amount", "number", "public"), SchemaField("region", "category", "public"))
SCHEMA = Schema("default", "late", "sha256:1", FIELDS, "binary", "text", ("no", "yes"))
OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
BEGUN = Micros(20_000 * 86_400 * SECOND)
MATURITY_S = 10.0
GUARDS = (
    usual_guard(Measure.ERRORS),
    usual_guard(Measure.LATENCY),
    usual_guard(Measure.ACCURACY),
    usual_guard(Measure.CALIBRATION),
    Guard(metric=Measure.ACCURACY, margin=Margin(20.0, Unit.PERCENT), by="region"),
)
RAMP = Plan(
    endpoint="late",
    candidate=CANDIDATE,
    steps=(Shadow(1.0), Analysis(), SetWeight(0.2), Analysis(), SetWeight(0.5), Analysis()),
    guards=GUARDS,
)
SPLIT = msgspec.structs.replace(RAMP, steps=(SetWeight(0.2), SetWeight(0.5)))
SWITCH = msgspec.structs.replace(RAMP, steps=(Shadow(1.0), Analysis(), SetWeight(1.0), Analysis()))
STICKY = msgspec.structs.replace(RAMP, sticky_key="user")


@dataclass(frozen=True)
class Habits:
    """How often what is unusual happens: shares of inputs, or of labels."""

    late: float = 0.0
    """Inputs and shadows that become readable some seconds after their moment."""
    retried: float = 0.05
    overtaken: float = 0.0
    """Retries that may bear an earlier moment than what they ask again."""
    refused: float = 0.05
    unlabelled: float = 0.1
    after_due: float = 0.0
    """Labels that come when they have been due for long."""
    corrected: float = 0.0
    """Labels that are followed by another, which says something else half of the time."""
    ahead: float = 0.0
    """Labels that claim a moment that has not come."""
    by_entity: bool = False
    """Whether labels name the last input of a key."""


class World:
    """An endpoint, its callers, and the journal they leave."""

    def __init__(self, folder: Path, seed: int, plan: Plan = RAMP, habits: Habits | None = None, **more: Any) -> None:
        self.random = np.random.default_rng(seed)
        self.habits = habits or Habits()
        self.source, self.lake = MemorySegments(), Lake(folder)
        self.reader, self.sealer = Reader(self.lake, self.source), Sealer(self.source, self.lake)
        sticky = plan.sticky_key
        traffic = Traffic("default", "late", 1, LIVE, [Member(LIVE, "", 1.0, forced=True)], "salt", sticky_key=sticky)
        self.scene = Scene(OUTPUT, MATURITY_S, traffic, **more)
        self.rollout = Rollout(plan=plan, live=LIVE, started=BEGUN, number=1, thresholds=(90.0, 150.0, 200.0))
        self.now = Micros(BEGUN - 5 * SECOND)
        self.asked: list[tuple[int, int]] = []
        """Number and moment of every input."""
        self.coming: list[tuple[int, Block]] = []
        """What becomes readable later, and when."""
        self.labels = 0
        self.sequence = 1

    def wait(self, seconds: float) -> None:
        """Time passes, and what was to become readable does."""
        self.now = Micros(self.now + round(seconds * SECOND))
        due = [block for at, block in self.coming if at <= self.now]
        self.coming = [each for each in self.coming if each[0] > self.now]
        for each in due:
            self.write(each)

    def step(self) -> None:
        """The rollout goes on."""
        self.rollout = self.rollout.after(Move(Action.STEP, self.now, "on"))

    def write(self, block: Block) -> None:
        """Readable from now on."""
        self.source.write("here-0", self.sequence, [(SCHEMA, block)], closed=False)

    def seal(self, *, compact: bool = False) -> None:
        """The segment is closed and moved into the lake."""
        self.source.write("here-0", self.sequence, [], closed=True)
        self.sequence += 1
        self.sealer.seal()
        if compact:
            self.sealer.compact(grace_hours=0)

    def ask(self) -> None:
        """One input, its answers and its label."""
        number, at, request = len(self.asked), self.now - int(self.random.integers(0, SECOND)), f"r{len(self.asked)}"
        if self.happens(self.habits.retried) and number:
            request = f"r{int(self.random.integers(max(0, number - 20), number))}"
            at = at if self.happens(self.habits.overtaken) else self.now
        self.asked.append((number, at))
        user = f"u{int(self.random.integers(0, 40))}" if self.happens(0.9) else None
        features = (float(number % 7), "north" if number % 3 else "south")
        refusal = Refusal("row", "runtime", "failed") if self.happens(self.habits.refused) else None
        truth = "yes" if self.happens(0.6) else "no"
        block = Block([Input(ident(number), at, features, request, 0, entity=user, refusal=refusal)], [], [])
        shadowed = self.rollout.state.shadow > 0 and self.happens(0.8)
        if refusal is None:
            ours = self.happens(self.rollout.state.weight)
            share = self.rollout.state.weight if ours else 1 - self.rollout.state.weight
            block.answers.append(self.said(number, Role.CANARY if ours else Role.LIVE, share, truth))
            shadowed = shadowed and ours is (self.rollout.state.weight == 1.0)
        delay = int(self.random.integers(0, 4 * SECOND)) if self.happens(self.habits.late) else 0
        self.coming.append((self.now + delay, block))
        if shadowed:
            beside = self.said(number, Role.SHADOW, 1.0, truth, ours=self.rollout.state.weight < 1.0)
            self.coming.append((self.now + 2 * delay, Block([], [beside], [])))
        if not self.happens(self.habits.unlabelled):
            self.label(number, at, user, truth)
        self.wait(0)

    def said(self, number: int, role: Role, probability: float, truth: str, *, ours: bool | None = None) -> Answer:
        """What a version answered: the candidate is wrong more often, and slower."""
        ours = role is not Role.LIVE if ours is None else ours
        says = truth if self.happens(0.8 if ours else 0.9) else {"yes": "no", "no": "yes"}[truth]
        sure = round(float(self.random.uniform(0.5, 1.0)), 3)
        scores = [1 - sure, sure] if says == "yes" else [sure, 1 - sure]
        version, took = CANDIDATE if ours else LIVE, int(self.random.lognormal(4.8 if ours else 4.6, 0.3))
        fallback = "failed" if ours and self.happens(0.05) else ""
        answered = LIVE if fallback else version
        return Answer(ident(number), version, answered, role, probability, says, scores, took, 9, fallback)

    def label(self, number: int, at: int, user: str | None, truth: str) -> None:
        """What turned out to be true, once, twice, late or too soon."""
        when = self.now + int(self.random.integers(SECOND, 8 * SECOND))
        if self.happens(self.habits.after_due):
            when += 30 * SECOND
        observed = when + (5 * SECOND if self.happens(self.habits.ahead) else 0)
        self.tell(number, when, observed, at=at, user=user, truth=truth)
        if self.happens(self.habits.corrected):
            other = {"yes": "no", "no": "yes"}[truth] if self.happens(0.5) else truth
            later = when + int(self.random.integers(0, 40 * SECOND))
            self.tell(number, later, observed + 1, at=at, user=user, truth=other)

    def tell(self, number: int, when: int, observed: int, *, at: int, user: str | None, truth: str) -> None:
        """A label that comes at `when`; now and then it comes twice."""
        self.labels += 1
        names: dict[str, Any] = {"input_id": ident(number)}
        if self.habits.by_entity and user is not None:
            names = {"entity": user, "entity_at": at}
        elif self.happens(0.3):
            names = {"request_id": f"r{number}"}
        label = Label(ident(10**6 + self.labels), when, observed, truth, source=Source.LABEL, **names)
        again = [label, label] if self.happens(0.1) else [label]
        self.coming.append((when, Block([], [], again)))

    def happens(self, share: float) -> bool:
        """By chance."""
        return bool(self.random.random() < share)


def ident(number: int) -> bytes:
    """The id of an input or of a label."""
    return number.to_bytes(16, "big")
