"""``headgate recipe``: try a recipe on a file of labelled rows, as the loop would run it."""

from pathlib import Path

import click
import msgspec

from headgate.cli.learning import follow
from headgate.cli.options import SECONDS, json_option
from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.retraining.recipes.recipe import Limits, Parameter, Recipe, RecipeKind, RecipeState, Standing
from headgate.retraining.recipes.tried import as_training_set
from headgate.retraining.recipes.workshop import Workshop

LIMITS = Limits()


@click.command("recipe")
@click.argument("source")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="Column that holds the truth.")
@click.option("--parameter", "given", multiple=True, metavar="NAME=VALUE", help="Hand it a value; may be repeated.")
@click.option("--seconds", type=SECONDS, default=LIMITS.seconds, show_default=True, help="Longest it may run.")
@click.option("--memory-mb", type=click.IntRange(min=1), help="Memory it may hold, in MiB.")
@click.option(
    "--disk-mb", type=click.IntRange(min=1), default=LIMITS.disk_mb, show_default=True, help="Disk it may fill, in MiB."
)
@click.option("--threads", type=click.IntRange(min=1), default=LIMITS.threads, show_default=True, help="Threads.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="From which chance follows.")
@click.option("--trust", is_flag=True, allow_from_autoenv=False, help="A model with code of its own may be kept.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="tried",
    show_default=True,
    help="Folder in which each attempt gets a folder of its own.",
)
@json_option
def command(
    *,
    source: str,
    data: Path,
    label: str,
    given: tuple[str, ...],
    seconds: float,
    memory_mb: int | None,
    disk_mb: int,
    threads: int,
    seed: int,
    trust: bool,
    out: Path,
    as_json: bool,
) -> None:
    """Try a recipe on a file of labelled rows, as the loop would run it.

    SOURCE is a function in a file (learn.py:train), a notebook (learn.ipynb) or a command ("python train.py"); DATA a
    .parquet, .csv or .arrow file. Nothing is registered; the model, the log and what was recorded stay in the folder.
    """
    limits = Limits(seconds, memory_mb, disk_mb, threads)
    recipe = Recipe(_kind(source), source, parameters(given), limits, seed, trust)
    dataset = as_training_set(as_table(data), label, out / "datasets")
    workshop = Workshop(out / "runs")
    name = str(1 + sum(1 for _ in (out / "runs").glob("*")))
    workshop.start(name, recipe, dataset)
    try:
        standing = follow(lambda: workshop.look(name))
    except KeyboardInterrupt:
        workshop.cancel(name)
        raise
    folder = workshop.folder(name)
    if as_json:
        click.echo(msgspec.json.encode({"folder": str(folder), "standing": standing}).decode())
    if standing.state is not RecipeState.LEARNED:
        raise BadInput("recipe", "failed", f"{standing.why}; its log is {folder / 'log.txt'}")
    if not as_json:
        click.echo(_text(standing, folder))


def parameters(given: tuple[str, ...]) -> dict[str, Parameter]:
    """Values by name; what reads as a number, a truth or nothing is one. Raises BadInput for a word without ``=``.

    >>> parameters(("depth=3", "name=fast", "early=true"))
    {'depth': 3, 'name': 'fast', 'early': True}
    """
    found: dict[str, Parameter] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise BadInput("--parameter", "type", "must be NAME=VALUE, such as depth=3")
        try:
            found[name] = msgspec.json.decode(value, type=int | float | bool | None)
        except msgspec.MsgspecError:
            found[name] = value
    return found


def _kind(source: str) -> RecipeKind:
    if source.endswith(".ipynb"):
        return RecipeKind.NOTEBOOK
    if source.partition(":")[0].endswith(".py") and " " not in source:
        return RecipeKind.PYTHON
    return RecipeKind.COMMAND


def _text(standing: Standing, folder: Path) -> str:
    learned = standing.learned
    assert learned is not None  # noqa: S101 - its state says so
    shown = {
        "model": str(folder / learned.model),
        "code": learned.code,
        **{name: f"{value:.6g}" for name, value in learned.metrics.items()},
    }
    width = max(map(len, shown))
    lines = [f"  {name:<{width}}  {value}" for name, value in shown.items()]
    return "\n".join([f"learned in {learned.seconds:.1f} s with {learned.peak_mb:,.0f} MB", *lines])
