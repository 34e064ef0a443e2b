"""Runs in words, for terminals."""

from collections.abc import Sequence

from headgate.alerts.told import moment
from headgate.retraining.ports import Progress
from headgate.retraining.run import Run


def told(run: Run) -> str:
    """One line of a run.

    >>> from headgate.retraining.run import Firing, Outcome, Source
    >>> from headgate.vocabulary import Micros
    >>> fired = Firing(at=Micros(0), source=Source.ALARM, why="risk: too many are wrong")
    >>> run = Run(endpoint="late", number=2, fired=Micros(0), firings=(fired,), champion="late:1")
    >>> told(run)
    'late run 2 fired: risk: too many are wrong'
    >>> told(run.end(Outcome.FAILED, Micros(1), "the recipe: it raised ValueError"))
    'late run 2 failed: the recipe: it raised ValueError'
    """
    state = run.outcome.value if run.outcome is not None else run.stage.value
    made = f" {run.challenger}" if run.challenger else ""
    return f"{run.endpoint} run {run.number} {state.replace('_', ' ')}{made}: {run.why or _last(run)}"


def run_text(run: Run, progress: Progress | None = None) -> str:
    """All of a run: why it began, every stage, and how far its recipe is."""
    lines = [told(run), ""]
    lines += [f"fired      {moment(each.at)}  {each.source.value}, by {each.who}: {each.why}" for each in run.firings]
    lines += [f"{each.stage.value:<11}{moment(each.at)}  {each.why}" for each in run.history]
    if progress is not None and not run.ended:
        lines.append(f"recipe     {progress.doing.value}, {progress.done:.0%} {progress.step}".rstrip())
    if run.cut is not None:
        cut = run.cut
        world = "" if cut.change is None else f"; the world changed about {moment(cut.change)}"
        lines.append(f"learned from {cut.rows:,} rows ({cut.original_rows:,} first ones), {cut.digest}{world}")
    if run.proof is not None:
        lines.append(f"proved on  {run.proof.rows:,} rows: {run.proof.why}. {run.proof.error_rate}".rstrip())
    if run.probed is not None:
        lines.append(f"probation  {run.probed.rows:,} inputs beside {run.champion}: {run.probed.why}")
    return "\n".join(lines)


def runs_text(runs: Sequence[Run]) -> str:
    """A line of each, the newest first."""
    if not runs:
        return "no run has begun; `headgate retrain ENDPOINT` begins one"
    return "\n".join(f"{moment(each.fired)}  {told(each)}" for each in reversed(runs))


def _last(run: Run) -> str:
    return run.history[-1].why if run.history else run.firings[0].why
