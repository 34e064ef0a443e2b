"""Rollouts as people read them on a terminal; called by the command line and, for one line, by the history."""

import math
from collections.abc import Iterator

from headgate.evaluation.table import table
from headgate.rollouts.comparison.words import moment
from headgate.rollouts.foretell import Foretold, GuardForetold
from headgate.rollouts.guards import Margin, Measure
from headgate.rollouts.judge import Judged, Judgement, deciding
from headgate.rollouts.plan import Analysis, Approve, Assist, Partial, Pause, Plan, SetWeight, Shadow, Step
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import State
from headgate.rollouts.status import RolloutStatus
from headgate.vocabulary import SECOND

_SHARES = (Measure.ERRORS, Measure.ACCURACY, Measure.AGREEMENT, Measure.RISK)
_BUDGET = "the year's budget leaves no more"
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def told(rollout: Rollout) -> str:
    """Where a rollout stands, in a line.

    >>> plan = Plan(endpoint="late", candidate="m:2", steps=(SetWeight(0.05), Analysis()))
    >>> told(Rollout(plan=plan, live="m:1", started=0))
    'progressing, step 1 of 2: m:2 has 5 % of the callers'
    """
    state, steps = rollout.state, len(rollout.plan.steps)
    where = "" if state.ended else f", step {min(state.step + 1, steps)} of {steps}"
    return f"{state.phase}{where}: {_has(rollout.plan, state)}"


def status_text(status: RolloutStatus) -> str:
    """A rollout for a terminal: where it stands, its steps, its guards and its history."""
    return "\n".join(_status(status))


def foretold_text(foretold: Foretold) -> str:
    """What a plan would do, step by step, before anything moves."""
    rows = [
        [
            str(place),
            each.says,
            f"{each.weight * 100:g} %",
            each.waits_for or "-",
            "-" if each.inputs is None else _count(each.inputs),
            "-" if each.seconds is None else span(each.seconds),
        ]
        for place, each in enumerate(foretold.steps, 1)
    ]
    head = ["step", "what it does", "callers", "waits longest for", "rows", "time"]
    lines = [table(head, rows, left=4), ""]
    time = "unknown, for lack of traffic" if foretold.seconds is None else f"about {span(foretold.seconds)}"
    lines.append(
        f"In all {_count(foretold.inputs)} rows, of which the candidate answers {_count(foretold.candidate_inputs)} "
        f"for callers; time: {time}."
    )
    lines.append("If the candidate is as good as the live version; a worse one is found sooner, the worse it is.")
    if foretold.guards:
        lines += ["", _alphas(foretold), *map(_foretold_guard, foretold.guards)]
    return "\n".join(lines)


def step_text(step: Step) -> str:
    """A step as the plan file spells it.

    >>> step_text(SetWeight(0.05)), step_text(Pause(10 * 60 * SECOND)), step_text(Analysis())
    ('set_weight: 5%', 'pause: 10 min', 'analysis')
    """
    match step:
        case Shadow(share=share):
            return f"shadow: {share * 100:g}%"
        case SetWeight(weight=weight):
            return f"set_weight: {weight * 100:g}%"
        case Pause(length=length):
            return f"pause: {span(length / SECOND)}"
        case Approve(note=note):
            return f"approve{': ' if note else ''}{note}"
        case Analysis():
            return "analysis"
        case Assist():
            return "assist"
        case Partial(risk=risk):
            return f"partial: {risk * 100:g}%"


def span(seconds: float) -> str:
    """A length of time to two figures that matter.

    >>> span(90), span(7200), span(93600), span(0.4)
    ('1 min 30 s', '2 h', '1 d 2 h', '0 s')
    """
    left = round(seconds)
    parts: list[str] = []
    for length, unit in _SPANS:
        if left >= length and len(parts) < 2:
            parts.append(f"{left // length} {unit}")
            left %= length
        elif parts:
            break
    return " ".join(parts) or "0 s"


def _alphas(foretold: Foretold) -> str:
    alpha, each = foretold.alpha, foretold.roll_back_each
    shared = "" if each == alpha.roll_back else f" ({each:.2g} for each guard and source)"
    less = "" if alpha == foretold.asked else f"; the plan asks for {foretold.asked.promote:g}, {_BUDGET}"
    return f"alpha: roll_back {alpha.roll_back:g}{shared}, promote {alpha.promote:g}{less}"


