"""What a look at a rollout costs: `python -m benchmarks.evidence [--quick]`.

A million events become evidence, on the same inputs and divided, for the guards a plan has where it names none; the
limit is 1 s each. Then a rollout is followed whose journal holds ten thousand, a hundred thousand and a million inputs:
what reading all of them takes, and what a look takes that finds a thousand more. The latter may not grow with what was
counted before: at most twice as long for a hundred times as many inputs.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks import machine, report
from headgate.contracts.contract import Output
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema
from headgate.journal.tables import MOMENT, Table, arrow_schema, conform, id_texts
from headgate.rollouts.answers import Answers, Arms, Pairs
from headgate.rollouts.following import Followed
from headgate.rollouts.guards import usual_guards
from headgate.rollouts.judge import Evidence, Sample
from headgate.rollouts.measures import Setting
from headgate.rollouts.observe import Scene
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.testing.segments import MemorySegments
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import SECOND, Micros, Role, Task

EVENTS: Final = 1_000_000
COUNTED: Final = (10_000, 100_000, 1_000_000)
NEW: Final = 1000
LOOKS: Final = 7
RATE: Final = 1000
"""Inputs a second."""
UPDATE_LIMIT_S: Final = 1.0
GROWTH_LIMIT: Final = 2.0
LIVE, CANDIDATE = "late:1", "late:2"
START: Final = Micros(20_000 * 86_400 * SECOND)
SCHEMA: Final = Schema("default", "late", "sha256:1", (), "binary", "integer", (0, 1))
OUTPUT: Final = Output(Task.BINARY, classes=(0, 1), probability=True)
SHADOW: Final = Plan(
    endpoint="late", candidate=CANDIDATE, steps=(Shadow(1.0), Analysis()), guards=usual_guards(Task.BINARY, labels=True)
)
SPLIT: Final = Plan(endpoint="late", candidate=CANDIDATE, steps=(SetWeight(0.5), Analysis()), guards=SHADOW.guards)


def answers(random: np.random.Generator, count: int) -> Answers:
    """What a version said that is wrong once in ten times, with errors and times as they are."""
    truth = (random.random(count) < 0.6).astype(np.int64)
    return Answers(
        at=START + np.arange(count) * SECOND // RATE,
        predicted=np.where(random.random(count) < 0.1, 1 - truth, truth),
        scores=None,
        compute_us=random.lognormal(6.0, 0.4, count).round(),
        failed=random.random(count) < 0.002,
        truth=truth,
        labelled=np.ones(count, np.bool_),
    )


def samples(count: int) -> dict[str, tuple[Plan, Sample]]:
    """So many inputs that both were asked, and so many that were divided between them."""
    random = np.random.default_rng(1)
    live, candidate = answers(random, count), answers(random, count)
    candidate = Answers(
        live.at, np.where(random.random(count) < 0.95, live.predicted, candidate.predicted), None,
        candidate.compute_us, candidate.failed, live.truth, live.labelled,
    )  # fmt: skip
    pairs, arms = Pairs(live, candidate), Arms(live, random.random(count) < 0.5, np.full(count, 0.5))
    nobody = np.zeros(count, np.bool_)
    setting = Setting((400.0, 780.0, 1020.0), ("0", "1"))
    return {
        "the same inputs": (SHADOW, Sample(pairs, arms.take(nobody), pairs, arms.take(nobody), setting)),
        "divided inputs": (SPLIT, Sample(pairs.take(nobody), arms, pairs.take(nobody), arms, setting)),
    }


def median_s(work: Callable[[], object], times: int = 5) -> float:
    """Median seconds of several runs."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


