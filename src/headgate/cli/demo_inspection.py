"""``headgate demo inspection``: watch a model take over from a person, and a worse one fail to take over from it."""

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from headgate.cli.called import called
from headgate.cli.options import demo_options
from headgate.demo.inspection.material import drawn_material, folder_material
from headgate.demo.inspection.plans import ENDPOINT
from headgate.demo.inspection.story import SEED, Act, Outcome, tell
from headgate.demo.inspection.told import as_json
from headgate.evaluation.table import table
from headgate.rollouts.comparison.text import as_text
from headgate.rollouts.comparison.values import Right
from headgate.rollouts.comparison.words import figure, percent, share


@click.command("inspection")
@demo_options(home="headgate-demo-inspection", quick="A third of the phones, in under a minute.")
@click.option(
    "--images",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Pictures to inspect, one sub-folder for each class, instead of those the demo draws.",
)
def command(*, home: Path, images: Path | None, quick: bool, as_json_: bool) -> None:
    """Watch a model take over from a person who inspects phones, and a worse one fail to take over from it.

    People decide on every phone while a model looks on and nobody hears it. Once it has proved to be no worse than they
    are, it decides on 5 % of the phones, then on more, then on all. Then comes a version that was taught by day: it
    passes its gate, and is gone before it has decided on a single phone. Surfaces are drawn, people simulated.
    """
    console = Console(stderr=as_json_)
    material = drawn_material(SEED) if images is None else folder_material(images, SEED)

    def said(line: str) -> None:
        console.print(f"[bold]•[/] {escape(line)}", highlight=False, soft_wrap=True)

    outcome = tell(home, material, quick=quick, said=said)
    if as_json_:
        click.echo(as_json(outcome))
    else:
        _show(outcome)


def _show(outcome: Outcome) -> None:
    first, tally, headgate = outcome.acts[0], outcome.tally, called()
    click.echo(f"\n{_deciders(outcome)}\n\n{_acts(outcome)}\n\nThe report of the first act, also in {first.page}\n")
    click.echo(as_text(first.comparison))
    click.echo(
        f"\n{tally.asked:,} phones, {tally.failed:,} failed; {tally.labels:,} truths from the laboratory, "
        f"{tally.second_looks:,} second looks, {tally.audits:,} audits. Took {outcome.seconds:.0f} s.\n"
        f"Pictures: {outcome.material}. The people are simulated.\n\n"
        f"Where to look next\n"
        + "".join(f"  {each.page}  {_title(each)}\n" for each in outcome.acts)
        + f"  {headgate} rollout status {ENDPOINT} --home {outcome.home}\n"
        f"  {headgate} report {ENDPOINT} --home {outcome.home}"
    )


def _deciders(outcome: Outcome) -> str:
    rows = [
        (who, f"{each.pieces:,}", f"{each.wrong:,}", share(each.wrong, each.pieces))
        for who, each in outcome.tally.decided.items()
        if each.pieces
    ]
    return table(("who decided", "phones", "wrong", "share wrong"), rows)


def _acts(outcome: Outcome) -> str:
    rows = []
    for act in outcome.acts:
        right, phase = act.comparison.judged, str(act.rollout.state.phase).replace("_", " ")
        errors = (right.live_error, right.candidate_error) if isinstance(right, Right) else (None, None)
        shown = ["-" if each is None else percent(each) for each in errors]
        rows.append((_title(act), phase, figure(act.comparison.agreement, percent), *shown, f"{act.touched:,}"))
    return table(("rollout", "verdict", "agreement", "they err", "it errs", "touched"), rows, left=2)


def _title(act: Act) -> str:
    return f"{act.rollout.plan.candidate} beside {act.comparison.live.name}"
