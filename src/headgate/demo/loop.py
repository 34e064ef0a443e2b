"""The whole loop on ten months of real flights, hands off: monitors, retraining, gates, canaries, a mistake in June.

Called by ``headgate demo``. Version 1 learns from January and February; from March on nobody is asked anything. The
endpoint's file says how the model learns and from which rows it did first, and leaves every other word of `retraining`
as it is shipped.
"""

import asyncio
import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from threadpoolctl import threadpool_limits

from headgate.app.facade import Headgate, open_home
from headgate.demo import learn
from headgate.demo.beside import WEEK, InTheBackground
from headgate.demo.changes import Rollback, rollbacks, run_row, waited_minutes
from headgate.demo.flights import Flights, load_flights
from headgate.demo.http import HttpPool
from headgate.demo.mistake import Mistake, registered
from headgate.demo.replay import Progress, Replay, Tally, rfc3339
from headgate.demo.serving import Running, fresh_home, serving
from headgate.demo.story import (
    ENDPOINT,
    GATE,
    MODEL,
    Said,
    first_version,
    month_row,
)
from headgate.demo.table import Table, keep_answers, table_of, table_row
from headgate.demo.train import replayed_flights, split, training_flights, with_label
from headgate.monitors.windows import Window
from headgate.retraining.run import Run
from headgate.rollouts.rollout import Rollout
from headgate.vocabulary import HOUR, SECOND, Micros

STEP: Final = Micros(12 * HOUR)
"""Of the clock: as long as a label takes to be due, so that what waits for labels waits for no whole day."""
QUICK: Final = (datetime(2013, 5, 20, tzinfo=UTC), datetime(2013, 6, 17, tzinfo=UTC))
"""What ``--quick`` replays, all of its flights: the weeks before and after the mistake."""
CALLERS: Final = 96
"""Connections, so that nobody waits for the disk alone."""
ORIGINAL: Final = "january-february.parquet"
"""What version 1 learned from; its package keeps a sample alone."""
ENDPOINT_YAML: Final = f"""
endpoint: {ENDPOINT}
model: {MODEL}:1
why: show ten months of a model that keeps itself
slo: {{latency_p99_ms: 50, requests_per_second: 1000}}
journal: {{ack: durable}}
label_maturity: 12h
retraining:
  recipe: {{python: 'learn.py:train', limits: {{threads: 2}}}}
  original: {ORIGINAL}
"""
FILE: Final = "flights.yaml"
"""In the home, with the recipe and the first flights beside it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything the demo tells."""

    tally: Tally
    journalled: int
    labels_joined: int
    windows: tuple[Window, ...]
    table: Table
    runs: tuple[Run, ...]
    rollbacks: tuple[Rollback, ...]
    """Of what the loop made; the mistake's is apart."""
    mistake: str
    """The version with the bug."""
    mistaken: Rollout | None
    """Its rollout; None where no moment was free for one."""
    waited: float
    """Minutes of event time in which anything waited for a person."""
    auc: float | None
    """Of version 1, before it served."""
    seconds: float
    home: Path

    @property
    def promoted(self) -> tuple[Micros, ...]:
        """When another version took the endpoint over."""
        return tuple(each.promoted for each in self.runs if each.promoted is not None)

    @property
    def touched(self) -> int:
        """Flights that the version with the bug answered."""
        return self.tally.versions[self.mistake]


