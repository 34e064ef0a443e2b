"""Whether the loop finds a change and mends it, and lets alone what has none: `python -m benchmarks.loop.streams`.

Every stream is an endpoint of one running installation, which learns again by the words an endpoint's file has
without any: answers and labels go through its doors, its clock is moved day by day, nothing of it is replaced. A
window is 2,000 rows, ten days of 200; a label is known after nine days and due after ten, one window. In 50 streams
the same inputs mean something else from one midnight on, which costs 10 points of accuracy or more; 200 stay as they
are for 90 days. Accuracy is that of the versions that answered, each on 20,000 rows of the world as it is, so that no
chance of labels is in it.

A stream is mended when four fifths of what was lost are back, and stay so till its end. Windows are counted from when
the first label of the new world is due. Seeds are fixed. Writes ``loop_streams.json`` and ``loop_streams.md``; exit
code 1 when a promise was missed.
"""

import argparse
import asyncio
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd
from benchmarks.loop.worlds import LABEL, NAMES, Floats, World, world
from sklearn.linear_model import LogisticRegression

from benchmarks import machine, report
from headgate.app.facade import Headgate, open_home
from headgate.contracts.tables import as_table
from headgate.demo.http import HttpPool, error_text
from headgate.demo.replay import rfc3339
from headgate.demo.serving import fresh_home, serving
from headgate.errors import Unavailable
from headgate.retraining.run import Outcome, Run
from headgate.runtimes.predictor import predict_with
from headgate.supervisor.parent import die_with_parent
from headgate.vocabulary import DAY, Micros

BEGINS: Final = Micros(20_000 * DAY)
A_DAY: Final = 200
"""Rows of a stream."""
WINDOW: Final = 10
"""Days: 2,000 rows, and until a label is due."""
KNOWN: Final = 9
"""Days after which a label is known."""
CHANGES: Final = 20
"""Days before the world changes."""
MENDED: Final = 0.8
"""Of what was lost."""
CHANGED_DAYS, STEADY_DAYS = 70, 90
BUDGET: Final = 1.0
"""False alarms in 90 days that an endpoint is allowed without a word on it: so many runs may begin."""
LIMIT: Final = 3.0
"""Windows."""
FITTED: Final = 4_000
"""Rows that the first version learned from; as many are kept aside to measure it on."""
AT_ONCE: Final = 25
"""Streams of one installation; as many installations live at a time as there are cores."""
RECIPE: Final = f"""
from sklearn.linear_model import LogisticRegression


def train(dataset):
    return LogisticRegression().fit(dataset.X[{list(NAMES)}], dataset.y, sample_weight=dataset.sample_weight)
"""
GATE: Final = "accuracy >= 0.8"
"""What a first version has to be as good as before anybody is answered by it."""
FILE: Final = """
endpoint: {name}
model: {name}:1
label_maturity: {days}d
retraining:
  recipe: {{python: 'learn.py:train'}}
"""


@dataclass
class Stream:
    """One endpoint and its world."""

    name: str
    seed: int
    world: World
    changed_at: int | None
    """Day from which on inputs mean something else; None where they never do."""
    ids: dict[int, list[str]] = field(default_factory=dict)
    answered: dict[int, Counter[str]] = field(default_factory=dict)
    """Rows of a day by the version that answered."""

    def day(self, day: int) -> tuple[Floats, list[int], list[int]]:
        """Rows of a day, when each came, and what turned out: the same whenever it is asked."""
        random = np.random.default_rng((self.seed, 1, day))
        inputs = self.world.inputs(A_DAY, random)
        at = np.sort(random.integers(0, DAY, A_DAY)) + BEGINS + day * DAY
        return inputs, at.tolist(), self.world.labels(inputs, random, changed=self.is_changed(day)).tolist()

    def is_changed(self, day: int) -> bool:
        """Whether it is the new world."""
        return self.changed_at is not None and day >= self.changed_at

    def asked(self, day: int) -> bytes:
        """A request with all rows of a day."""
        inputs, at, _ = self.day(day)
        rows = [dict(zip(NAMES, row, strict=True)) for row in inputs.tolist()]
        return msgspec.json.encode({"rows": rows, "at": [rfc3339(each) for each in at]})

    def told(self, day: int) -> bytes:
        """The labels of a day's rows."""
        _, at, truths = self.day(day)
        found = zip(self.ids.pop(day), at, truths, strict=True)
        labels = [{"id": i, "label": truth, "observed_at": rfc3339(m + KNOWN * DAY)} for i, m, truth in found]
        return msgspec.json.encode({"labels": labels})


