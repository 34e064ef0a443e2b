"""Closes the loop: observe, decide, apply once, for every endpoint whose file says how its model learns again.

A loop of its own, since cutting and proving take their time. Each stage of a run is asked of its port, what that came
to is decided on purely, and the run is kept in its next stage if nobody kept another meanwhile. Ports do what was done
already no second time, so whoever is killed at any moment leaves nothing that whoever comes after does not go on with.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from headgate.clock import Clock
from headgate.errors import Conflict, HeadgateError, PassingError
from headgate.events import Event, EventKind
from headgate.retraining.decide import (
    TAKE_BACK,
    Refused,
    Registered,
    Said,
    asked_again,
    asks_again,
    begins,
    decide,
    superseded,
)
from headgate.retraining.ports import Doing, Parts
from headgate.retraining.proof.probation import probation_of
from headgate.retraining.run import STAGES, Firing, Outcome, Run, RunStore, Source, Stage
from headgate.retraining.trigger import Facts
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import RetrainingWords
from headgate.vocabulary import Micros

log = logging.getLogger("headgate.controller")

Where = tuple[str, str]
"""Project and name of an endpoint."""
REST: Final = 2.0
"""Seconds between two looks at an endpoint where nothing moves."""
LONG_REST: Final = 30.0
"""The same after a try that failed and may help again."""
WAIT: Final = 0.05
"""Seconds between two looks at a recipe that is waited for."""
LONGEST: Final = 24 * 3600.0
"""Seconds after which a recipe is not waited for any more; its own limits end it long before."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is looked at comes from."""

    endpoints: Callable[[], Sequence[EndpointSpec]]
    live: Callable[[EndpointSpec], str]
    """The version that its file gives an endpoint to, ``model:number``."""
    facts: Callable[[EndpointSpec, Sequence[Run], Micros], Facts]
    """What is known of it beside its earlier runs."""


