"""Rollouts that decide by themselves, on real flights: a good version is promoted, one with a bug is rolled back.

Called by ``headgate demo rollouts``. Version 1 is the model of `story.py`. Version 2 reads the timetable, and is good.
Version 3 is version 2 with a bug that no check before serving can see: its training data was exported with
distances in kilometres, and so were the rows kept aside to judge it on; callers send miles. First a shadow stands
between it and them, then nothing does.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from headgate.app.facade import Headgate, open_home
from headgate.demo.account import Account, Act, Trained
from headgate.demo.flights import LABEL, Flights, load_flights
from headgate.demo.http import HttpPool
from headgate.demo.replay import Progress, Replay, Until
from headgate.demo.serving import Running, fresh_home, serving
from headgate.demo.story import CONNECTIONS, ENDPOINT, GATE, MODEL, Said, first_version
from headgate.demo.timetable import (
    KILOMETRES_PER_HOUR,
    MILES_PER_HOUR,
    fit_timetable,
    in_kilometres,
    squared_errors,
)
from headgate.demo.train import split, training_flights, with_label
from headgate.evidence.planning import mean_cost
from headgate.rollouts.comparison.words import moment
from headgate.rollouts.judge import deciding, judge, weigh
from headgate.rollouts.plan import Plan
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Phase
from headgate.rollouts.text import told
from headgate.vocabulary import DAY, HOUR, Micros

FITTED_UNTIL: Final = 3
"""The last month that later versions were trained on."""
BEGINS: Final = Micros(1_366_092_000_000_000)
"""2013-04-16T06:00:00Z, a day before the first act: that is what plans know of the endpoint's pace."""
LAST_MONTH: Final = 6
"""Acts are over long before; a rollout that is not by then is told as it stands."""
CANARY: Final = 0.25
"""The share with which callers meet a candidate first."""
STEP: Final = 2 * HOUR
QUICK_STEP: Final = 12 * HOUR
"""Of event time: so often everybody waits for everybody, and the evidence is looked at."""

MATURITY: Final = 12 * HOUR
"""After departure a label is due: by then nearly everybody has landed."""

ENDPOINT_YAML: Final = f"""
endpoint: {ENDPOINT}
model: {MODEL}:1
why: watch rollouts decide by themselves
journal: {{ack: durable}}
label_maturity: {MATURITY // HOUR}h
"""
UNSEEN: Final = """
- shadow: 100%
- analysis"""
PLAN: Final = """
endpoint: {endpoint}
candidate: {candidate}
why: {why}
steps:{unseen}
- set_weight: {canary:.0%}
- pause: 12h
- analysis
- set_weight: 50%
- pause: 12h
- analysis
guards:
- metric: errors
  margin: 2pt
- metric: calibration
  margin: 0.01
alpha: {{roll_back: 0.01, promote: 0.05}}
horizon: 60d
"""


def plan_text(candidate: str, why: str, *, shadow: bool) -> str:
    """The plan file of an act; without a `shadow` callers meet the candidate straight away."""
    unseen = UNSEEN if shadow else ""
    return PLAN.format(endpoint=ENDPOINT, candidate=candidate, why=why, unseen=unseen, canary=CANARY)


@dataclass(frozen=True, slots=True)
class Harm:
    """How much worse one version is than another on labelled flights; losses are squared errors of the probability."""

    live: float
    """Variance of the live version's loss."""
    candidate: float
    difference: float
    """By how much the candidate's mean loss is larger."""

    def found_after(self, plan: Plan, waiting: float) -> float:
        """Flights a candidate with that harm answers for callers until a guard of `plan` finds it, as foretold.

        `waiting` is how many flights are asked, of both, while the last labels are on their way.
        """
        alpha = plan.alpha.roll_back / deciding(plan)
        cost = mean_cost(
            live=self.live, candidate=self.candidate, difference=self.difference, share=CANARY, alpha=alpha
        )
        return cost.candidate_requests + CANARY * waiting


def harm_of(live: NDArray[np.float64], candidate: NDArray[np.float64]) -> Harm:
    """The harm seen in what two versions lost on the same flights.

    >>> harm = harm_of(np.array([0.0, 0.5]), np.array([0.25, 0.75]))
    >>> harm.live, harm.candidate, harm.difference
    (0.0625, 0.0625, 0.25)
    """
    return Harm(float(live.var()), float(candidate.var()), float((candidate - live).mean()))


def tell(root: Path, *, quick: bool, progress: Progress, said: Said) -> Account:
    """The whole demo of rollouts in directory `root`."""
    began = time.monotonic()
    home = fresh_home(root)
    said("reading the flights of 2013 and the weather of their hours")
    flights = load_flights()
    with open_home(home) as hg:
        versions, harm = _versions(hg, flights, said)
        hg.apply(ENDPOINT_YAML, why="the demo")
        later = flights.select((flights.at >= BEGINS) & (flights.month <= LAST_MONTH))
        with serving(home, home / "up.log") as running:
            stage = _Stage(hg, *_replay(running, later), QUICK_STEP if quick else STEP, progress, said)
            acts = _acts(stage, versions, harm)
    return Account(versions, acts, stage.replay.tally, time.monotonic() - began, home)


