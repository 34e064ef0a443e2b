"""``headgate review``: what waits for people, and the next case for one of them."""

from pathlib import Path

import click
import msgspec

from headgate.app.facade import open_home
from headgate.app.reviews import Case, Queue
from headgate.app.told import actor
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.rollouts.comparison.words import moment


@click.command("review")
@click.argument("what", type=click.Choice(["status", "next", "skip"]))
@click.argument("endpoint")
@click.argument("case", required=False)
@click.option("--reviewer", help="Who reviews, under the name that decides; your user name unless you say.")
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    what: str,
    endpoint: str,
    case: str | None,
    reviewer: str | None,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Look at what waits for people to decide, or take the next case.

    \b
    status   how many cases wait, and since when
    next     the next case for a reviewer, who has it until it is decided or the lease has run out
    skip     give CASE back; the reviewer does not get it again

    A decision is told to the gateways: headgate label ENDPOINT ID DECISION --by NAME.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    if (what == "skip") != (case is not None):
        raise click.UsageError("name the case to skip, and none otherwise")
    who = reviewer or actor()
    with open_home(home, store=store, project=project) as hg:
        if what == "status":
            queue = hg.reviews.queue(endpoint)
            click.echo(msgspec.json.encode(queue).decode() if as_json else _queue(queue))
            return
        if case is not None:
            hg.reviews.skip(endpoint, case, who)
            click.echo(msgspec.json.encode({"skipped": case}).decode() if as_json else f"{case} goes to others")
            return
        found = hg.reviews.next(endpoint, who)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo("no case waits for you" if found is None else _case(found))


def _queue(queue: Queue) -> str:
    if queue.oldest is None:
        return "no case waits"
    cases = "1 case waits" if queue.cases == 1 else f"{queue.cases:,} cases wait"
    audits = f", {queue.audits:,} to audit what the model decided" if queue.audits else ""
    return f"{cases}{audits}; the oldest since {moment(queue.oldest)}; with somebody now: {queue.held:,}"


def _case(case: Case) -> str:
    lines = [f"case {case.input_id} of {moment(case.at)}, yours until {moment(case.until)}"]
    lines += [f"  {name}: {value}" for name, value in case.features.items()]
    if case.suggestion is not None:
        lines.append(f"  the model says: {case.suggestion}")
    return "\n".join(lines)
