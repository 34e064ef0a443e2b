"""``headgate apply``: create or change an endpoint from its file."""

import json
from pathlib import Path

import click

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, store_option, why_option
from headgate.errors import NotFound


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="endpoint.yaml")
@click.option(
    "--force",
    is_flag=True,
    allow_from_autoenv=False,
    help="Let a version without a passing evaluation take traffic; remembered.",
)
@why_option
@home_option
@store_option
@json_option
def command(*, file: Path, force: bool, why: str, home: Path, store: str | None, as_json: bool) -> None:
    """Create or change an endpoint from its file.

    FILE is endpoint.yaml as `headgate init` drafts it. Running gateways obey within a second.
    """
    if not file.is_file():
        raise NotFound("file", str(file), "`headgate init` drafts one")
    with open_home(home, store=store) as hg:
        traffic = hg.apply(file, force=force, why=why)
    if as_json:
        weights = {member.version: member.weight for member in traffic.members}
        named = {"project": traffic.project, "endpoint": traffic.endpoint, "revision": traffic.revision}
        click.echo(json.dumps({**named, "live": traffic.live, "weights": weights}))
        return
    shares = ", ".join(f"{member.version} {member.weight:.0%}" for member in traffic.members)
    click.echo(f"endpoint {traffic.endpoint} is at revision {traffic.revision}: {shares}")
