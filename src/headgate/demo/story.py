"""The demo from beginning to end: train, register, evaluate, serve, replay ten months, measure.

Called by ``headgate demo``; every step uses the same doors a user has.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from headgate.app.facade import Headgate, open_home
from headgate.demo.flights import LABEL, Flights, load_flights
from headgate.demo.http import HttpPool
from headgate.demo.replay import Progress, Replay, Tally
from headgate.demo.train import fit, replayed_flights, split, training_flights, with_label
from headgate.errors import Conflict, Unavailable
from headgate.monitors.status import title
from headgate.monitors.windows import Window
from headgate.settings import STORE_VARIABLE
from headgate.store.home import create_home
from headgate.supervisor.supervisor import headgate_argv
from headgate.vocabulary import DAY, HOUR

ENDPOINT: Final = "flights"
MODEL: Final = "flight-delay"
GATE: Final = "auc >= 0.65"
CONNECTIONS: Final = 32
READY_SECONDS: Final = 60
QUICK_SHARE: Final = 0.02
"""Share of the flights that ``--quick`` replays, a day at a time instead of an hour."""

Said = Callable[[str], None]
"""Told one line at the beginning of every part."""

_MARK: Final = "made-by-headgate-demo"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demo tells."""

    tally: Tally
    journalled: int
    labels_joined: int
    windows: tuple[Window, ...]
    reference_auc: float | None
    trained_on: int
    seconds: float
    home: Path


def fresh_home(root: Path) -> Path:
    """An empty directory at `root`; what an earlier demo left there is removed.

    Raises Conflict when something else is there.
    """
    if root.exists():
        if not (root / _MARK).exists():
            raise Conflict(f"{root} is there and was not made by the demo; name another with --home")
        shutil.rmtree(root)
    create_home(root)
    (root / _MARK).touch()
    return root


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


@dataclass(frozen=True, slots=True)
class Running:
    """An installation that serves; ports are on the loopback address."""

    port: int
    control_port: int


@contextlib.contextmanager
def serving(root: Path, log: Path) -> Iterator[Running]:
    """``headgate up --replay`` on free ports for as long as the context lasts.

    Raises Unavailable, naming the log, when it does not become ready in time.
    """
    port, control, metrics = _free_ports(3)
    words = ["up", "--home", str(root), "--replay", "--port", str(port)]
    words += ["--control-port", str(control), "--metrics-port", str(metrics), "--grpc-port", "0"]
    with log.open("wb") as sink:
        # The words of the command line are ours; nothing of them comes from a caller.
        process = subprocess.Popen(  # noqa: S603
            headgate_argv(*words),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env={**os.environ, STORE_VARIABLE: ""},  # the demo's home is its own, database included
        )
        try:
            _wait_ready(process, (f"127.0.0.1:{port}/readyz", f"127.0.0.1:{control}/livez"), log)
            yield Running(port, control)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_ready(process: "subprocess.Popen[bytes]", addresses: Sequence[str], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if all(_answers(address) for address in addresses):
            return
        time.sleep(0.05)
    raise Unavailable(f"`headgate up` did not become ready; its log is {log}")


def _answers(address: str) -> bool:
    host, _, path = address.partition("/")
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


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
    later = replayed_flights(flights, QUICK_SHARE if quick else 1.0)
    with open_home(home) as hg:
        said("training on January and February")
        trained_on, auc = prepare(hg, flights)
        said(f"serving; {len(later):,} flights of March to December follow, one request each")
        with serving(home, home / "up.log") as running:
            tally = asyncio.run(replay(running, later, DAY if quick else HOUR, progress))
        said("measuring")
        counts = hg.counts(ENDPOINT)
        windows = tuple(hg.windows(ENDPOINT, every="month", zone="America/New_York"))
    return Outcome(tally, counts.inputs, counts.labelled, windows, auc, trained_on, time.monotonic() - began, home)


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
