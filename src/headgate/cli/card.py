"""``headgate card``: a version's model card, as Markdown or as a page."""

from pathlib import Path

import click

from headgate.app.facade import open_home
from headgate.cli.files import write_file
from headgate.cli.options import home_option, project_option, store_option
from headgate.retraining.story.card import card_markdown, card_page


@click.command("card")
@click.argument("version")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that needs nothing else.",
)
@project_option
@home_option
@store_option
def command(*, version: str, html: Path | None, project: str, home: Path, store: str | None) -> None:
    """Write a version's model card from its records.

    What it answers and reads, how good it is, where it came from and how it came into charge, and what nobody knows of
    it; Markdown, unless --html names a file for a page.
    """
    with open_home(home, store=store, project=project) as hg:
        carded = hg.stories.card(version)
    if html is None:
        click.echo(card_markdown(carded))
        return
    write_file(html, card_page(carded), "--html")
    click.echo(f"wrote {html}")
