"""A small world that pipelines read: flights as rows, files of them, and hands that remember what they were asked."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headgate.clock import HeldClock
from headgate.pipelines.pipelinefile import PipelineFile, read_pipeline
from headgate.pipelines.ports import Asked, Proved, Told
from headgate.pipelines.run import Runner
from headgate.pipelines.state import Kept
from headgate.vocabulary import DAY, Micros

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = Micros(round(BEGIN.timestamp()) * 1_000_000 + 30 * DAY)

FLIGHTS = """\
pipeline: late
label: late
task: binary
at: at
key: [id]
sources:
  flights:
    csv: flights/*.csv
    key: [id]
    contract:
      fields:
      - {name: distance, kind: number, minimum: 0, maximum: 6000, on_range: reject}
      - {name: carrier, kind: category, domain: [UA, DL], on_domain: reject}
      output: {task: binary, label: late, classes: [false, true]}
transforms:
- sql: SELECT *, distance / 500 AS hours FROM rows
  serving: true
"""


def flight(number: int, **changed: Any) -> dict[str, Any]:
    """One flight; every third one is late."""
    at = (BEGIN + timedelta(hours=number)).isoformat()
    said = {"id": number, "at": at, "distance": 100 + number, "carrier": "UA" if number % 2 else "DL"}
    return {**said, "late": "true" if number % 3 == 0 else "false", **changed}


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows as a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class Remembering:
    """Hands that remember what they were asked, and prove as they are told to."""

    passes: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def see(self, file: PipelineFile) -> None:
        """All of it could be done."""

    def learn(self, asked: Asked, told: Told) -> str:
        """The first version."""
        self.asked.append(("learn", asked.run, asked.dataset.name))
        return "late:1"

    def prove(self, asked: Asked, version: str) -> Proved:
        """As told."""
        self.asked.append(("prove", version))
        return Proved(self.passes, "it is better" if self.passes else "it is worse")

    def roll_out(self, asked: Asked, version: str) -> str:
        """Begun."""
        self.asked.append(("roll_out", version))
        return f"rollout 1 of {version} began"


@dataclass
class World:
    """One home with one pipeline."""

    root: Path
    text: str = FLIGHTS
    hands: Remembering = field(default_factory=Remembering)
    clock: HeldClock = field(default_factory=lambda: HeldClock(NOW))

    @property
    def kept(self) -> Kept:
        """What the pipeline keeps."""
        return Kept(self.root / "home" / "pipelines" / "default" / "late")

    @property
    def datasets(self) -> Path:
        """Where training sets lie."""
        return self.root / "home" / "datasets"

    def flights(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """A file of flights."""
        write_csv(self.root / "flights" / name, rows)

    def runner(self) -> Runner:
        """The pipeline, ready to run, a second later than before."""
        self.clock.move_to(Micros(self.clock.now() + 1_000_000))
        file = read_pipeline(self.text, self.root / "pipeline.yaml")
        return Runner(file, self.kept, datasets=self.datasets, hands=self.hands, clock=self.clock)
