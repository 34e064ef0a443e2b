"""``headgate report``: how an endpoint stands and what it did, as text, JSON or a page."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.reports import LAST
from headgate.cli.files import write_file
from headgate.cli.options import home_option, json_option, project_option, store_option


@click.command("report")
@click.argument("endpoint")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that needs nothing else.",
)
@click.option("--last", type=click.IntRange(min=1), default=LAST, show_default=True, help="Tell of so many days.")
@project_option
@home_option
@store_option
@json_option
def command(
    *, endpoint: str, html: Path | None, last: int, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Report on an endpoint: how it stands, what it did day by day, and its newest rollout's comparison.

    Every monitor with its evidence and what to do; the alerts that stand; traffic, latency, cost, labels and figures
    of the last days, drawn on the page; and what the rollout's candidate said beside the live version, on the same
    inputs, as far as it was a shadow.
    """
    with open_home(home, store=store, project=project) as hg:
        found = hg.report(endpoint, last=last)
    if html is not None:
        write_file(html, found.page, "--html")
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    elif html is None:
        click.echo(found.text)
    else:
        click.echo(f"wrote {html}")