@dataclass(frozen=True)
class Lived:
    """What became of a stream."""

    lost: float
    """Accuracy, by the change."""
    windows: float
    """Until it was mended; infinite where it was not by its end, not a number where nothing changed."""
    runs: tuple[Run, ...]


def streams(count: int, *, changes: bool, first: int) -> list[Stream]:
    """So many of them, each by its own seed."""
    kind = "changed" if changes else "steady"
    changed_at = CHANGES if changes else None
    return [Stream(f"{kind}-{s}", s, world(s, changes=changes), changed_at) for s in range(first, first + count)]


def declare(hg: Headgate, stream: Stream, folder: Path) -> None:
    """Its first version, fitted and measured before the first day, and its endpoint, whose recipe lies in `folder`."""
    random = np.random.default_rng((stream.seed, 2))
    frames = []
    for _ in range(2):
        inputs = stream.world.inputs(FITTED, random)
        labels = stream.world.labels(inputs, random, changed=False)
        frames.append(pd.DataFrame(inputs, columns=list(NAMES)).assign(**{LABEL: labels}))
    fitted, aside = frames
    model = LogisticRegression().fit(fitted[list(NAMES)], fitted[LABEL])
    version = hg.register(stream.name, model, reference=fitted, label=LABEL).version
    hg.evaluate(version.ref, aside, gates=[GATE])
    file = folder / f"{stream.name}.yaml"
    file.write_text(FILE.format(name=stream.name, days=WINDOW))
    hg.apply(file)


async def live(gateway: HttpPool, control: HttpPool, chosen: Sequence[Stream], days: int) -> None:
    """All days of all streams, in step."""
    for day in range(days):
        for stream in chosen:
            await _ask(gateway, stream, day)
            if day >= KNOWN:
                await _post(gateway, f"/v1/endpoints/{stream.name}/labels", stream.told(day - KNOWN))
        body = msgspec.json.encode({"to": rfc3339(BEGINS + (day + 1) * DAY)})
        await _post(control, "/v1/replay/advance", body)


async def _ask(gateway: HttpPool, stream: Stream, day: int) -> None:
    said = await _post(gateway, f"/v1/endpoints/{stream.name}/predict", stream.asked(day))
    answers = msgspec.json.decode(said)["predictions"]
    stream.ids[day] = [each["id"] for each in answers]
    stream.answered[day] = Counter(each["version"] for each in answers)


async def _post(pool: HttpPool, path: str, body: bytes) -> bytes:
    status, said = await pool.post(path, body)
    if status != 200:
        raise Unavailable(f"{path} answered {status}: {error_text(said)}")
    return said


def lived(hg: Headgate, stream: Stream) -> Lived:
    """What became of it."""
    runs = tuple(hg.retraining.runs(stream.name))
    if stream.changed_at is None:
        return Lived(0.0, math.nan, runs)
    return Lived(*mending(list(accuracies(hg, stream)), stream.changed_at), runs)


def mending(course: Sequence[float], changed_at: int) -> tuple[float, float]:
    """What a change lost, and windows from when its first label was due until four fifths were back for good.

    >>> mending([0.9] * 20 + [0.7] * 25 + [0.89] * 5, 20)[1]
    1.5
    """
    before = course[changed_at - 1]
    lost = before - course[changed_at]
    wanted = before - (1 - MENDED) * lost
    bad = [day for day, value in enumerate(course) if day >= changed_at and value < wanted]
    mended = max(bad, default=changed_at - 1) + 1
    return lost, math.inf if mended == len(course) else (mended - changed_at - WINDOW) / WINDOW


def accuracies(hg: Headgate, stream: Stream) -> Iterator[float]:
    """Of each day: how often the versions that answered are right in the world as it was that day."""
    inputs = stream.world.inputs(20_000, np.random.default_rng((stream.seed, 4)))
    table = as_table(pd.DataFrame(inputs, columns=list(NAMES)))
    known: dict[tuple[str, bool], float] = {}
    for day, versions in sorted(stream.answered.items()):
        changed, whole = stream.is_changed(day), 0.0
        for version, rows in versions.items():
            if (version, changed) not in known:
                model = predict_with(hg.registry.package(hg.registry.resolve(version)).path)
                says_yes = np.asarray(model.predict(table).scores)[:, -1] >= 0.5
                model.close()
                for each in (False, True):
                    known[version, each] = stream.world.accuracy(says_yes, inputs, changed=each)
            whole += rows * known[version, changed]
        yield whole / versions.total()


