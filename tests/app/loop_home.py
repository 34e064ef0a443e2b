"""A home whose journal tells of a world that has changed, and a loop over it whose clock a test holds."""

import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from headgate.app.facade import Headgate
from headgate.clock import HeldClock
from headgate.journal.committer import Committer
from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Stream
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.registry.packages import open_package
from headgate.registry.ports import Version
from headgate.retraining.run import Run
from headgate.store.home import create_home, open_home
from headgate.testing.scripted import linear_package
from headgate.vocabulary import DAY, HOUR, Micros

BEGAN: Final = 1_362_355_200_000_000
"""2013-03-04T00:00:00Z, when the story begins."""
FIELDS: Final = (SchemaField("f0", "number", "public"), SchemaField("f1", "number", "public"))
SCHEMA: Final = Schema("default", "late", "sha256:00", FIELDS, "binary", "integer", (0, 1))
LEARN: Final = """
from sklearn.linear_model import LogisticRegression

def train(data):
    return LogisticRegression().fit(data.X, data.y)
"""
ENDPOINT: Final = """
endpoint: late
model: linear:1
label_maturity: 1h
retraining:
  recipe: {python: learn.py:train, limits: {seconds: 60}}
  original: false
  probation: 1d
  rollout: {strategy: all_at_once}
"""


@dataclass
class Story:
    """One home, and the moment it is at."""

    root: Path
    clock: HeldClock = field(default_factory=lambda: HeldClock(Micros(BEGAN + 3 * DAY)))

    def open(self) -> Headgate:
        """The installation, at the moment of the story."""
        return Headgate(open_home(self.root), clock=self.clock)


def story(
    root: Path, *, recipe: str = LEARN, endpoint: str = ENDPOINT, rows: int = 900, one_class: bool = False
) -> Story:
    """A home where ``linear:1`` answers and is wrong: the first field means the opposite of what it learned."""
    home = create_home(root)
    (root / "learn.py").write_text(recipe)
    (root / "endpoint.yaml").write_text(endpoint)
    found = Story(root)
    with found.open() as hg:
        package = open_package(linear_package(home.packages, 2))
        made = Version("default", "linear", 0, package.digest, Micros(0), package.manifest.engine, "binary")
        hg.registry.records.add_version(made)
        hg.apply(root / "endpoint.yaml", force=True)
    chance = random.Random(7)  # noqa: S311 - a story, not a secret
    at = sorted(BEGAN + chance.randrange(2 * DAY) for _ in range(rows))
    block = Block([], [], [])
    for number, moment in enumerate(at):
        id_, cells = (number + 1).to_bytes(16), (chance.gauss(0, 2), chance.gauss(0, 1))
        said = 1 / (1 + math.exp(-cells[0] - math.cos(1) * cells[1]))
        truth = int(chance.random() < 1 / (1 + math.exp(cells[0])))
        block.inputs.append(Input(id_, moment, cells, f"r{number}", 0))
        block.answers.append(Answer(id_, "linear:1", "linear:1", "live", 1.0, int(said > 0.5), [1 - said, said], 1, 1))
        known, label = moment + HOUR // 2, 1 if one_class else truth
        block.labels.append(Label((number + 1).to_bytes(15) + b"\1", known, known, label, input_id=id_))
    journal = Committer(LocalDisk(root), Stream("here-0"), clock=found.clock)
    journal.write(SCHEMA, block, None)
    journal.close()
    return found


def step(hg: Headgate) -> Run | None:
    """What the controller does in one step of a replay: rollouts first, then the loop, waiting for what learns."""
    hg.rollouts.progress().turn(at_once=True)
    hg.controller().reconcile()
    hg.retraining.loop().turn(at_once=True)
    runs = hg.retraining.runs("late")
    return runs[-1] if runs else None


def lived(found: Story, *, steps: int = 6) -> Run:
    """The newest run once it has ended, or after so many steps of half a day."""
    with found.open() as hg:
        run = hg.retraining.status("late")
        for _ in range(steps):
            run = step(hg) or run
            if run.ended:
                break
            found.clock.move_to(Micros(found.clock.now() + DAY))
        return run
