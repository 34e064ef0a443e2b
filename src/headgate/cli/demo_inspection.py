"""``headgate demo inspection``: watch a model take over from a person, and a worse one fail to take over from it."""

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from headgate.demo.inspection.material import drawn_material, folder_material
from headgate.demo.inspection.plans import ENDPOINT
from headgate.demo.inspection.story import SEED, Act, Outcome, tell
from headgate.demo.inspection.told import as_json
from headgate.rollouts.comparison.text import as_text
from headgate.rollouts.comparison.values import Right
from headgate.rollouts.comparison.words import figure, percent, share
from headgate.rollouts.state import Phase


@click.command("inspection")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default="headgate-inspection",
    show_default=True,
    help="Directory to work in; an earlier demo's is replaced.",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Pictures to inspect, one sub-folder for each class, instead of those the demo draws.",
)
@click.option("--quick", is_flag=True, help="A third of the phones, in under a minute.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object for programs.")
def command(*, home: Path, images: Path | None, quick: bool, as_json_: bool) -> None:
    """Watch a model take over from a person who inspects phones, and a worse one fail to take over from it.

    People decide on every phone while a model looks on and nobody hears it. Once it has proved to be no worse than they
    are, it decides on 5 % of the phones, then on more, then on all. Then comes a version that was taught by day: it
    passes its gate, and is gone before it has decided on a single phone. Surfaces are drawn, people simulated.
    """
    console = Console(stderr=as_json_)
    material = drawn_material(SEED) if images is None else folder_material(images, SEED)

    def said(line: str) -> None:
        console.print(f"[bold]•[/] {escape(line)}", highlight=False)

    outcome = tell(home, material, quick=quick, said=said)
    if as_json_:
        click.echo(as_json(outcome))
    else:
        _show(console, outcome)


def _show(console: Console, outcome: Outcome) -> None:
    console.print()
    console.print(_deciders(outcome))
    console.print()
    console.print(_acts(outcome))
    first = outcome.acts[0]
    console.print(f"\n[bold]The report of the first act[/], also in {first.page}\n", highlight=False)
    click.echo(as_text(first.comparison))
    tally = outcome.tally
    console.print(
        f"\n{tally.asked:,} phones, {tally.failed:,} failed; {tally.labels:,} truths from the laboratory, "
        f"{tally.second_looks:,} second looks, {tally.audits:,} audits. Took {outcome.seconds:.0f} s.\n"
        f"Pictures: {escape(outcome.material)}. The people are simulated.\n\n"
        f"[bold]Where to look next[/]\n"
        + "".join(f"  {each.page}  {_title(each)}\n" for each in outcome.acts)
        + f"  headgate rollout status {ENDPOINT} --home {outcome.home}\n"
        f"  headgate report {ENDPOINT} --home {outcome.home}",
        highlight=False,
    )


def _deciders(outcome: Outcome) -> Table:
    table = _table("who decided", "phones", "wrong", "share wrong")
    for who, each in outcome.tally.decided.items():
        if each.pieces:
            table.add_row(who, f"{each.pieces:,}", f"{each.wrong:,}", share(each.wrong, each.pieces))
    return table


def _acts(outcome: Outcome) -> Table:
    table = _table("rollout", "verdict", "wrongly at most", "agreement", "errors before", "its errors", "touched")
    for act in outcome.acts:
        right, alpha = act.comparison.judged, act.rollout.plan.alpha
        promoted = act.rollout.state.phase is Phase.PROMOTED
        errors = (right.live_error, right.candidate_error) if isinstance(right, Right) else (None, None)
        table.add_row(
            _title(act),
            str(act.rollout.state.phase).replace("_", " "),
            percent(alpha.promote if promoted else alpha.roll_back),
            figure(act.comparison.agreement, percent),
            *("-" if each is None else percent(each) for each in errors),
            f"{act.touched:,}",
        )
    return table


def _title(act: Act) -> str:
    return f"{act.rollout.plan.candidate} beside {act.comparison.live.name}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first)
    for each in others:
        table.add_column(each, justify="right")
    return table
