"""``headgate monitor``: how an endpoint stands, monitor by monitor, and what has changed in a window."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.monitoring import LAST
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.monitors.diagnosis.text import as_text as diagnosis_text
from headgate.monitors.watch.text import as_text
from headgate.vocabulary import SECOND, Micros

MOMENT = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.command("monitor")
@click.argument("endpoint")
@click.option("--last", type=click.IntRange(min=1), default=LAST, show_default=True, help="Show so many days.")
@click.option("--diagnose", is_flag=True, help="Say what has changed in a window instead: the last four weeks.")
@click.option("--from", "start", type=MOMENT, help="Begin of that window, in UTC.")
@click.option("--to", "end", type=MOMENT, help="End of that window, in UTC; it is not part of it.")
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    endpoint: str,
    last: int,
    diagnose: bool,
    start: datetime | None,
    end: datetime | None,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Say how an endpoint stands: what its monitors found, since when, how sure, and what to do.

    The controller looks as every hour ends and as the labels of every day are due; this shows what it saw, and the
    days it looked at with volume, latency, cost, labels and the figures they gave. With --diagnose it compares the
    inputs and labels of any window with the reference, here and now.
    """
    if not diagnose and (start is not None or end is not None):
        raise click.UsageError("--from and --to name the window of --diagnose")
    with open_home(home, store=store, project=project) as hg:
        if diagnose:
            why = hg.monitoring.diagnosis(endpoint, start=_micros(start), end=_micros(end))
            click.echo(msgspec.json.encode(why).decode() if as_json else diagnosis_text(why))
            return
        found = hg.monitoring.report(endpoint, last=last)
    click.echo(msgspec.json.encode(found).decode() if as_json else as_text(found))


def _micros(moment: datetime | None) -> Micros | None:
    return None if moment is None else Micros(round(moment.replace(tzinfo=UTC).timestamp()) * SECOND)