def _foretold_guard(guard: GuardForetold) -> str:
    less = "" if guard.margin == guard.asked else f"; the plan asks for {_margin(guard.asked)}, {_BUDGET}"
    idle = "; dry run, it decides nothing" if guard.dry_run else ""
    where = ", ".join(guard.sources)
    return f"guard: {_named(guard.metric, guard.by)} ({where}), margin {_margin(guard.margin)}{less}{idle}"


def _status(status: RolloutStatus) -> Iterator[str]:
    rollout, state = status.rollout, status.state
    plan = rollout.plan
    versions = f"{rollout.live} -> {plan.candidate}"
    yield f"rollout {rollout.number} of {plan.endpoint}: {versions}, begun {moment(rollout.started)}"
    if plan.why:
        yield f"  why: {plan.why}"
    yield f"  {told(rollout)}"
    if state.why:
        yield f"  {state.why}"
    yield ""
    for place, step in enumerate(plan.steps):
        yield f"  {_mark(place, state)} {step_text(step)}"
    if status.judgement is not None and plan.guards:
        yield ""
        yield from _judgement(plan, status.judgement)
    if rollout.moves:
        yield ""
        yield "history"
        yield from (f"  {moment(each.at)}  {each.action:<9}  {each.why}" for each in rollout.moves)


def _judgement(plan: Plan, judgement: Judgement) -> Iterator[str]:
    alpha = plan.alpha
    reason = f": {judgement.why}" if judgement.why else ""
    yield f"verdict {judgement.verdict}{reason}"
    if not judgement.guards:
        return
    backs, goes = f"{alpha.roll_back / deciding(plan):.2g}", f"{alpha.promote:g}"
    yield f"  rolls back where p(no worse) <= {backs}, goes on where p(worse by the margin) <= {goes}"
    head = ["guard", "from", "margin", "rows", "live", "candidate", "p no worse", "p worse", "verdict"]
    yield table(head, [_guard(each) for each in judgement.guards], left=3)
    for each in judgement.guards:
        if each.why and each.why not in judgement.why:
            yield f"  {_named(each.metric, each.by)} cannot be measured: {each.why}"


def _guard(judged: Judged) -> list[str]:
    verdict = f"({judged.verdict})" if judged.dry_run else str(judged.verdict)
    figures = [_figure(judged.metric, each) for each in (judged.live, judged.candidate)]
    values = [_p(judged.p_worse), _p(judged.p_fine)]
    name, margin = _named(judged.metric, judged.by), _margin(judged.margin)
    return [name, judged.source, margin, f"{judged.rows:,}", *figures, *values, verdict]


def _named(metric: Measure, by: str | None) -> str:
    return f"{metric} by {by}" if by else str(metric)


def _margin(margin: Margin) -> str:
    return f"{margin.value:g}{margin.unit}"


def _figure(metric: Measure, value: float | None) -> str:
    if value is None:
        return "-"
    if metric is Measure.LATENCY:
        return f"{value / 1000:.2f} ms"
    return f"{value * 100:.2f} %" if metric in _SHARES else f"{value:.4g}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def _has(plan: Plan, state: State) -> str:
    if plan.people:
        return _takes_over(plan, state)
    unseen = "and shadows" if state.weight < 1.0 else "of which the live version answers"
    shadow = f", {unseen} {state.shadow * 100:g} % unseen" if state.shadow else ""
    return f"{plan.candidate} has {state.weight * 100:g} % of the callers{shadow}"


def _takes_over(plan: Plan, state: State) -> str:
    """What a candidate has of people's work."""
    shown = ", and is shown to them" if state.suggests and not state.ended else ""
    if state.confidence:
        return f"{plan.candidate} decides where it is at least {state.confidence:.4g} sure, people the rest{shown}"
    return f"{plan.candidate} decides {state.weight * 100:g} %, people the rest{shown}"


def _mark(place: int, state: State) -> str:
    if place < state.step:
        return "done"
    return "now ->" if place == state.step and not state.ended else "    "


def _count(rows: float) -> str:
    return "endless" if math.isinf(rows) else f"{round(rows):,}"
