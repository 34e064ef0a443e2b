"""``headgate explain``: how a model came to be in charge, as text, JSON or a page."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.files import write_file
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.retraining.story.page import as_page
from headgate.retraining.story.text import as_markdown, as_text


@click.command("explain")
@click.argument("subject")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that needs nothing else.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown, for an issue or a pull request.")
@project_option
@home_option
@store_option
@json_option
def command(
    *, subject: str, html: Path | None, markdown: bool, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Tell how a model came to be in charge: what fired, what data, what was proved, who approved.

    SUBJECT is one of:

    \b
      ENDPOINT       its last change of model
      ENDPOINT.3     run 3 of the endpoint's loop
      ENDPOINT.r2    rollout 2 of the endpoint
      MODEL:4        the change by which a version came into charge

    Told from the home's records alone; a link that has no record says that it is missing.
    """  # noqa: D301 - \b tells click to keep the lines
    with open_home(home, store=store, project=project) as hg:
        story = hg.stories.explain(subject)
    if html is not None:
        write_file(html, as_page(story), "--html")
    if as_json:
        click.echo(msgspec.json.encode(story).decode())
    elif html is None:
        click.echo(as_markdown(story) if markdown else as_text(story))
    else:
        click.echo(f"wrote {html}")
