"""The demo from beginning to end: train, register, evaluate, serve, replay ten months, measure.

Called by ``headgate demo monitors``; every step uses the same doors a user has.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headgate.app.facade import Headgate, open_home
from headgate.demo.flights import LABEL, Flights, load_flights
from headgate.demo.http import HttpPool
from headgate.demo.replay import Progress, Replay, Tally
from headgate.demo.seasons import Season, expected, season_row, seasons
from headgate.demo.serving import Running, fresh_home, serving
from headgate.demo.train import fit, replayed_flights, split, training_flights, with_label
from headgate.monitors.status import title
from headgate.monitors.windows import Window
from headgate.vocabulary import DAY

ENDPOINT: Final = "flights"
MODEL: Final = "flight-delay"
GATE: Final = "auc >= 0.65"
CONNECTIONS: Final = 32
STEP: Final = DAY
"""Of the clock: in each, callers ask, labels become known, and the controller ticks once."""
QUICK_SHARE: Final = 0.04
"""Share of the flights of every second day that ``--quick`` replays: fewer a day would say little of any day."""
QUICK_DAYS: Final = 2
QUICK_STEP: Final = QUICK_DAYS * DAY
"""Its steps of the clock."""

Said = Callable[[str], None]
"""Told one line at the beginning of every part."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demo tells."""

    tally: Tally
    journalled: int
    labels_joined: int
    windows: tuple[Window, ...]
    seasons: tuple[Season, ...]
    """What was said of the model in summer and in December."""
    expected: str
    """What was said of the last day before its labels; empty where nothing foretells it."""
    reference_auc: float | None
    trained_on: int
    seconds: float
    home: Path


def prepare(hg: Headgate, flights: Flights) -> tuple[int, float | None]:
    """Train, register, evaluate and apply; returns how many flights it trained on and the held-out AUC."""
    trained_on, auc = first_version(hg, flights)
    hg.apply(_endpoint_yaml(), why="the demo")
    return trained_on, auc


def first_version(hg: Headgate, flights: Flights) -> tuple[int, float | None]:
    """Train, register and evaluate the model's first version; returns what `prepare` does."""
    fit_on, aside = split(training_flights(flights))
    reference = with_label(fit_on)
    registered = hg.register(
        MODEL,
        fit(reference),
        reference=reference,
        label=LABEL,
        code="headgate.demo.train",
        why="flights of January and February 2013",
    )
    estimates = hg.evaluate(registered.version.ref, with_label(aside), gates=[GATE]).report.estimates
    hg.alias(registered.version.ref, "champion", why="the first one")
    return len(fit_on), estimates["auc"].value


def _endpoint_yaml() -> str:
    return (
        f"endpoint: {ENDPOINT}\n"
        f"model: {MODEL}@champion\n"
        "why: show ten months of one model's life\n"
        "slo: {latency_p99_ms: 50, requests_per_second: 1000}\n"
        "journal: {ack: durable}\n"
        "label_maturity: 2d\n"
    )


async def replay(running: Running, flights: Flights, step_us: int, progress: Progress) -> Tally:
    """Send every flight through the running installation in steps of `step_us` of 2013."""
    async with (
        HttpPool("127.0.0.1", running.port, CONNECTIONS) as gateway,
        HttpPool("127.0.0.1", running.control_port, 1) as control,
    ):
        return await Replay(gateway, control, ENDPOINT, flights).run(step_us, progress)


def tell(root: Path, *, quick: bool, progress: Progress, said: Said) -> Outcome:
    """The whole demo in directory `root`."""
    began = time.monotonic()
    home = fresh_home(root)
    said("reading the flights of 2013 and the weather of their hours")
    flights = load_flights()
    later = replayed_flights(flights, QUICK_SHARE, every=QUICK_DAYS) if quick else replayed_flights(flights)
    with open_home(home) as hg:
        said("training on January and February")
        trained_on, auc = prepare(hg, flights)
        said(f"serving; {len(later):,} flights of March to December follow, one request each")
        with serving(home, home / "up.log") as running:
            tally = asyncio.run(replay(running, later, QUICK_STEP if quick else STEP, progress))
        said("measuring")
        counts = hg.counts(ENDPOINT)
        windows = tuple(hg.windows(ENDPOINT, every="month", zone="America/New_York"))
        said("reading what was said of it in summer and in December")
        told, foretold = seasons(hg, ENDPOINT), expected(hg, ENDPOINT)
    seconds = time.monotonic() - began
    return Outcome(tally, counts.inputs, counts.labelled, windows, told, foretold, auc, trained_on, seconds, home)


def as_json(outcome: Outcome) -> str:
    """One JSON object for programs."""
    tally = outcome.tally
    return json.dumps(
        {
            "requests": tally.requests,
            "answered": tally.answered,
            "refused": tally.refused,
            "failed": tally.failed,
            "journalled": outcome.journalled,
            "labels_posted": tally.labels_posted,
            "labels_joined": outcome.labels_joined,
            "seconds": round(outcome.seconds, 1),
            "cores": os.cpu_count(),
            "months": [month_row(window) for window in outcome.windows],
            "seasons": [season_row(each) for each in outcome.seasons],
            "expected": outcome.expected,
        }
    )


def month_row(window: Window) -> dict[str, str | int | float | None]:
    """One window as a flat row."""
    auc, loss = window.metrics.get("auc"), window.metrics.get("log_loss")
    return {
        "month": title(window),
        "flights": window.volume,
        "refused": window.refusals,
        "labels": window.labelled,
        "auc": auc.value if auc else None,
        "auc_low": auc.low if auc else None,
        "auc_high": auc.high if auc else None,
        "log_loss": loss.value if loss else None,
        "p99_ms": window.latency_ms.p99 if window.latency_ms else None,
    }
