"""``headgate apply``: create or change an endpoint from its file."""

from pathlib import Path

import click

from headgate.app.facade import open_home
from headgate.cli.options import home_option, why_option
from headgate.errors import NotFound


@click.command("apply")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="endpoint.yaml")
@click.option("--force", is_flag=True, help="Let a version without a passing evaluation take traffic; remembered.")
@why_option
@home_option
def command(*, file: Path, force: bool, why: str, home: Path) -> None:
    """Create or change an endpoint from its file.

    FILE is endpoint.yaml as `headgate init` drafts it. Running gateways obey within a second.
    """
    if not file.is_file():
        raise NotFound("file", str(file), "`headgate init` drafts one")
    with open_home(home) as hg:
        traffic = hg.apply(file, force=force, why=why)
    shares = ", ".join(f"{member.version} {member.weight:.0%}" for member in traffic.members)
    click.echo(f"endpoint {traffic.endpoint} is at revision {traffic.revision}: {shares}")
