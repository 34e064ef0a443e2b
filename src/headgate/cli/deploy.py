"""``headgate deploy``: begin the rollout a plan describes, and follow it if asked to."""

from math import inf
from pathlib import Path
from time import monotonic, sleep

import click
import msgspec

from headgate.app.facade import Headgate, open_home
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option
from headgate.errors import GateFailed, NotFound
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Phase
from headgate.rollouts.text import told

_LOOK = 0.5
"""Seconds between two looks."""
_SILENT = 5.0
"""Seconds without a sign of the controller after which whoever watches is told so."""
_WAITING = (Phase.HELD, Phase.PAUSED)


@click.command("deploy")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="rollout.yaml")
@click.option("--watch", is_flag=True, help="Follow it until it ends or waits for a person.")
@click.option(
    "--force",
    is_flag=True,
    allow_from_autoenv=False,
    help="Let a candidate without a passing evaluation take callers; remembered.",
)
@why_option
@project_option
@home_option
@store_option
@json_option
def command(
    *, file: Path, watch: bool, force: bool, why: str, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Begin a rollout: a new version takes traffic step by step, under guards.

    FILE names an endpoint, a candidate, and a strategy or steps; `headgate plan` shows what it would do. The
    controller that `headgate up` runs moves it on. With --watch the exit code is 6 unless the candidate was promoted.
    """
    if not file.is_file():
        raise NotFound("file", str(file), "it names endpoint:, candidate: and strategy:")
    with open_home(home, store=store, project=project) as hg:
        rollout = hg.deploy(file, force=force, why=why)
        if not as_json:
            click.echo(f"rollout {rollout.number} of {rollout.plan.endpoint} began: {told(rollout)}")
        if watch:
            rollout = _watch(hg, rollout, quiet=as_json)
    if as_json:
        click.echo(msgspec.json.encode(rollout).decode())
    if watch and rollout.state.phase is not Phase.PROMOTED:
        endpoint, phase = rollout.plan.endpoint, rollout.state.phase.replace("_", " ")
        says = f"rollout {rollout.number} of {endpoint} is {phase}: {rollout.state.why}"
        raise GateFailed(
            f"{says}; `headgate rollout status {endpoint}` has its moves, and what it waits for if it does"
        )


def _watch(hg: Headgate, rollout: Rollout, *, quiet: bool) -> Rollout:
    """Tell every move until it ends, or until only a person can move it."""
    seen = len(rollout.moves)
    pulse, heard = hg.traffic.pulse(), monotonic()
    while not (rollout.state.ended or rollout.state.phase in _WAITING):
        sleep(_LOOK)
        if hg.traffic.pulse() != pulse:
            pulse, heard = hg.traffic.pulse(), monotonic()
        elif monotonic() - heard > _SILENT:
            click.echo(f"nobody moves it on; `headgate up --home {hg.home.root}` runs a controller", err=True)
            heard = inf
        rollout = hg.rollouts.history(rollout.plan.endpoint)[rollout.number - 1]
        for each in rollout.moves[seen:]:
            if not quiet:
                click.echo(f"{each.action}: {each.why}")
        if len(rollout.moves) > seen and not quiet:
            click.echo(f"  {told(rollout)}")
        seen = len(rollout.moves)
    return rollout