class Journal:
    """A journal whose lake holds `count` inputs a candidate answered unseen, and to which more come."""

    def __init__(self, folder: Path, count: int) -> None:
        self._random = np.random.default_rng(2)
        self._source = MemorySegments()
        lake = Lake(folder)
        self._count = count
        for table, rows in self._sealed(count).items():
            lake.append(lake.place("default", "late", table, rows.schema), rows, {})
        traffic = Traffic("default", "late", 1, LIVE, [Member(LIVE, "", 1.0, forced=True)], "salt")
        self.rollout = Rollout(plan=SHADOW, live=LIVE, started=START, thresholds=(400.0, 780.0, 1020.0))
        self.scene = Scene(OUTPUT, 1.0, traffic)
        self.followed = Followed(Reader(lake, self._source))

    @property
    def now(self) -> Micros:
        """Two seconds after the last input was asked."""
        return Micros(START + self._count * SECOND // RATE + 2 * SECOND)

    def look(self) -> None:
        """One look of the controller."""
        self.followed.look(self.rollout, self.scene, self.now)

    def more(self, count: int) -> None:
        """So many inputs more, with their labels."""
        block = Block([], [], [])
        for number in range(self._count, self._count + count):
            ident, at = number.to_bytes(16, "big"), START + number * SECOND // RATE
            block.inputs.append(Input(ident, at, None, f"r{number}", 0))
            for version, role in ((LIVE, Role.LIVE), (CANDIDATE, Role.SHADOW)):
                said = int(self._random.random() < 0.6)
                took = int(self._random.lognormal(6.0, 0.4))
                block.answers.append(Answer(ident, version, version, role, 1.0, said, [0.4, 0.6], took, 900))
            block.labels.append(Label(ident, at + SECOND // 2, at, number % 2, input_id=ident))
        self._source.write("here-0", 1, [(SCHEMA, block)], closed=False)
        self._count += count

    def _sealed(self, count: int) -> dict[Table, pa.Table]:
        ids = id_texts([each.to_bytes(16, "big") for each in range(count)])
        at = pa.array(START + np.arange(count) * SECOND // RATE).cast(MOMENT)
        moments = {"at": at, "date": at.cast(pa.date32())}
        truth = pa.array((self._random.random(count) < 0.6).astype(np.int64))
        requests = pa.array([f"r{each}" for each in range(count)])
        inputs = {"input_id": ids, **moments, "request_id": requests, "row": pa.array(np.zeros(count, np.int32))}
        labels = {"label_id": ids, "received_at": at, "observed_at": at, "input_id": ids, "value": truth}
        said = [self._said(ids, moments, version, role) for version, role in ((LIVE, "live"), (CANDIDATE, "shadow"))]
        made = {Table.INPUTS: pa.table(inputs), Table.LABELS: pa.table(labels), Table.ANSWERS: pa.concat_tables(said)}
        return {table: conform(rows, arrow_schema(table, SCHEMA)) for table, rows in made.items()}

    def _said(self, ids: pa.Array, moments: dict[str, pa.Array], version: str, role: str) -> pa.Table:
        count = len(ids)
        scores = pa.FixedSizeListArray.from_arrays(pa.array(np.tile([0.4, 0.6], count)), 2)
        return pa.table({
            "input_id": ids, **moments, "assigned": [version] * count, "answered": [version] * count,
            "role": [role] * count, "probability": np.ones(count),
            "prediction": (self._random.random(count) < 0.6).astype(np.int64),
            "scores": scores.cast(pa.list_(pa.float64())),
            "compute_us": self._random.lognormal(6.0, 0.4, count).astype(np.int64),
            "latency_us": np.full(count, 900), "fallback": [""] * count,
        })  # fmt: skip


def updates(count: int) -> list[dict[str, Any]]:
    """How long it takes until so many events are evidence."""
    return [
        {"what": f"events of {name}", "count": count,
         "seconds": round(median_s(partial(Evidence().after, plan, sample), 3), 3)}
        for name, (plan, sample) in samples(count).items()
    ]  # fmt: skip


def looks(count: int) -> list[dict[str, Any]]:
    """How long the first look at a journal of so many inputs takes, and each one after."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), count)
        first, later = median_s(journal.look, 1), []
        for _ in range(LOOKS):
            journal.more(NEW)
            later.append(median_s(journal.look, 1))
    return [
        {"what": "inputs read at the first look", "count": count, "seconds": round(first, 3)},
        {"what": f"inputs counted before a look that finds {NEW:,} more", "count": count,
         "seconds": round(statistics.median(later[2:]), 4)},
    ]  # fmt: skip


def main() -> int:
    """Measure, write both reports, and say by the exit code whether the limits were kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the inputs, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    counted = COUNTED[:-1] if chosen.quick else COUNTED
    rows = updates(EVENTS // 10 if chosen.quick else EVENTS)
    gates = [report.at_most(f"seconds for {each['count']:,} {each['what']}", each["seconds"], UPDATE_LIMIT_S)
             for each in rows]  # fmt: skip
    found = [looks(count) for count in counted]
    growth = found[-1][1]["seconds"] / found[0][1]["seconds"]
    says = f"a look at {counted[-1]:,} inputs beside one at {counted[0]:,}, times as long"
    gates.append(report.at_most(says, growth, GROWTH_LIMIT))
    rows += [each for several in found for each in several]
    facts = machine.facts(chosen.out, ("numpy", "pyarrow", "duckdb"))
    return report.write("evidence", chosen.out, {
        "machine": facts, "quick": chosen.quick, "rows": rows, "gates": gates
    })  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
