"""``headgate audit``: show the sealed history, or verify that nothing in it was changed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import IntegrityError
from headgate.events import FIRST, Event, first_broken


@click.group("audit")
def command() -> None:
    """Show the sealed history, or verify that nothing in it was changed.

    Each record carries a hash over itself and the record before it.
    """


@command.command("list")
@click.option("--subject", help="Of one version, endpoint, key or process alone.")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@project_option
@home_option
@store_option
@json_option
def list_events(*, subject: str | None, last: int, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """List who did what, when and why, newest first."""
    with open_home(home, store=store, project=project) as hg:
        events = hg.events(subject, limit=last)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(each) for each in events]))
        return
    click.echo("\n".join(map(_line, events)) or "nothing happened yet")


@command.command("verify")
@click.option("--head", help="The seal that `verify` printed earlier: it must still be in the history.")
@home_option
@store_option
@json_option
def verify(*, head: str | None, home: Path, store: str | None, as_json: bool) -> None:
    """Check the whole history of all projects, record by record.

    Exits with 10 and names the first record that does not fit. Keep the seal it prints somewhere else: with --head a
    later run also notices records cut off at the end, and a history written anew.
    """
    with open_home(home, store=store) as hg:
        records = list(hg.audit())
    broken = first_broken(records)
    if broken is not None:
        raise IntegrityError(f"record {broken.number} of the history is broken: {broken.why}")
    if head is not None and head not in {each.seal for each in records}:
        raise IntegrityError("the history is whole in itself but does not hold the seal given as --head")
    sealed = [each.seal for each in records if each.seal]
    said = {"records": len(records), "sealed": len(sealed), "head": sealed[-1] if sealed else FIRST}
    click.echo(json.dumps(said) if as_json else f"{said['records']} records are whole; head {said['head']}")


def _line(event: Event) -> str:
    at = f"{datetime.fromtimestamp(event.at / 1e6, UTC):%Y-%m-%d %H:%M:%S}Z"
    change = f"  {_short(event.before)} -> {_short(event.after)}" if event.before or event.after else ""
    why = f"  ({event.why})" if event.why else ""
    return f"{at}  {event.actor}  {event.kind}  {event.subject}{change}{why}"


def _short(text: str) -> str:
    """A change as one short word; ``--json`` has all of it."""
    if not text:
        return "nothing"
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else f"{flat[:37]}..."
