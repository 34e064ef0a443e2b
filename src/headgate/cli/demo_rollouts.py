"""``headgate demo rollouts``: watch rollouts on real flights decide by themselves."""

from pathlib import Path

import click
from rich.console import Console

from headgate.cli.called import called
from headgate.cli.options import demo_options
from headgate.demo.account import Account, act_lines, as_json
from headgate.demo.acts import tell
from headgate.demo.story import ENDPOINT


@click.command("rollouts")
@demo_options(home="headgate-demo-rollouts", quick="In steps of half a day instead of two hours, in under a minute.")
def rollouts(*, home: Path, quick: bool, as_json_: bool) -> None:
    """Watch rollouts on real flights decide by themselves.

    Act 1: a version that is better takes callers step by step and is promoted. Act 2: a version with a bug in its own
    preprocessing, which reads miles as kilometres and passed its offline gate on a sample with the same bug, is rolled
    back: once behind a shadow, where no caller hears it, and once without.
    """
    console = Console(stderr=as_json_)
    with console.status("") as status:

        def progress(done: int, total: int, month: int) -> None:
            status.update(f"{done:,} flights")

        def said(line: str) -> None:
            console.print(f"[bold]•[/] {line}", highlight=False)

        account = tell(home, quick=quick, progress=progress, said=said)
    if as_json_:
        click.echo(as_json(account))
    else:
        _show(account)


def _show(account: Account) -> None:
    click.echo()
    for version in account.versions:
        auc = "-" if version.auc is None else f"{version.auc:.3f}"
        click.echo(f"{version.ref}  {version.says}; auc offline {auc}")
    for act in account.acts:
        click.echo(f"\n{click.style(act.title, bold=True)}\n")
        click.echo("\n".join(act_lines(act)))
    tally, home, headgate = account.tally, account.home, called()
    click.echo(
        f"\n{tally.requests:,} requests: {tally.answered:,} answered, {tally.refused:,} refused, {tally.failed:,} "
        f"failed; {tally.labels_posted:,} labels posted. Took {account.seconds:.0f} s.\n"
        f"\n{click.style('Where to look next', bold=True)}\n"
        f"  {headgate} rollout status {ENDPOINT} --home {home}\n"
        f"  {headgate} audit list --home {home}               who did what, and why\n"
        f"  {home}/lake                                     the journal as Delta tables"
    )
