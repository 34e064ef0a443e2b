"""``headgate init``: draft endpoint.yaml from a reference file."""

from collections.abc import Iterator
from pathlib import Path

import click

from headgate.app.drafts import Draft, draft
from headgate.cli.files import write_file
from headgate.cli.options import home_option, project_option
from headgate.errors import Conflict
from headgate.evaluation.table import table


@click.command("init")
@click.argument("reference", type=click.Path(path_type=Path))
@click.option("--endpoint", required=True, help="Name callers will use.")
@click.option("--model", required=True, help="Model that will answer: name, name:3 or name@champion.")
@click.option("--label", help="Column of the reference that holds the truth.")
@click.option(
    "--from",
    "others",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Take over SageMaker's constraints.json, or Evidently-style presets.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), default="endpoint.yaml", show_default=True, help="File to write."
)
@click.option("--force", is_flag=True, allow_from_autoenv=False, help="Replace the file if it is there.")
@project_option
@home_option
def command(
    *,
    reference: Path,
    endpoint: str,
    model: str,
    label: str | None,
    others: tuple[Path, ...],
    output: Path,
    force: bool,
    home: Path,
    project: str,
) -> None:
    """Draft endpoint.yaml from a reference file.

    REFERENCE is a .parquet, .csv or .arrow file of rows the model was fitted on. When the
    model is registered in the home already, the draft holds the fields the model reads and no other columns.

    Another monitor's file becomes rules of the contract and words under monitors; what became of each of its
    entries is printed.
    """
    if output.exists() and not force:
        raise Conflict(f"{output} is there already; say --force to replace it or --output to name another")
    found = draft(reference, endpoint=endpoint, model=model, label=label, home=home, project=project, others=others)
    write_file(output, found.text, "--output")
    for line in _accounts(found):
        click.echo(line)
    click.echo(f"wrote {output}: read it, correct ranges and units, then: headgate apply {output}")


def _accounts(found: Draft) -> Iterator[str]:
    """What became of every entry of each file."""
    for path, entries in found.entries:
        rows = [[each.became.value, each.key, each.says] for each in entries]
        yield table([f"{path}:", "", ""], rows, left=3)
        yield ""
