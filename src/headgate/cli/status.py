"""``headgate status``: what an endpoint did, window by window."""

import json
from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.monitors.status import as_text


@click.command("status")
@click.argument("endpoint", required=False)
@click.option(
    "--every", type=click.Choice(["hour", "day", "week", "month"]), default="day", show_default=True, help="Window."
)
@click.option("--last", type=click.IntRange(min=1), help="Show only so many windows.")
@project_option
@home_option
@store_option
@json_option
def command(
    *, endpoint: str | None, every: str, last: int | None, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Show what an endpoint did, window by window.

    Volume, refusals, latency, label coverage and every metric of the task with its interval, beside the figures
    the version had when it was evaluated. Without ENDPOINT, list the endpoints.
    """
    with open_home(home, store=store, project=project) as hg:
        if endpoint is None:
            names = hg.endpoints()
            if as_json:
                click.echo(json.dumps({"endpoints": names}))
                return
            click.echo("\n".join(names) or "no endpoint yet; `headgate apply endpoint.yaml` makes one")
            return
        status = hg.status(endpoint, every=every, last=last)
    click.echo(msgspec.json.encode(status).decode() if as_json else as_text(status))
