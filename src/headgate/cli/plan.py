"""``headgate plan``: what a rollout would do, before anything moves."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import NotFound
from headgate.rollouts.text import foretold_text


@click.command("plan")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="rollout.yaml")
@click.option(
    "--force",
    is_flag=True,
    allow_from_autoenv=False,
    help="Look at a candidate without a passing evaluation, as `deploy --force` would begin it.",
)
@project_option
@home_option
@store_option
@json_option
def command(*, file: Path, force: bool, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Show what a rollout would do, and how long it would take; nothing moves.

    FILE names an endpoint, a candidate, and a strategy or steps. Everything that `deploy` would refuse is refused.
    The alpha and the margins shown are those the rollout would have: the year's budget may leave less than FILE says.
    """
    if not file.is_file():
        raise NotFound("file", str(file), "it names endpoint:, candidate: and strategy:")
    with open_home(home, store=store, project=project) as hg:
        foretold = hg.rollouts.plan(file, force=force)
    click.echo(msgspec.json.encode(foretold).decode() if as_json else foretold_text(foretold))
