"""``headgate evaluate``: measure a version on labelled rows and judge its gates."""

from pathlib import Path
from typing import Final

import click

from headgate.app.facade import open_home
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import GateFailed
from headgate.evaluation.gates import Outcome
from headgate.evaluation.report import as_text
from headgate.registry.evaluate import Evaluated
from headgate.vocabulary import Task


@click.command("evaluate")
@click.argument("version")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--gate", "gates", multiple=True, help='A sentence such as "auc >= 0.65"; may be repeated.')
@click.option("--slice", "slices", multiple=True, help="Field to look at value by value; may be repeated.")
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    version: str,
    data: Path,
    gates: tuple[str, ...],
    slices: tuple[str, ...],
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Measure a version on labelled rows and judge its gates.

    VERSION is name, name:3 or name@alias; DATA a file of rows the model was not fitted on. The exit code is 6
    when a gate does not pass. A version takes traffic only once its latest evaluation passed.
    """
    with open_home(home, store=store, project=project) as hg:
        evaluated = hg.evaluate(version, data, gates=gates, slices=slices)
    click.echo(evaluated.evaluation.report.decode() if as_json else as_text(evaluated.report))
    if not evaluated.evaluation.passed:
        raise GateFailed(_advice(evaluated))


def _advice(evaluated: Evaluated) -> str:
    """What an evaluation that did not pass means for the version, and what to do."""
    version, report = evaluated.evaluation.version, evaluated.report
    if not report.gates:
        return (
            f"nothing was asked of {version}, so nothing is proved; add a gate such as --gate '{_EXAMPLE[report.task]}'"
        )
    if report.verdict is Outcome.FAILED:
        return f"{version} did not pass; it takes no traffic before an evaluation does"
    if any("champion" in each.gate for each in report.gates) and evaluated.champion is None:
        return (
            f"{version} has no champion to be compared with. Prove the first version by a number, "
            f"such as --gate '{_EXAMPLE[report.task]}', then: headgate alias {version} champion"
        )
    return f"{version} is undecided: give more labelled rows, or a gate these rows can answer"


_EXAMPLE: Final = {
    Task.BINARY: "auc >= 0.65",
    Task.MULTICLASS: "accuracy >= 0.65",
    Task.REGRESSION: "r2 >= 0.5",
    Task.TENSOR: "",
}
