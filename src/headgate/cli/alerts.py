"""``headgate alerts``: what was found of an endpoint, who was told, and how to end the telling."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.delivery import Delivery, Outcome
from headgate.alerts.told import figure_line, moment, printed
from headgate.app.alerts import Account
from headgate.app.facade import open_home
from headgate.cli.options import checked_text, home_option, json_option, project_option, store_option, why_option
from headgate.errors import Unavailable

_HINT = (
    "`headgate alerts show ID` has the evidence of one and who was told; `headgate alerts acknowledge ID --why ...` "
    "ends its reminders"
)
_NOTHING = "no alert stands; what is watched, and up to when, says `headgate monitor ENDPOINT`"


class _Listing(click.Group):
    """``headgate alerts ENDPOINT`` is ``headgate alerts list ENDPOINT``; what is no word of its own is an endpoint."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("alerts", cls=_Listing, subcommand_metavar="[ENDPOINT] | COMMAND [ARGS]...")
def command() -> None:
    """Look at what monitors found, take it on, or silence an endpoint.

    An endpoint's name instead of a command lists its alerts that stand; nothing lists those of all.
    """


@command.command("list")
@click.argument("endpoint", required=False)
@click.option("--all", "over", is_flag=True, help="Those that are over, too.")
@project_option
@home_option
@store_option
@json_option
def list_alerts(
    *, endpoint: str | None, over: bool, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """List the alerts that stand, of ENDPOINT or of all, the newest first."""
    with open_home(home, store=store, project=project) as hg:
        alerts, silences = hg.alerts.every(endpoint, over=over), hg.alerts.silences()
    silences = [each for each in silences if endpoint in (None, each.endpoint)]
    if as_json:
        click.echo(json.dumps({"alerts": list(map(_plain, alerts)), "silences": list(map(_plain, silences))}))
        return
    lines = [*map(_line, alerts), *map(_quiet, silences)]
    click.echo("\n".join([*lines, "", _HINT] if alerts else [*lines, _NOTHING]))


@command.command("show")
@click.argument("id", metavar="ID")
@project_option
@home_option
@store_option
@json_option
def show(*, id: str, project: str, home: Path, store: str | None, as_json: bool) -> None:  # noqa: A002 - its name
    """Show one alert, its evidence, and what each channel was told of it.

    ID is an alert's id, or as much of its beginning as no other has.
    """
    with open_home(home, store=store, project=project) as hg:
        account = hg.alerts.show(id)
    click.echo(json.dumps(_plain(account)) if as_json else _account(account))


@command.command("acknowledge")
@click.argument("id", metavar="ID")
@why_option
@project_option
@home_option
@store_option
@json_option
def acknowledge(*, id: str, why: str, project: str, home: Path, store: str | None, as_json: bool) -> None:  # noqa: A002
    """Take an alert on: nobody is reminded of it unless it grows worse, or is over and returns."""
    with open_home(home, store=store, project=project) as hg:
        alert = hg.alerts.acknowledge(id, why)
    click.echo(json.dumps(_plain(alert)) if as_json else _line(alert))


@command.command("silence")
@click.argument("endpoint")
@click.option("--for", "lasting", required=True, help="How long, such as 2h; 0s ends the silence there is.")
@click.option("--because", required=True, callback=checked_text, help="The reason; the history keeps it.")
@project_option
@home_option
@store_option
@json_option
def silence(
    *, endpoint: str, lasting: str, because: str, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Tell nobody what is found of ENDPOINT for a while.

    Alerts are raised, listed and counted all the same. Those that stand when it ends are told then.
    """
    with open_home(home, store=store, project=project) as hg:
        made = hg.alerts.silence(endpoint, lasting, because)
    if as_json:
        click.echo(json.dumps(_plain(made)))
    else:
        click.echo(_quiet(made) if made.until > made.begun else f"{endpoint}: people are told again from now on")


@command.command("try")
@click.argument("channel")
@project_option
@home_option
@store_option
@json_option
def attempt(*, channel: str, project: str, home: Path, store: str | None, as_json: bool) -> None:
    """Send CHANNEL of channels.yaml a message, from this process, to see whether it arrives."""
    with open_home(home, store=store, project=project) as hg:
        answer = hg.alerts.attempt(channel)
    if not answer.taken:
        raise Unavailable(f"{channel} did not take it: {answer.said}")
    click.echo(json.dumps({"channel": channel, "said": answer.said}) if as_json else f"{channel}: {answer.said}")


def _plain(value: msgspec.Struct) -> Any:
    """What programs read: the value, with the id that people use where it has one."""
    found = msgspec.to_builtins(value)
    return {"id": value.id, **found} if isinstance(value, Alert) else found


def _line(alert: Alert) -> str:
    finding = alert.finding
    subject = f" ({finding.subject})" if finding.subject else ""
    often = "once" if alert.times == 1 else f"{alert.times:,} times"
    if alert.ended is not None:
        state = f"over since {moment(alert.ended)}"
    elif alert.acknowledged is not None:
        why = f": {alert.acknowledged.why}" if alert.acknowledged.why else ""
        state = f"{alert.acknowledged.by} has it since {moment(alert.acknowledged.at)}{why}"
    else:
        state = "nobody has taken it on"
    lines = [f"{alert.id}  {alert.severity}  {finding.endpoint}: {finding.what}"]
    lines += [f"  what to do: {finding.advice}"] if finding.advice else []
    lines += [f"  found by {finding.monitor}{subject} {often}, from {moment(alert.raised)} to {moment(alert.seen)}"]
    return "\n".join(printed(each) for each in [*lines, f"  {state}"])


def _quiet(silence: Silence) -> str:
    return printed(f"{silence.endpoint} is silent until {moment(silence.until)}: {silence.because} ({silence.by})")


def _account(account: Account) -> str:
    finding = account.alert.finding
    lines = [_line(account.alert)]
    lines += [f"  {figure_line(each)}" for each in finding.evidence]
    lines += [printed(f"  likely cause: {finding.cause}")] if finding.cause else []
    lines += [printed(f"  {each.title}: {each.url}") for each in finding.links]
    lines += [printed(f"  {_told(each)}") for each in account.deliveries]
    return "\n".join(lines)


def _told(delivery: Delivery) -> str:
    tries = f"{delivery.tries} {'try' if delivery.tries == 1 else 'tries'}"
    when = moment(delivery.next_try if delivery.ended is None else delivery.ended)
    states = {
        Outcome.DELIVERED: f"delivered {when}",
        Outcome.GIVEN_UP: f"given up {when} after {tries}",
        Outcome.WAITING: f"waits until {when} after {tries}" if delivery.tries else "about to be tried",
    }
    said = f": {delivery.said}" if delivery.said else ""
    return f"{delivery.notice} to {delivery.channel}, {states[delivery.outcome]}{said}"
