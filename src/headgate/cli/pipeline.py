"""``headgate pipeline``: rows from their sources to a training set, a proved version and its rollout."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from headgate.app.facade import open_home
from headgate.cli.files import write_file
from headgate.cli.options import home_option, json_option, project_option, store_option
from headgate.errors import GateFailed, NotFound
from headgate.pipelines.export.targets import TARGETS
from headgate.pipelines.export.wished import Wished
from headgate.pipelines.pipelinefile import StepName, open_pipeline
from headgate.pipelines.quality import sentences
from headgate.pipelines.state import Ending, Run, StepState
from headgate.pipelines.text import markdown, plan_text, run_text, runs_text

STEP = click.Choice([each.value for each in StepName])


@click.group("pipeline")
def command() -> None:
    """Run a pipeline: sources, a check with quarantine, transforms, a training set, and what follows.

    FILE is a pipeline.yaml; `headgate pipeline run --help` and the like have the options of each.
    """


@command.command("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="pipeline.yaml")
@click.option("--run", "run_id", metavar="ID", help="Which run; without it the one that has not ended, or a new one.")
@click.option("--step", type=STEP, help="Do this step alone; those before it have been done.")
@click.option("--from", "since", type=STEP, help="Do this step and those after it again.")
@click.option("--fresh", is_flag=True, help="Begin a new run in any case.")
@click.option("--reload", multiple=True, metavar="SOURCE", help="Read all of this source anew; repeat for several.")
@project_option
@home_option
@store_option
@json_option
def run(
    *,
    file: Path,
    run_id: str | None,
    step: str | None,
    since: str | None,
    fresh: bool,
    reload: tuple[str, ...],
    project: str,
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Run it, or go on at the step that failed.

    Only what is new is read. A step that has been done is not done again, so an orchestrator may run steps one by one
    with the --run of its own and repeat any of them. The exit code is 6 when a gate failed: what is live stays so.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        open_home(home, store=store, project=project) as hg,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("", total=1.0)
        done = hg.pipelines.run(
            file,
            run=run_id,
            step=None if step is None else StepName(step),
            since=None if since is None else StepName(since),
            fresh=fresh,
            reload=reload,
            told=lambda what, share: bar.update(task, description=what, completed=share),
        )
    click.echo(msgspec.json.encode(done).decode() if as_json else run_text(done))
    _refuse_failed(done, step)


def _refuse_failed(done: Run, step: str | None) -> None:
    """A gate that failed ends the command that ran it, and no other."""
    if done.ending is Ending.GATE_FAILED and step in (None, StepName.GATE):
        raise GateFailed(f"run {done.id}: {done.step(StepName.GATE).why}; what is live stays so")


@command.command("plan")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="pipeline.yaml")
@project_option
@home_option
@store_option
def plan(*, file: Path, project: str, home: Path, store: str | None) -> None:
    """Show what a run would do; nothing is read or written."""
    with open_home(home, store=store, project=project) as hg:
        runs, state = hg.pipelines.runs(file), hg.pipelines.state(file)
    click.echo(plan_text(open_pipeline(file).said, state, runs[-1] if runs else None))


@command.command("status")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="pipeline.yaml")
@click.option("--run", "run_id", metavar="ID", help="Which run; without it the newest.")
@click.option("--report", is_flag=True, help="Print the run as Markdown, its proof included, for a pull request.")
@project_option
@home_option
@store_option
@json_option
def status(
    *, file: Path, run_id: str | None, report: bool, project: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Show its runs, what became of each step, and whether the data that came were whole."""
    with open_home(home, store=store, project=project) as hg:
        runs = [each for each in hg.pipelines.runs(file) if run_id in (None, each.id)]
        if run_id is not None and not runs:
            raise NotFound("run", run_id)
        quality = hg.pipelines.quality(file, runs[-1].id) if runs else []
        if report and runs:
            click.echo(markdown(runs[-1], quality, hg.pipelines.proof(file, runs[-1].id)))
            return
    if as_json:
        click.echo(msgspec.json.encode({"runs": runs, "quality": quality}).decode())
        return
    click.echo(runs_text(runs))
    if runs and runs[-1].step(StepName.CHECK).state is StepState.DONE:
        for each in quality:
            click.echo("\n".join(f"  {line}" for line in sentences(each)))


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="pipeline.yaml")
@click.option("--to", "target", required=True, type=click.Choice(sorted(TARGETS)), help="For whom.")
@click.option("--image", default="headgate", show_default=True, help="Container image with Headgate in it.")
@click.option("--volume", default="headgate-home", show_default=True, help="Kubernetes volume claim of the home.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead of printing it.")
@home_option
def export(*, file: Path, target: str, image: str, volume: str, out: Path | None, home: Path) -> None:
    """Print its definition for Kubeflow Pipelines, GitHub Actions, Airflow, Dagster or cron.

    Each step becomes the plain command that `headgate pipeline run --step` is, and all steps of one run share its id.
    """
    text = TARGETS[target](open_pipeline(file), Wished(str(file), str(home), image, volume))
    if out is None:
        click.echo(text, nl=False)
    else:
        write_file(out, text, "--out")
        click.echo(f"wrote {out}")
