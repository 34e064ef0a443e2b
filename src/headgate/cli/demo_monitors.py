"""``headgate demo monitors``: watch ten months of real flights go through one model, and what is said of it."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from headgate.cli.called import called
from headgate.cli.demo_bar import watched
from headgate.cli.options import demo_options
from headgate.demo.plot import Point, plot_months
from headgate.demo.seasons import season_lines
from headgate.demo.story import ENDPOINT, Outcome, as_json, month_row, tell


@click.command("monitors")
@demo_options(home="headgate-demo-monitors", quick="A fiftieth of the flights, in under 30 seconds.")
def monitors(*, home: Path, quick: bool, as_json_: bool) -> None:
    """Watch ten months of real flights go through one model, and what is said of it.

    Trains on January and February of 2013 who will land more than 15 minutes late, serves the model, sends every
    flight of March to December through it in order of time, one HTTP request each, and posts every label when the
    plane had landed. Then shows the model's quality month by month, and what was said of it in summer and in December.
    """
    console = Console(stderr=as_json_)
    with watched(console) as (progress, said):
        outcome = tell(home, quick=quick, progress=progress, said=said)
    picture = _draw(outcome)
    if as_json_:
        click.echo(as_json(outcome))
    else:
        _show(console, outcome, picture)


def _draw(outcome: Outcome) -> Path:
    picture = outcome.home / "months.svg"
    rows = [month_row(window) for window in outcome.windows]
    points = [Point(str(r["month"]), _number(r["auc"]), _number(r["auc_low"]), _number(r["auc_high"])) for r in rows]
    plot_months(points, outcome.reference_auc, picture)
    return picture


def _number(value: str | float | None) -> float | None:
    return value if isinstance(value, float) else None


def _show(console: Console, outcome: Outcome, picture: Path) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("month", "flights", "refused", "labels", "auc", "95 % interval", "log loss", "p99 ms"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for window in outcome.windows:
        row = month_row(window)
        table.add_row(
            str(row["month"]),
            f"{row['flights']:,}",
            f"{row['refused']:,}",
            f"{row['labels']:,}",
            _shown(row["auc"]),
            f"{_shown(row['auc_low'])}-{_shown(row['auc_high'])}",
            _shown(row["log_loss"]),
            _shown(row["p99_ms"], 1),
        )
    console.print(table)
    tally = outcome.tally
    unlabelled = tally.answered - tally.labels_posted
    console.print(
        f"\n{tally.requests:,} requests: {tally.answered:,} answered, {tally.refused:,} refused, "
        f"{tally.failed:,} failed; {outcome.journalled:,} in the journal.\n"
        f"{tally.labels_posted:,} labels posted, {outcome.labels_joined:,} joined; "
        f"{unlabelled:,} flights were cancelled or diverted and have none.\n"
        f"Held out before serving: auc {_shown(outcome.reference_auc)}. Took {outcome.seconds:.0f} s."
    )
    console.print("\n[bold]What was said of the model[/]")
    for season in outcome.seasons:
        console.print("\n".join(["", *season_lines(season)]), highlight=False, markup=False, soft_wrap=True)
    if outcome.expected:
        console.print(f"\nBefore any label of it: {outcome.expected}", highlight=False, markup=False, soft_wrap=True)
    home, headgate = outcome.home, called()
    console.print(
        f"\n[bold]Where to look next[/]\n"
        f"  {picture}                          the months as a picture\n"
        f"  {headgate} status {ENDPOINT} --home {home} --every week\n"
        f"  {headgate} monitor {ENDPOINT} --home {home}         its monitors, and why they alarmed\n"
        f"  {headgate} up --home {home}                      serve it again, then\n"
        f"  {headgate} predict {ENDPOINT} '{{...}}' --home {home}\n"
        f"  {home}/lake                                the journal as Delta tables",
        highlight=False,
        soft_wrap=True,
    )


def _shown(value: str | float | None, digits: int = 3) -> str:
    return "-" if not isinstance(value, float | int) else f"{value:.{digits}f}"
