"""``headgate mlflow``: how a home stands with its tracking server."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.tracking import TrackingStatus
from headgate.cli.options import home_option, json_option, store_option
from headgate.errors import Unavailable


@click.command("mlflow")
@click.option("--send", "now", is_flag=True, help="Hand it now what waits, also what it refused before.")
@click.option("--webhook", metavar="URL", help="Have it tell this address of Headgate's control API of moved aliases.")
@home_option
@store_option
@json_option
def command(*, now: bool, webhook: str | None, home: Path, store: str | None, as_json: bool) -> None:
    """Show how the home stands with its tracking server, or hand it what it was not told.

    The server stands in the home's tracking.yaml. The controller tells it of runs, gates and promotions and follows
    the aliases that are named there; what the server has not taken waits in the home. Exits with 12 where it cannot be
    reached.
    """
    with open_home(home, store=store) as hg:
        if webhook is not None:
            hg.tracking.listen(webhook)
        if now:
            hg.tracking.send_all()
        status = hg.tracking.status()
    click.echo(msgspec.json.encode(status).decode() if as_json else _text(status))
    if not status.reached:
        raise Unavailable(status.said)


def _text(status: TrackingStatus) -> str:
    lines = [f"{status.url}  {'answers' if status.reached else 'does not answer'}"]
    for endpoint, each in status.followed.items():
        became = f" as {each.became}" if each.became else ""
        lines.append(f"  {endpoint} follows {each.name}: version {each.version}{became}; {each.said or 'under way'}")
    for waiting in status.waiting:
        then = "refused" if waiting.refused else f"waits, {waiting.tries} tries"
        lines.append(f"  {waiting.entry.id}  {then}: {waiting.said or 'not tried yet'}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "  nothing waits to be told"])
