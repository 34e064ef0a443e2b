"""``headgate learn``: the built-in search on a file of labelled rows."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from headgate.cli.options import SECONDS, json_option
from headgate.contracts.tables import as_table
from headgate.errors import BadConfiguration
from headgate.retraining.search.found import as_text, to_json
from headgate.retraining.search.learnable import Learning
from headgate.retraining.search.saved import ENDING, save
from headgate.retraining.search.search import search
from headgate.vocabulary import Task

TASKS = [each.value for each in Task if each is not Task.TENSOR]


@click.command("learn")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="Column that holds the truth.")
@click.option("--at", help="Column that says when; models are then judged on newer rows than they learned from.")
@click.option("--weight", help="Column that says how much each row counts.")
@click.option("--leave-out", "without", multiple=True, help="Column nothing is learned from; may be repeated.")
@click.option("--task", type=click.Choice(TASKS), help="What is learned; without it the label tells.")
@click.option("--budget", type=SECONDS, default=60.0, show_default=True, help="Seconds to search for.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which settings are drawn.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Processor threads.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=f"model{ENDING}",
    show_default=True,
    help="Where the model is written; register opens it.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which an interrupted search keeps what it has tried.",
)
@json_option
def command(
    *,
    data: Path,
    label: str,
    at: str | None,
    weight: str | None,
    without: tuple[str, ...],
    task: str | None,
    budget: float,
    seed: int,
    threads: int,
    out: Path,
    checkpoint: Path | None,
    as_json: bool,
) -> None:
    """Learn a model from a file of labelled rows, and say which and why.

    DATA is a .parquet, .csv or .arrow file. Linear models, gradient boosting, random forests and small nets are tried
    within the budget; the leaderboard says how good each is on rows it had not learned from, how long it learned, how
    long a row takes it and how large it is. Nothing leaves this machine.
    """
    if out.suffix != ENDING or not out.absolute().parent.is_dir():
        raise BadConfiguration("--out", f"name a file in a folder that is there, ending in {ENDING}")
    kind = None if task is None else Task(task)
    rows = Learning.of(as_table(data), label=label, at=at, weight=weight, without=without, task=kind)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("looking at the rows", total=1.0)
        found = search(
            rows,
            budget_s=budget,
            seed=seed,
            threads=threads,
            progress=lambda done, what: bar.update(line, completed=done, description=what),
            checkpoint=checkpoint,
        )
    save(found.model, out)
    if as_json:
        click.echo(to_json(found).decode())
        return
    click.echo(as_text(found))
    click.echo(f"wrote {out}; next: headgate register NAME {out} --reference {data} --label {label}")
