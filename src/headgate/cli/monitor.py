"""``headgate monitor``: how an endpoint stands, monitor by monitor."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.monitoring import LAST
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.monitors.watch.text import as_text


@click.command("monitor")
@click.argument("endpoint")
@click.option("--last", type=click.IntRange(min=1), default=LAST, show_default=True, help="Show so many days.")
@project_option
@home_option
@store_option
@json_option
def command(*, endpoint: str, last: int, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Say how an endpoint stands: what its monitors found, since when, how sure, and what to do.

    The controller looks as every hour ends and as the labels of every day are due; this shows what it saw, and the
    days it looked at with volume, latency, cost, labels and the figures they gave.
    """
    with open_home(home, store=store, project=project) as hg:
        found = hg.monitoring.report(endpoint, last=last)
    click.echo(msgspec.json.encode(found).decode() if as_json else as_text(found))
