"""Rollouts on a terminal: what is said of a measurement that is broken, whole or in part, and of who answers."""

import msgspec

from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guard
from headgate.rollouts.judge import Judged, Judgement, Source
from headgate.rollouts.plan import Analysis, Plan, SetWeight, Shadow
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Move
from headgate.rollouts.status import RolloutStatus
from headgate.rollouts.text import status_text, told
from headgate.vocabulary import Micros, Verdict

ASKED = Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query="SELECT 1", cap=1.0, dry_run=True)
GUARDS = (usual_guard(Measure.ERRORS), ASKED)
PLAN = Plan(endpoint="late", candidate="late:2", steps=(Shadow(1.0), Analysis()), guards=GUARDS)


def shown(judgement: Judgement) -> str:
    rollout = Rollout(plan=PLAN, live="late:1", started=Micros(0), number=1)
    return status_text(RolloutStatus(rollout=rollout, state=rollout.state, judgement=judgement, now=Micros(0)))


def judged(guard: Guard, verdict: Verdict, why: str = "") -> Judged:
    return Judged(
        metric=guard.metric,
        margin=guard.margin,
        source=Source.SHADOW,
        verdict=verdict,
        dry_run=guard.dry_run,
        rows=3,
        live=None,
        candidate=None,
        p_worse=1.0,
        p_fine=1.0,
        why=why,
    )


def test_where_nothing_was_measured_no_threshold_is_shown() -> None:
    text = shown(Judgement(verdict=Verdict.BROKEN, why="the journal is damaged"))
    assert "verdict broken: the journal is damaged" in text
    assert "rolls back where" not in text


def test_a_guard_that_cannot_be_measured_says_why_once() -> None:
    lines = judged(PLAN.guards[0], Verdict.UNDECIDED), judged(ASKED, Verdict.BROKEN, "query: no such column")
    text = shown(Judgement(verdict=Verdict.UNDECIDED, guards=lines))
    assert "rolls back where p(no worse) <= 0.01," in text
    assert "(broken)" in text
    assert "  sql cannot be measured: query: no such column" in text
    reason = "sql cannot be measured: query: no such column"
    assert shown(Judgement(verdict=Verdict.BROKEN, guards=lines, why=reason)).count(reason) == 1


def test_who_answers_unseen_changes_with_who_has_the_callers() -> None:
    plan = msgspec.structs.replace(PLAN, steps=(Shadow(0.5), SetWeight(1.0)))
    rollout = Rollout(plan=plan, live="late:1", started=Micros(0), number=1)
    assert "late:2 has 0 % of the callers, and shadows 50 % unseen" in told(rollout)
    switched = told(rollout.after(Move(Action.STEP, Micros(1), "on")))
    assert "late:2 has 100 % of the callers, of which the live version answers 50 % unseen" in switched
