"""``headgate rollback``: take an endpoint back to the version before."""

import json
from pathlib import Path

import click

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option
from headgate.rollouts.text import told


@click.command("rollback")
@click.argument("endpoint")
@why_option
@project_option
@home_option
@store_option
@json_option
def command(*, endpoint: str, why: str, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Take an endpoint back: abort its rollout, or return to the version before the last promotion.

    Running gateways obey within a second; nothing is loaded for it while the version before is still in memory.
    """
    with open_home(home, store=store, project=project) as hg:
        back = hg.rollouts.roll_back(endpoint, why)
        hg.controller().reconcile()
    live = back if isinstance(back, str) else back.live
    if as_json:
        click.echo(json.dumps({"endpoint": endpoint, "live": live}))
        return
    click.echo(f"{endpoint} is back on {live}" if isinstance(back, str) else told(back))