def group(folder: Path, count: int, changes: bool, first: int) -> list[Lived]:
    """What became of so many streams of a kind in an installation of their own."""
    days = CHANGED_DAYS if changes else STEADY_DAYS
    return together(folder, streams(count, changes=changes, first=first), days)


def together(folder: Path, chosen: Sequence[Stream], days: int) -> list[Lived]:
    """The streams as endpoints of one installation in `folder`."""
    home = fresh_home(folder)
    (home / "learn.py").write_text(RECIPE)
    with open_home(home) as hg:
        for stream in chosen:
            declare(hg, stream, home)
        with serving(home, home / "up.log") as running:
            asyncio.run(_live(running.port, running.control_port, chosen, days))
        return [lived(hg, stream) for stream in chosen]


async def _live(port: int, control_port: int, chosen: Sequence[Stream], days: int) -> None:
    async with HttpPool("127.0.0.1", port, 1) as gateway, HttpPool("127.0.0.1", control_port, 1) as control:
        await live(gateway, control, chosen, days)


def measured(folder: Path, changed: int, steady: int) -> tuple[report.Rows, list[report.Gate]]:
    """Both kinds of streams, and what is promised of them."""
    began = time.monotonic()
    fresh = multiprocessing.get_context("spawn")
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, fresh, die_with_parent, (os.getpid(),)) as pool:
        going = [
            [
                pool.submit(group, folder / f"{changes}-{first}", min(AT_ONCE, count - first), changes, first)
                for first in range(0, count, AT_ONCE)
            ]
            for changes, count in ((True, changed), (False, steady))
        ]
        mended, calm = ([lived for each in kind for lived in each.result()] for kind in going)
    begun = [len(each.runs) for each in calm]
    error = statistics.stdev(begun) / math.sqrt(len(begun)) if len(begun) > 1 else 0.0
    windows = sorted(each.windows for each in mended)
    ended = Counter(run.outcome.value if run.outcome else "going on" for each in (*mended, *calm) for run in each.runs)
    rows = [
        line("streams with a change", len(mended)),
        line("points of accuracy it cost: the median", 100 * statistics.median(each.lost for each in mended)),
        line("and the least", 100 * min(each.lost for each in mended)),
        line("windows until mended: the median", statistics.median(windows)),
        line("nine of ten streams", windows[math.ceil(0.9 * len(windows)) - 1]),
        line("share that was mended by the end", sum(map(math.isfinite, windows)) / len(windows)),
        line("runs of a stream with a change", statistics.mean(len(each.runs) for each in mended)),
        line("streams without one", len(calm)),
        line(f"runs that began in {STEADY_DAYS} days of them", statistics.mean(begun)),
        line("standard error of that", error),
        line("versions promoted there", sum(taken(each) for each in calm)),
        *(line(f"runs that ended as {name}", number) for name, number in sorted(ended.items())),
        line("seconds", time.monotonic() - began),
    ]
    gates = [
        report.at_least("points that a change costs, the least", 100 * min(each.lost for each in mended), 10.0),
        report.at_most("windows until four fifths are back, the median", statistics.median(windows), LIMIT),
        report.at_most("retrainings of a drift-free stream in 90 days", statistics.mean(begun), BUDGET + 3 * error),
    ]
    return rows, gates


def taken(stream: Lived) -> int:
    """Versions that took its endpoint over."""
    return sum(run.outcome in (Outcome.PROMOTED, Outcome.TAKEN_BACK) for run in stream.runs)


def line(what: str, value: float) -> dict[str, Any]:
    """One row."""
    return {"what": what, "value": round(value, 3)}


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three streams of either kind, for development")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=chosen.out) as name:
        seen = machine.facts(Path(name), ("headgate", "numpy", "scikit-learn"))
        rows, promised = measured(Path(name), *((3, 3) if chosen.quick else (50, 200)))
    whole = {"machine": seen, "quick": chosen.quick, "rows": rows, "gates": promised}
    return report.write("loop_streams", chosen.out, whole)


if __name__ == "__main__":
    sys.exit(main())