class Retraining:
    """The runs of an installation, a turn at a time; turns of several threads wait for each other."""

    def __init__(
        self,
        sources: Sources,
        runs: RunStore,
        parts: Callable[[str], Parts],
        clock: Clock,
        *,
        moved: Callable[[], object] = lambda: None,
    ) -> None:
        """`parts` are those of a project; `moved` is called to publish that a run has changed who answers."""
        self._sources = sources
        self._runs = runs
        self._parts = parts
        self._clock = clock
        self._moved = moved
        self._lock = threading.Lock()
        self._rests: dict[Where, float] = {}
        """Until when an endpoint is left alone, on the scale of `monotonic`."""

    def turn(self, *, at_once: bool = False, only: Where | None = None, begins: bool = False) -> list[Run]:
        """Look at every endpoint whose time has come; returns the runs that moved.

        `at_once` looks at all of them, and waits for what learns: so a replay tells the same story at any speed.
        `only` looks at one, and where it `begins` no further than that a run has begun. An endpoint that cannot be
        looked at is logged, and looked at again after a rest.
        """
        with self._lock:
            moved = []
            for spec in self._sources.endpoints():
                where = spec.project, spec.endpoint
                if spec.retraining is None or only not in (None, where):
                    continue
                if at_once or only or monotonic() >= self._rests.get(where, 0.0):
                    moved += self._looked(where, waits=at_once, once=begins)
            return moved

    def _looked(self, where: Where, *, waits: bool, once: bool) -> list[Run]:
        moved = list[Run]()
        self._rests[where] = monotonic() + REST
        try:
            while (after := self._look(where, waits=waits)) is not None:
                moved.append(after)
                if once or _is_watched(after):
                    break
        except Conflict as error:  # somebody moved it between our look and our write; the next turn sees what they did
            log.info("%s", error)
        except HeadgateError as error:
            log.warning("%s/%s does not learn now: %s", *where, error)
            self._rests[where] = monotonic() + LONG_REST
        except Exception:  # one endpoint's trouble must not hold up those behind it
            log.exception("the retraining of %s/%s could not be looked at", *where)
            self._rests[where] = monotonic() + LONG_REST
        return moved

    def _look(self, where: Where, *, waits: bool) -> Run | None:
        """One step of the endpoint's run, or its beginning; None where there is nothing to do."""
        spec = next((each for each in self._sources.endpoints() if (each.project, each.endpoint) == where), None)
        if spec is None or spec.retraining is None:
            return None
        now, runs = self._clock.now(), self._runs.runs(*where)
        if not runs or runs[-1].ended:
            return self._begun(spec, spec.retraining, runs, now)
        run = self._noted(runs[-1], runs[:-1])
        after = self._from_outside(run, spec, now)
        if after is None and run.stage is Stage.FIRED:
            after = run.to(Stage.CUTTING, now, run.firings[0].why, run.firings[0].who)
        if after is None:
            said = self._asked(run, spec, now, waits=waits)
            after = decide(run, said, now)
            if isinstance(said, Refused) and after is run:
                self._rests[where] = monotonic() + LONG_REST
                log.warning("run %s is tried again: %s", run.id, said.why)
        return self._kept(run, after)

    def _begun(self, spec: EndpointSpec, words: RetrainingWords, runs: Sequence[Run], now: Micros) -> Run | None:
        """A run for the reasons there are, or the last one asked again."""
        facts = self._sources.facts(spec, runs, now)
        found = begins(words, facts)
        if found.firings and not found.held:
            first = found.firings[0]
            run = Run(
                project=spec.project,
                endpoint=spec.endpoint,
                number=runs[-1].number + 1 if runs else 1,
                fired=now,
                firings=found.firings,
                champion=facts.live,
                entered=now,
            )
            return self._runs.add_run(run, _event(run, first.why, first.who))
        if not runs or not asks_again(runs[-1], facts.live, now):
            return None
        last, parts = runs[-1], self._parts(spec.project)
        late = parts.prober.probe(last, spec, now) if last.promoted else parts.prover.known(last, spec, now)
        return self._kept(last, asked_again(last, late, now))

    def _noted(self, run: Run, earlier: Sequence[Run]) -> Run:
        """The run with what was said while it was not proved yet; news of data only until they are cut."""
        if STAGES.index(run.stage) >= STAGES.index(Stage.PROVING):
            return run
        known = {firing.key for each in (*earlier, run) for firing in each.firings}
        since = earlier[-1].fired if earlier else Micros(-1)
        new = [
            Firing(at=each.at, source=each.source, why=each.why, who=each.who, key=each.key)
            for each in self._runs.calls(run.project, run.endpoint, since)
            if each.key not in known and (each.source is not Source.DATA or run.cut is None)
        ]
        if not new:
            return run
        after = run.with_(firings=(*run.firings, *new))
        self._runs.keep_run(after, run.revision)
        return after

    def _from_outside(self, run: Run, spec: EndpointSpec, now: Micros) -> Run | None:
        """The run as somebody ended it, or changed who answers; None where nobody did."""
        if run.cancelled:
            parts = self._parts(run.project)
            parts.learner.cancel(run)
            if run.stage is Stage.ROLLING_OUT:
                parts.roller.abort(run, run.cancelled)
                self._moved()
            return run.end(Outcome.CANCELLED, now, run.cancelled)
        live = self._sources.live(spec)
        if run.stage is Stage.ROLLING_OUT and (run.rollout is not None or live == run.challenger):
            return None  # it is its rollout that says who owns the endpoint, whether or not that was noted
        after = superseded(run, live, now)
        if after is not None:
            self._parts(run.project).learner.cancel(run)
        return after

    def _asked(self, run: Run, spec: EndpointSpec, now: Micros, *, waits: bool) -> Said:
        """What the stage of `run` comes to."""
        try:
            return self._said(run, spec, now, waits=waits)
        except Conflict as error:
            return Refused(str(error), passing=True)
        except HeadgateError as error:
            return Refused(str(error), passing=isinstance(error, PassingError))
        except Exception as error:  # a full disk may be emptied; whatever else it is, the run has to end with a reason
            log.exception("run %s cannot go on", run.id)
            return Refused(f"{type(error).__name__} while it was {run.stage.value}: {error}", passing=True)

    def _said(self, run: Run, spec: EndpointSpec, now: Micros, *, waits: bool) -> Said:
        parts = self._parts(run.project)
        match run.stage:
            case Stage.CUTTING:
                return self._cutting(run, spec, now)
            case Stage.LEARNING:
                return self._learning(run, spec, waits=waits)
            case Stage.REGISTERING:
                return Registered(parts.registrar.register(run, spec))
            case Stage.PROVING:
                return parts.prover.prove(run, spec)
            case Stage.ROLLING_OUT:
                return parts.roller.roll_out(run, spec)
            case _:
                if run.probed is not None and run.probed.verdict == TAKE_BACK:
                    parts.roller.take_back(run, run.probed.why)
                    self._moved()
                    return run.probed
                parts.roller.settle(run, f"run {run.number} was promoted")
                if run.probed is not None and now < probation_of(run, spec).next_look(run.probed.at):
                    return run.probed
                return parts.prober.probe(run, spec, now)

    def _cutting(self, run: Run, spec: EndpointSpec, now: Micros) -> Said:
        """What cutting comes to; the recipe's process begins beside it, for it takes seconds before it learns."""
        parts = self._parts(run.project)
        try:
            return parts.cutter.cut(run, spec, now, lambda: parts.learner.prepare(run, spec))
        except PassingError:
            raise
        except HeadgateError:
            parts.learner.cancel(run)
            raise

    def _learning(self, run: Run, spec: EndpointSpec, *, waits: bool) -> Said:
        learner, deadline = self._parts(run.project).learner, monotonic() + LONGEST
        said = learner.learn(run, spec)
        while waits and said.doing is Doing.RUNNING and monotonic() < deadline:
            time.sleep(WAIT)
            said = learner.learn(run, spec)
        return said

    def _kept(self, before: Run, after: Run) -> Run | None:
        """`after` in place of `before`; None where they are the same."""
        if after is before:
            return None
        stepped = after.stage is not before.stage
        last = after.history[-1] if stepped else None
        # Several revisions may have been counted on the way; it is the one kept before that must still be there.
        event = None if last is None else _event(after, last.why, last.who, before)
        self._runs.keep_run(after, before.revision, event)
        if stepped:
            log.info("run %s is %s: %s", after.id, after.outcome or after.stage, after.history[-1].why)
        if after.rollout != before.rollout or (stepped and Stage.PROBATION in (before.stage, after.stage)):
            self._moved()  # who begins to answer, and who is its shadow from now on, or no longer
        return after


def _is_watched(run: Run) -> bool:
    """Whether it was looked at in its probation and stays there: labels still to come say more, nothing else does."""
    return run.stage is Stage.PROBATION and run.probed is not None and run.probed.verdict != TAKE_BACK


def _event(run: Run, why: str, who: str, before: Run | None = None) -> Event:
    """What is remembered of a step."""
    details: dict[str, str | int | float | bool | None] = {"run": run.number, "challenger": run.challenger or None}
    was = "" if before is None else before.stage.value
    at = run.history[-1].at if run.history else run.fired
    now = run.stage.value if run.outcome is None else run.outcome.value
    return Event(at, EventKind.RETRAINING, run.project, run.endpoint, who, why, details, was, now)
