"""Composes and runs the controller's process; called by ``headgate controller``."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
import uvicorn

from headgate.app.certificates import Certificates, certificates_of
from headgate.app.control import HomeControl
from headgate.app.facade import Headgate
from headgate.app.following import Following
from headgate.app.identity import open_identity
from headgate.app.signingkeys import SigningKeys
from headgate.app.telling import telling_of
from headgate.app.workers import controller_lock
from headgate.clock import Clock, SystemClock
from headgate.console.api import control_api
from headgate.console.guard import Guard
from headgate.console.wire import CONNECTIONS, BoundedProtocol
from headgate.controller.lockstep import Lockstep
from headgate.errors import HeadgateError
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import AlertCount
from headgate.gateway.metrics.watched import MonitorCount
from headgate.settings import Settings
from headgate.store.home import claim, create_home
from headgate.store.replayclock import ReplayClock
from headgate.store.reports import FileReports
from headgate.store.stillness import FileStillness

log = logging.getLogger("headgate.controller")

_RENEW_SECONDS = 1.0
"""How old the certificate's files may be."""
_LEAVE = 1.0
"""Seconds that a loop has to end by itself which waits for somebody else's server."""
_TURN = 0.2
"""Seconds between two looks: a traffic change made elsewhere is published within that time."""


def run_controller(settings: Settings, *, store: str | None = None) -> None:
    """Reconcile and answer the control API until SIGTERM; one controller per home, the others wait their turn.

    Raises HomeInUse when another controller holds this home.
    """
    pa.set_cpu_count(len(os.sched_getaffinity(0)))  # a supervisor that grants sums one thread does not mean files
    home = create_home(settings.home.root)
    with claim(controller_lock(home)):
        clock: Clock = ReplayClock(home.replay_clock) if settings.replay else SystemClock()
        slab = contextlib.closing(Slab(home.metrics / "controller.slab"))
        with Headgate(home, store=store, clock=clock) as hg, slab as cells, MonitorCount(home.metrics) as gauges:
            progress, count = hg.rollouts.progress(), AlertCount(cells)
            alerts = replace(hg.alerts, actor="controller")
            alerting = alerts.alerting(count.stand)
            delivering = alerts.delivering(count)
            controller = hg.controller(watches=lambda: progress.is_at_work)
            watching = hg.monitoring.watching(alerting, gauges.stands)
            diagnosing = hg.monitoring.diagnosing(alerting.reword)
            retraining = hg.retraining.by("controller").loop()
            aged = partial(alerting.turn, watching.lags)
            chores = hg.chores(seal_interval=settings.seal_interval)
            telling, following = telling_of(hg), Following(hg)
            stop = threading.Event()
            turns: tuple[tuple[str, Callable[[], object]], ...] = (
                ("reconcile", controller.reconcile),
                ("rollouts", progress.turn),
                ("chores", chores.turn),
                ("monitors", watching.turn),
                ("diagnoses", diagnosing.turn),
                ("alerts", aged),
                ("deliveries", delivering.turn),
                ("keys", hg.keys.publish),
                ("signing keys", SigningKeys(home.keys).turn),
            )
            if not isinstance(clock, ReplayClock):  # in a replay nothing happens but step by step
                turns += (("retraining", retraining.turn),)
            loops = [threading.Thread(target=_repeat, args=(turn, stop), name=name) for name, turn in turns]
            # These wait for somebody else's server, and nobody waits for them: each step of theirs may be cut short.
            patient = (("tracking", telling.turn), ("followed aliases", following.turn))
            loops_apart = [threading.Thread(target=_repeat, args=(t, stop), name=n, daemon=True) for n, t in patient]
            for loop in (*loops, *loops_apart):
                loop.start()
            try:
                turned = progress.turn, watching.turn, diagnosing.turn, retraining.turn
                moved, watched, diagnosed, learned = (partial(each, at_once=True) for each in turned)
                lockstep = _lockstep(hg, clock, (moved, controller.reconcile, watched, diagnosed, learned, aged))
                _serve(HomeControl(hg, lockstep), Guard(open_identity(home)), settings)
            finally:
                stop.set()
                for loop in loops:
                    loop.join()
                for loop in loops_apart:
                    loop.join(_LEAVE)
                delivering.close()


def _lockstep(hg: Headgate, clock: Clock, turns: Sequence[Callable[[], object]]) -> Lockstep | None:
    """What moves a replay's clock, and takes these turns after each step, in this order."""
    if not isinstance(clock, ReplayClock):
        return None

    def tick() -> None:
        for turn in turns:
            turn()

    reports, stillness = FileReports(hg.home.run / "workers"), FileStillness(hg.home.stillness)
    return Lockstep(clock, tick, hg.traffic, reports, stillness, noted=hg.note_advance)


def _repeat(turn: Callable[[], object], stop: threading.Event) -> None:
    """Take turns until told to stop. An error is logged and the next turn tries again."""
    while not stop.wait(_TURN):
        try:
            turn()
        except HeadgateError as error:
            log.error("%s", error)
        except Exception:
            log.exception("a turn of the %s loop failed", threading.current_thread().name)


def _serve(control: HomeControl, guard: Guard, settings: Settings) -> None:
    config = uvicorn.Config(
        control_api(control, guard),
        host=settings.host,
        port=settings.control_port,
        log_level="warning",
        access_log=False,
        http=BoundedProtocol,
        limit_concurrency=CONNECTIONS,
    )
    certificates, ended = certificates_of(settings), threading.Event()
    config.load()
    config.ssl = None if certificates is None else certificates.context
    renewing = threading.Thread(target=_renew, args=(certificates, ended), name="certificates")
    renewing.start()
    try:
        uvicorn.Server(config).run()
    finally:
        ended.set()
        renewing.join()


def _renew(certificates: Certificates | None, ended: threading.Event) -> None:
    """Follow the certificate's files until the server has ended."""
    while certificates is not None and not ended.wait(_RENEW_SECONDS):
        certificates.look()