def _replay(running: Running, flights: Flights) -> tuple[HttpPool, HttpPool, Replay]:
    gateway = HttpPool("127.0.0.1", running.port, CONNECTIONS)
    control = HttpPool("127.0.0.1", running.control_port, 1)
    return gateway, control, Replay(gateway, control, ENDPOINT, flights)


def _acts(stage: "_Stage", versions: tuple[Trained, ...], harm: Harm) -> tuple[Act, ...]:
    _, better, wrong = (each.ref for each in versions)
    stage.said(f"serving {MODEL}:1; a day of flights follows, one request each")
    stage.run(lambda at: at >= BEGINS + DAY)
    good = plan_text(better, "it also reads the timetable", shadow=True)
    bad, straight = (plan_text(wrong, "it has seen a newer export", shadow=each) for each in (True, False))
    return (
        stage.play("good", "Act 1: a good new version is promoted by itself", good),
        stage.play("bug_behind_shadow", "Act 2: a version with a bug is rolled back, no caller ever heard it", bad),
        stage.play("bug_met_by_callers", "Act 2 again, without the shadow: callers meet the bug first", straight, harm),
    )


@dataclass(frozen=True, slots=True)
class _Stage:
    """An installation that serves, and the flights that are sent through it."""

    hg: Headgate
    gateway: HttpPool
    control: HttpPool
    replay: Replay
    step: int
    progress: Progress
    said: Said

    def play(self, name: str, title: str, plan: str, harm: Harm | None = None) -> Act:
        """Deploy what `plan` says and send flights until its rollout has ended, or waits for a person."""
        self.said(title)
        rollouts, tally = self.hg.rollouts, self.replay.tally
        foretold = rollouts.plan(plan)
        begun = self.hg.deploy(plan)
        candidate, asked = begun.plan.candidate, tally.requests
        answered, waiting = tally.versions[candidate], asked * (MATURITY + self.step / 2) / (begun.started - BEGINS)
        self.run(self._ended())
        rollout = self._newest()
        sample = rollouts.observe(rollout, rollout.moves[-1].at)
        return Act(
            name=name,
            title=title,
            rollout=rollout,
            judgement=judge(rollout.plan, rollout.state, weigh(rollout.plan, sample)),
            foretold=foretold,
            flights=tally.requests - asked,
            labels=int(sample.due_arms.answers.labelled.sum()),
            touched=tally.versions[candidate] - answered,
            fault_found=None if harm is None else harm.found_after(rollout.plan, waiting),
        )

    def run(self, until: Until) -> None:
        """Send flights as far as `until` wants it."""
        asyncio.run(self._run(until))

    async def _run(self, until: Until) -> None:
        # Connections of their own for each run: between runs they would be idle until a server closes them.
        async with self.gateway, self.control:
            await self.replay.settle()
            await self.replay.run(self.step, self.progress, until)

    def _ended(self) -> Until:
        """Whether the newest rollout goes on no more; says on the way what moved it."""
        moves = 0

        def ended(at: Micros) -> bool:
            nonlocal moves
            rollout = self._newest()
            if len(rollout.moves) > moves:
                self.said(f"{moment(at)}  {told(rollout)}")
            moves = len(rollout.moves)
            return rollout.state.phase is not Phase.PROGRESSING

        return ended

    def _newest(self) -> Rollout:
        return self.hg.rollouts.history(ENDPOINT)[-1]


def _versions(hg: Headgate, flights: Flights, said: Said) -> tuple[tuple[Trained, ...], Harm]:
    """Three versions, each with a passing evaluation, and the harm the third would have done in the week before."""
    said("training version 1 on January and February")
    _, auc = first_version(hg, flights)
    first = Trained(f"{MODEL}:1", "trained on January and February", auc)
    fit_on, aside = split(training_flights(flights, FITTED_UNTIL))
    said("training version 2 on January to March, with the slack of the timetable")
    second, good = _version(hg, fit_on, aside, MILES_PER_HOUR, "trained on January to March, reads the timetable")
    said("training version 3 like version 2, on an export with distances in kilometres")
    export = in_kilometres(fit_on), in_kilometres(aside)
    third, bad = _version(hg, *export, KILOMETRES_PER_HOUR, "like version 2, but reads distances as kilometres")
    lately = flights.select((flights.at >= BEGINS - 7 * DAY) & (flights.at < BEGINS) & ~np.isnan(flights.late))
    return (first, second, third), harm_of(squared_errors(good, lately), squared_errors(bad, lately))


def _version(hg: Headgate, fit_on: Flights, aside: Flights, per_hour: float, says: str) -> tuple[Trained, Pipeline]:
    """The next version, under the contract of the first, with its evaluation on `aside`."""
    first, reference = hg.registry.resolve(f"{MODEL}:1"), with_label(fit_on)
    model = fit_timetable(reference, per_hour)
    version = hg.register(
        MODEL,
        model,
        reference=reference,
        label=LABEL,
        contract=hg.registry.package(first).contract,
        parent=first.ref,
        code="headgate.demo.timetable",
        why=says,
    ).version
    estimates = hg.evaluate(version.ref, with_label(aside), gates=[GATE]).report.estimates
    return Trained(version.ref, says, estimates["auc"].value), model
