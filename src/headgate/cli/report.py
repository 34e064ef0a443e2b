"""``headgate report``: what a candidate said beside the live version, as text, JSON or a page."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.rollouts.comparison.page import as_page
from headgate.rollouts.comparison.text import as_text


@click.command("report")
@click.argument("endpoint")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that needs nothing else.",
)
@project_option
@home_option
@store_option
@json_option
def command(*, endpoint: str, html: Path | None, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Compare a rollout's candidate with the live version, on the same inputs.

    Agreement, who was right once labels came, the worst slices, examples to read, time and cost; of the endpoint's
    newest rollout, as far as its candidate was a shadow.
    """
    with open_home(home, store=store, project=project) as hg:
        comparison = hg.rollouts.report(endpoint)
    if html is not None:
        html.write_text(as_page(comparison), encoding="utf-8")
    if as_json:
        click.echo(msgspec.json.encode(comparison).decode())
    elif html is None:
        click.echo(as_text(comparison))
    else:
        click.echo(f"wrote {html}")
