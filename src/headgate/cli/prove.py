"""``headgate prove``: hold a version against the one it may replace."""

from pathlib import Path

import click
import msgspec
import pyarrow.parquet as pq

from headgate.app.facade import open_home
from headgate.cli.files import write_file
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import BadInput, GateFailed
from headgate.retraining.proof.ask import INPUT_ID
from headgate.retraining.proof.report import as_markdown, as_page, as_text, headline
from headgate.retraining.proof.terms import Terms
from headgate.vocabulary import DAY, Micros


@click.command("prove")
@click.argument("challenger")
@click.option("--against", metavar="VERSION", help="Version it may replace; by default the endpoint's, or @champion.")
@click.option("--rows", type=click.Path(path_type=Path), metavar="FILE", help="Labelled rows neither was fitted on.")
@click.option("--endpoint", help="Take the rows that have matured from this endpoint's journal.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="Of the endpoint's last days.")
@click.option(
    "--learned", type=click.Path(path_type=Path), metavar="FILE", help="Parquet file of what it learned from."
)
@click.option("--metric", default="", help="By which they are compared; Brier's score, accuracy or MAE by default.")
@click.option("--margin", type=click.FloatRange(min=0), help="How much worse is not yet worse, in the metric's unit.")
@click.option("--slice", "slices", multiple=True, help="Field whose values must not be harmed; may be repeated.")
@click.option("--gate", "gates", multiple=True, help='A sentence such as "auc >= 0.65"; may be repeated.')
@click.option("--golden", multiple=True, help="File of fixed rows with labels; may be repeated.")
@click.option("--fair", multiple=True, help="Field whose groups must be treated alike; may be repeated.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a report: FILE.md or FILE.html.")
@project_option
@home_option
@store_option
@json_option
def command(
    *,
    challenger: str,
    against: str | None,
    rows: Path | None,
    endpoint: str | None,
    days: int,
    learned: Path | None,
    metric: str,
    margin: float | None,
    slices: tuple[str, ...],
    gates: tuple[str, ...],
    golden: tuple[str, ...],
    fair: tuple[str, ...],
    report: Path | None,
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Hold a version against the one it may replace, and say whether it may.

    On the same rows, which the challenger has not learned from: that it is no worse by the margin, within slices and
    on golden sets too; calibration, latency, size, contract, groups, and rows with values missing or a little off.
    VERSION is name, name:3 or name@alias. The exit code is 6 when it may not; that outcome is recorded all the same.
    """
    terms = Terms(metric=metric, slices=slices, gates=gates, golden=golden, fairness=fair)
    if margin is not None:
        terms = msgspec.structs.replace(terms, margin=margin, margin_share=0.0)
    with open_home(home, store=store, project=project) as hg:
        proving = hg.proving
        proof = proving.prove(
            challenger,
            against=against,
            rows=rows,
            endpoint=endpoint,
            since=Micros(proving.clock.now() - days * DAY),
            terms=terms,
            learned=_learned(learned),
        )
    if report is not None:
        write_file(report, as_page(proof) if report.suffix == ".html" else as_markdown(proof), "--report")
    click.echo(msgspec.json.encode(proof).decode() if as_json else as_text(proof))
    if not proof.may_promote:
        raise GateFailed(headline(proof))


def _learned(path: Path | None) -> frozenset[str]:
    """Input ids of a training set."""
    if path is None:
        return frozenset()
    if INPUT_ID not in pq.read_schema(path).names:
        raise BadInput(
            "--learned", "missing", f"the file has no column {INPUT_ID}; give rows.parquet of a training set"
        )
    return frozenset(each for each in pq.read_table(path, columns=[INPUT_ID])[INPUT_ID].to_pylist() if each)
