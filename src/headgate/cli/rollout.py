"""``headgate rollout``: look at a rollout, and move it by hand."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.rollouts import ORDERS
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option
from headgate.rollouts.text import status_text, told


@click.command("rollout")
@click.argument("what", type=click.Choice(["status", *ORDERS]))
@click.argument("endpoint")
@click.option(
    "--step", type=click.IntRange(min=1), help="The step you mean, as status counts them; refused in any other."
)
@why_option
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    what: str,
    endpoint: str,
    step: int | None,
    why: str,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Look at an endpoint's rollout, or move it by hand.

    \b
    status   where it stands, what every guard says, and what moved it
    pause    stay as it is, under guard, until resumed
    resume   go on
    approve  end the step it is in, whatever the evidence says; with --step no other than that one
    promote  give the candidate all callers now
    abort    take all callers from the candidate now
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    if what == "status" and step is not None:
        raise click.UsageError("--step goes with an order")
    with open_home(home, store=store, project=project) as hg:
        if what == "status":
            status = hg.rollouts.status(endpoint)
            click.echo(msgspec.json.encode(status).decode() if as_json else status_text(status))
            return
        rollout = hg.rollouts.order(endpoint, ORDERS[what], why, step=None if step is None else step - 1)
        hg.controller().reconcile()
    click.echo(msgspec.json.encode(rollout).decode() if as_json else told(rollout))