def tell(root: Path, *, quick: bool, progress: Progress, said: Said) -> Told:
    """The whole demo in directory `root`."""
    began = time.monotonic()
    home = fresh_home(root)
    said("reading the flights of 2013 and the weather of their hours")
    flights = load_flights()
    later = replayed_flights(flights)
    if quick:
        begins, ends = (round(each.timestamp()) * SECOND for each in QUICK)
        later = later.select((later.at >= begins) & (later.at < ends))
    # Two learn at a time, and threads of either would wait for the other's.
    with threadpool_limits(1), InTheBackground(WEEK, later.row) as others, open_home(home) as hg:
        said("training on January and February")
        _, auc = first_version(hg, flights)
        mistake = Mistake(hg, ENDPOINT, registered(hg, MODEL, flights, GATE), said)
        with_label(split(training_flights(flights))[0]).to_parquet(home / ORIGINAL)
        shutil.copy(learn.__file__, home / "learn.py")
        (home / FILE).write_text(ENDPOINT_YAML.lstrip())
        hg.apply(home / FILE, why="the demo")
        when = " of four weeks" if quick else " of March to December"
        said(f"serving; {len(later):,} flights{when} follow, one request each, and nobody is asked")
        with serving(home, home / "up.log") as running:
            replay = asyncio.run(_replayed(running, later, progress, mistake))
        said("measuring, beside the first model for ever and always the latest")
        counts, end = hg.counts(ENDPOINT), Micros(int(later.landed_at.max()))
        runs, rollouts = hg.retraining.runs(ENDPOINT), hg.rollouts.history(ENDPOINT)
        keep_answers(later, replay, home)
        return Told(
            tally=replay.tally,
            journalled=counts.inputs,
            labels_joined=counts.labelled,
            windows=tuple(hg.windows(ENDPOINT, every="month", zone="America/New_York")),
            table=table_of(later, replay, others.found()),
            runs=tuple(runs),
            rollbacks=_of_the_loop(hg, runs, rollouts, later, mistake.ref),
            mistake=mistake.ref,
            mistaken=mistake.rollout(),
            waited=waited_minutes(rollouts, end),
            auc=auc,
            seconds=time.monotonic() - began,
            home=home,
        )


async def _replayed(running: Running, flights: Flights, progress: Progress, mistake: Mistake) -> Replay:
    def went_on(at: Micros) -> bool:
        mistake.offer(at)
        return False

    async with (
        HttpPool("127.0.0.1", running.port, CALLERS) as gateway,
        HttpPool("127.0.0.1", running.control_port, 1) as control,
    ):
        replay = Replay(gateway, control, ENDPOINT, flights)
        await replay.run(STEP, progress, went_on)
        return replay


def _of_the_loop(
    hg: Headgate, runs: list[Run], rollouts: list[Rollout], flights: Flights, mistake: str
) -> tuple[Rollback, ...]:
    mine = [each for each in rollouts if each.plan.candidate != mistake]
    return tuple(rollbacks(hg, runs, mine, flights))


def as_json(told: Told) -> str:
    """One JSON object for programs."""
    tally = told.tally
    return json.dumps(
        {
            "requests": tally.requests,
            "answered": tally.answered,
            "refused": tally.refused,
            "failed": tally.failed,
            "journalled": told.journalled,
            "labels_posted": tally.labels_posted,
            "labels_joined": told.labels_joined,
            "seconds": round(told.seconds, 1),
            "cores": os.cpu_count(),
            "months": [month_row(window) for window in told.windows],
            "loop": loop_row(told),
        }
    )


def loop_row(told: Told) -> dict[str, Any]:
    """What became of the model, as programs read it."""
    bad = told.mistaken
    return {
        "auc": told.table.whole.auc,
        "brier": told.table.whole.brier,
        "months": [table_row(each) for each in told.table.months],
        "promotions": len(told.promoted),
        "promoted": [rfc3339(each).removesuffix("Z") for each in told.promoted],
        "always_latest_promotions": told.table.learned,
        "runs": [run_row(each) for each in told.runs],
        "rollbacks": [
            {
                "version": each.version,
                "at": rfc3339(each.at),
                "why": each.why,
                "gain": each.gain,
                "false": each.was_false,
            }
            for each in told.rollbacks
        ],
        "false_rollbacks": sum(each.was_false for each in told.rollbacks),
        "bad_version": {
            "version": told.mistake,
            "deployed": None if bad is None else rfc3339(bad.started),
            "phase": None if bad is None else bad.state.phase.value,
            "ended": None if bad is None or not bad.state.ended else rfc3339(bad.moves[-1].at),
            "why": None if bad is None else bad.state.why,
            "touched": told.touched,
        },
        "person_minutes": round(told.waited),
    }
