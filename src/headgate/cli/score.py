"""``headgate score``: answer a whole file of rows with one version."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option


@click.command("score")
@click.argument("version")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@project_option
@home_option
@store_option
@json_option
def command(
    *, version: str, source: Path, target: Path, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Answer a whole file of rows with one version.

    SOURCE is a .parquet, .csv or .arrow file of any size; TARGET a .parquet or .csv file that appears when all of
    it is there. Interrupted, the same command goes on where it stopped. Rows the contract refuses stay in, with
    the field and the rule instead of a prediction.
    """
    console = Console(stderr=True)
    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        open_home(home, store=store, project=project) as hg,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=None)

        def progress(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        scored = hg.score(version, source, target, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(scored)))
        return
    resumed = f" ({scored.resumed_at:,} from an earlier run)" if scored.resumed_at else ""
    click.echo(
        f"{scored.rows:,} rows{resumed}: {scored.answered:,} answered, {scored.refused:,} refused; wrote {target}"
    )
