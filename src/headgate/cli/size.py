"""``headgate size``: what a package needs on this machine, and what would be saved by which change."""

import os
from dataclasses import replace
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from headgate.app.facade import open_home
from headgate.app.objective import size_folder
from headgate.app.sizing import CEILING, LARGEST, SECONDS, Options
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import GateFailed
from headgate.registry.packages import MANIFEST
from headgate.sizing.text import as_text


@click.command("size")
@click.argument("package")
@click.option("--endpoint", help="Endpoint of the home, or file, whose objective is to be met.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=3600),
    default=SECONDS,
    show_default=True,
    help="Time to measure for; starting and loading come on top.",
)
@click.option("--rows", type=click.IntRange(1, 16384), default=1, show_default=True, help="Rows in one request.")
@click.option(
    "--largest", type=click.IntRange(1, 16384), default=LARGEST, show_default=True, help="Rows of the largest batch."
)
@click.option(
    "--utilisation",
    type=click.FloatRange(min=0.01, max=0.95),
    default=CEILING,
    show_default=True,
    help="Share of time a core may be busy; the rest is for bursts.",
)
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    package: str,
    endpoint: str | None,
    seconds: float,
    rows: int,
    largest: int,
    utilisation: float,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Load-test a package on this machine and say what it needs.

    PACKAGE is name, name:3 or name@alias, or the folder of a package. Without --endpoint the objective is that of the
    home's only endpoint that asks this model, or of an endpoint.yaml here that does. The exit code is 6 when no number
    of cores meets it.
    """
    options = Options(seconds=seconds, rows=rows, largest=largest, utilisation=utilisation)
    console = Console(stderr=True)
    columns = (TextColumn("measuring {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        options = replace(options, progress=lambda done, what: bar.update(task, completed=done, description=what))
        if _is_place(package):
            sizing = size_folder(Path(package), endpoint=None if endpoint is None else Path(endpoint), options=options)
        else:
            with open_home(home, store=store, project=project) as hg:
                sizing = hg.size(package, endpoint=endpoint, options=options)
    click.echo(msgspec.json.encode(sizing).decode() if as_json else as_text(sizing))
    if not sizing.met:
        raise GateFailed(
            f"{sizing.package} cannot meet the objective here: one request alone takes longer than its latency"
        )


def _is_place(package: str) -> bool:
    """Whether a path is meant: a version's name has no separator, and a folder beside us may be called like a model."""
    return os.sep in package or (Path(package) / MANIFEST).is_file() or Path(package).is_file()
