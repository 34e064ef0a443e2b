"""``headgate key``: make, list, rotate and revoke the keys callers show."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from headgate.access.grants import CallerRole
from headgate.access.keys import Key
from headgate.app.facade import open_home
from headgate.app.keys import Made, shown
from headgate.cli.options import home_option, json_option, project_option, store_option, why_option
from headgate.clock import SystemClock
from headgate.vocabulary import Micros


@click.group("key")
def command() -> None:
    """Make, list, rotate and revoke the keys callers show.

    From the first key on, gateways and the control API answer nobody without one. Run
    `headgate key create --help` and the like for the options of each.
    """


@command.command("create")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([each.value for each in CallerRole]),
    help="What it allows; repeat for several.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("*",),
    show_default=True,
    help="Where: an endpoint of the project, project/endpoint, or * for all; repeat for several.",
)
@click.option("--expires", help="How long it lasts, such as 90d; without it, until it is revoked.")
@click.option("--rate", type=float, help="Rows per second it may send, over all gateways.")
@click.option("--burst", type=float, help="Rows it may send at once after a pause; without it, those of one second.")
@why_option
@project_option
@home_option
@store_option
@json_option
def create(
    *,
    name: str,
    roles: tuple[str, ...],
    scopes: tuple[str, ...],
    expires: str | None,
    rate: float | None,
    burst: float | None,
    why: str,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Make a key for the caller NAME and print it, this once."""
    with open_home(home, store=store, project=project) as hg:
        made = hg.keys.create(name, roles, scopes=scopes, expires=expires, rate=rate, burst=burst, why=why)
    _print_made(made, as_json)


@command.command("list")
@project_option
@home_option
@store_option
@json_option
def list_keys(*, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """List the project's keys; none of them is shown."""
    with open_home(home, store=store, project=project) as hg:
        keys = hg.keys.every()
    if as_json:
        click.echo(json.dumps([json.loads(shown(each)) for each in keys]))
        return
    now = SystemClock().now()
    click.echo("\n".join(_line(each, now) for each in keys) or "no keys yet")


@command.command("rotate")
@click.argument("name")
@click.option("--overlap", default="0s", show_default=True, help="How long the old key works on, such as 1d.")
@why_option
@project_option
@home_option
@store_option
@json_option
def rotate(*, name: str, overlap: str, why: str, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Replace the key of NAME by a new one with the same rights and print it, this once."""
    with open_home(home, store=store, project=project) as hg:
        made = hg.keys.rotate(name, overlap=overlap, why=why)
    _print_made(made, as_json)


@command.command("revoke")
@click.argument("name")
@why_option
@project_option
@home_option
@store_option
@json_option
def revoke(*, name: str, why: str, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """End every key of NAME; gateways refuse it within a second."""
    with open_home(home, store=store, project=project) as hg:
        ended = hg.keys.revoke(name, why=why)
    if as_json:
        click.echo(json.dumps([json.loads(shown(each)) for each in ended]))
    else:
        click.echo(f"{name} opens nothing any more ({len(ended)} revoked)")


def _print_made(made: Made, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"key": made.text, **json.loads(shown(made.key))}))
        return
    click.echo(made.text)
    click.echo("This is the only time it is shown. Callers send it as 'Authorization: Bearer KEY'.", err=True)


def _line(key: Key, now: Micros) -> str:
    if key.revoked_at is not None:
        state = f"revoked {_day(key.revoked_at)}"
    elif not key.in_force(now):
        state = "expired"
    else:
        state = "in force" if key.expires_at is None else f"until {_day(key.expires_at)}"
    rate = "" if key.rate is None else f"  {key.rate:g} rows/s"
    return f"{key.name}  {key.id}  {','.join(key.roles)}  {','.join(key.scopes)}  {state}{rate}"


def _day(at: Micros) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M}Z"
