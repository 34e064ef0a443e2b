"""``headgate retrain``: have a model learn again, watch it, and look at every time it did."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from headgate.app.facade import Headgate, open_home
from headgate.app.workers import controller_lock
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option
from headgate.errors import GateFailed, HomeInUse
from headgate.retraining.run import STAGES, Outcome, Run, Source
from headgate.retraining.text import run_text, runs_text, told
from headgate.store.home import claim

_LOOK: Final = 0.5
"""Seconds between two looks at a run that is watched."""


@click.command("retrain")
@click.argument("endpoint", required=False)
@click.option("--watch", is_flag=True, help="Stay until the run has ended; exits 6 when it promoted nothing.")
@click.option("--status", is_flag=True, help="Show the newest run instead, or without ENDPOINT every one.")
@click.option("--cancel", is_flag=True, help="End the run that goes on: its recipe, and its rollout.")
@click.option("--log", is_flag=True, help="Show what the newest run's recipe has printed.")
@click.option("--data", metavar="VERSION", help="Say that a data set has this new version; `when` decides.")
@click.option("--message", metavar="KEY", help="Say what a program such as CI has to say, once a KEY; `when` decides.")
@why_option
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    endpoint: str | None,
    watch: bool,
    status: bool,
    cancel: bool,
    log: bool,
    data: str | None,
    message: str | None,
    why: str,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Have the model of ENDPOINT learn again, as `retraining` in its file says, or look at the runs there were.

    A run is begun at once, whatever cooldown, quiet hours and the month's number say. The controller moves it on; where
    none runs, --watch does.
    """
    chosen = [status or endpoint is None, cancel, log, data is not None, message is not None]
    if sum(chosen) > 1 or (endpoint is None and watch):
        raise click.UsageError("say one of --status, --cancel, --log, --data and --message, and of which endpoint")
    with open_home(home, store=store, project=project) as hg:
        if endpoint is None:
            runs = hg.retraining.runs()
            click.echo(msgspec.json.encode(runs).decode() if as_json else runs_text(runs))
            return
        if log:
            click.echo(hg.retraining.log(endpoint), nl=False)
            return
        if data is not None or message is not None:
            source = Source.MESSAGE if data is None else Source.DATA
            is_new = hg.retraining.tell(endpoint, source, why, data or message or "")
            click.echo(msgspec.json.encode({"new": is_new}).decode() if as_json else _heard(is_new))
            return
        if cancel:
            run = hg.retraining.cancel(endpoint, why)
        else:
            run = hg.retraining.status(endpoint) if status else hg.retrain(endpoint, why=why)
        if watch and not cancel:
            run = _watched(hg, endpoint)
        text = msgspec.json.encode(run).decode() if as_json else run_text(run, hg.retraining.progress(endpoint))
    click.echo(text)
    if watch and run.outcome is not Outcome.PROMOTED:
        raise GateFailed(told(run))


def _heard(is_new: bool) -> str:
    return "heard; a run begins when the endpoint's `when` says so" if is_new else "heard before; nothing is new"


def _watched(hg: Headgate, endpoint: str) -> Run:
    """The run once it has ended, its stages shown as they pass; moved on from here where no controller does."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        _moving(hg) as turn,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=len(STAGES) - 1.0)
        while True:
            turn()
            run = hg.retraining.status(endpoint)
            progress = hg.retraining.progress(endpoint)
            part = 0.0 if progress is None else progress.done
            step = "" if progress is None else progress.step
            words = f"{run.stage.value.replace('_', ' ')} {step}".strip()
            bar.update(task, completed=STAGES.index(run.stage) + part, description=words)
            if run.ended:
                return run
            time.sleep(_LOOK)


@contextlib.contextmanager
def _moving(hg: Headgate) -> Iterator[Callable[[], None]]:
    """What has the loop take a turn: nothing where a controller runs, which does so itself."""
    loop = hg.retraining.loop()
    progress = hg.rollouts.progress()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(claim(controller_lock(hg.home)))
        except HomeInUse:
            yield lambda: None
            return

        def turn() -> None:
            progress.turn()
            loop.turn()

        yield turn
