"""``headgate demo``: watch a model keep itself through ten months of real flights."""

from pathlib import Path

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table

from headgate.cli.called import called
from headgate.cli.demo_bar import watched
from headgate.cli.demo_inspection import command as inspection
from headgate.cli.demo_monitors import monitors
from headgate.cli.demo_rollouts import rollouts
from headgate.cli.options import demo_options
from headgate.demo.loop import Told, as_json, tell
from headgate.demo.plot import Line, plot_policies
from headgate.demo.story import ENDPOINT
from headgate.demo.table import LATEST, LOOP, POLICIES, Month
from headgate.rollouts.comparison.words import cut, moment


@click.group("demo", invoke_without_command=True)
@demo_options(home="headgate-demo", quick="Four weeks of it, from 20 May on, in under a minute.")
@click.pass_context
def command(context: click.Context, *, home: Path, quick: bool, as_json_: bool) -> None:
    """Watch a model keep itself through ten months of real flights.

    Trains on January and February of 2013 who will land more than 15 minutes late, serves the model, and sends every
    flight of March to December through it in order of time, one HTTP request each, its label once the plane had landed.
    Nobody is asked anything: alarms begin runs, a run learns again, what it learned is proved, takes callers step by
    step and may be taken back. In June somebody deploys a version with a bug. Then shows the months beside the first
    model for ever and always the latest.
    """
    if context.invoked_subcommand is None:
        _watch(home, quick=quick, as_json_=as_json_)
    elif any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
        raise click.UsageError(f"its options belong behind '{context.invoked_subcommand}'", context)


command.add_command(rollouts)
command.add_command(inspection)
command.add_command(monitors)


def _watch(home: Path, *, quick: bool, as_json_: bool) -> None:
    console = Console(stderr=as_json_)
    with watched(console) as (progress, said):
        told = tell(home, quick=quick, progress=progress, said=said)
    picture = told.home / "months.svg"
    names = [each.name for each in told.table.months]
    lines = [Line(policy, tuple(each.auc[policy] for each in told.table.months)) for policy in POLICIES]
    plot_policies(names, lines, picture)
    if as_json_:
        click.echo(as_json(told))
    else:
        _show(console, told, picture)


def _show(console: Console, told: Told, picture: Path) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("month", "flights", *POLICIES, "answered by"):
        table.add_column(name, justify="left" if name in ("month", "answered by") else "right")
    for month in (*told.table.months, told.table.whole):
        table.add_row(month.name, f"{month.flights:,}", *(_auc(month.auc[each]) for each in POLICIES), _versions(month))
    console.print("\nAUC by month, on the same flights\n", highlight=False)
    console.print(table)
    console.print("\n".join(["", *_run_lines(told), "", *_sums(told)]), highlight=False, markup=False, soft_wrap=True)
    home, headgate = told.home, called()
    console.print(
        f"\n[bold]Where to look next[/]\n"
        f"  {picture}                          the months as a picture\n"
        f"  {headgate} explain {ENDPOINT} --home {home}        every change of the model as a story\n"
        f"  {headgate} retrain {ENDPOINT} --status --home {home}\n"
        f"  {headgate} alerts --home {home}\n"
        f"  {home}/lake                                the journal as Delta tables",
        highlight=False,
        soft_wrap=True,
    )


def _auc(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _versions(month: Month) -> str:
    """The versions that answered most of it, the busiest first.

    >>> _versions(Month("2013-03", 10, {}, {}, {"m:1": 7, "m:3": 3}))
    ':1, :3'
    """
    if month.name == "all":
        return f"{len(month.versions)} versions"
    busiest = sorted(month.versions, key=lambda each: -month.versions[each])
    return ", ".join(f":{each.rpartition(':')[2]}" for each in busiest)


def _run_lines(told: Told) -> list[str]:
    """Each run in a line: when it began, why, and what became of it."""
    lines = []
    for run in told.runs:
        outcome = run.outcome.value.replace("_", " ") if run.outcome else f"still {run.stage.value.replace('_', ' ')}"
        made = f" {run.challenger}" if run.challenger else ""
        lines.append(f"  run {run.number:<3} {moment(run.fired)}  {cut(run.firings[0].why, 60)}: {outcome}{made}")
    return lines or ["  nothing began a run"]


def _sums(told: Told) -> list[str]:
    """What all of it came to."""
    tally, bad = told.tally, told.mistaken
    false = sum(each.was_false for each in told.rollbacks)
    phase = "was never deployed" if bad is None else f"{bad.state.phase.value.replace('_', ' ')}: {bad.state.why}"
    return [
        f"{tally.requests:,} requests: {tally.answered:,} answered, {tally.refused:,} refused, {tally.failed:,} failed",
        f"Model changes: {LOOP} {len(told.promoted)}, {LATEST} {told.table.learned}.",
        f"Taken back: {len(told.rollbacks)}, of which {false} would have been better than what was kept.",
        f"The mistake of June, {told.mistake}: {phase}.",
        f"Flights it touched: {told.touched:,}. Minutes of a person's time: {told.waited:.0f}.",
        f"Took {told.seconds:.0f} s.",
    ]
