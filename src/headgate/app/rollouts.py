"""Rollouts as an operator starts, watches and steers them; one method per word of the command line."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from headgate.app.orders import ordered
from headgate.app.told import text_of
from headgate.clock import Clock
from headgate.contracts.contract import Contract, Sensitivity
from headgate.controller.declared import Declared
from headgate.controller.progress import Progress, moved_event
from headgate.errors import BadConfiguration, Conflict, GateFailed, HeadgateError, NotFound, PassingError
from headgate.events import Event, EventKind
from headgate.journal.reader import Reader
from headgate.registry.ports import Version
from headgate.registry.registry import Registry
from headgate.rollouts.answers import with_truths
from headgate.rollouts.budget import at_most, spending, within_budget
from headgate.rollouts.comparison.asked import BESIDE_PEOPLE, OF_VERSIONS, asked_of_both
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.pairs import NEEDED, pairs_of
from headgate.rollouts.comparison.people import reviewed
from headgate.rollouts.comparison.values import Comparison
from headgate.rollouts.following import Followed
from headgate.rollouts.foretell import Foretold, Pace, foretell
from headgate.rollouts.judge import Judgement, Sample, judge, weigh
from headgate.rollouts.observe import Scene, observe, thresholds_before
from headgate.rollouts.plan import Plan
from headgate.rollouts.planfile import Facts, PlanFile, read_plan
from headgate.rollouts.rollout import Edit, Rollout, under_way
from headgate.rollouts.state import Action, Move, Phase
from headgate.rollouts.status import RolloutStatus
from headgate.rollouts.text import step_text, told
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import EndpointSpec, Live, Review, Share, Split, dump_endpoint, load_endpoint
from headgate.traffic.ports import TrafficSource
from headgate.vocabulary import DAY, PEOPLE, SECOND, Micros, Role, Verdict

ORDERS: Final = {
    "pause": Action.PAUSE,
    "resume": Action.RESUME,
    "approve": Action.STEP,
    "promote": Action.PROMOTE,
    "abort": Action.ABORT,
}
"""What a person may order, and the move it is."""
FEW: Final = 100
"""Inputs that are due before the lack of any label means something."""


@dataclass(frozen=True, slots=True)
class Rollouts:
    """The rollouts of one project's endpoints."""

    project: str
    store: SqlStore
    declared: Declared
    registry: Registry
    reader: Reader
    traffic: TrafficSource
    clock: Clock
    replayed: bool
    actor: str
    """Who orders."""

    def by(self, who: str) -> "Rollouts":
        """The same, on the word of `who`."""
        return replace(self, actor=who)

    def plan(self, plan: str | Path, *, force: bool = False) -> Foretold:
        """What a plan would do, how long it would take, and by which alphas and margins; nothing moves.

        `plan` is the YAML text or the path of a file. Raises BadConfiguration naming file, line and key, GateFailed
        where the candidate has no passing evaluation, Conflict while another rollout of the endpoint runs.

        `force` looks at what `deploy` would begin with it: a candidate without a passing evaluation is let through.
        """
        found = self._checked(plan, force=force)
        return foretell(found.plan, found.pace, found.asked)

    def deploy(
        self,
        plan: str | Path,
        *,
        endpoint: str | None = None,
        force: bool = False,
        proved: bool = False,
        why: str = "",
    ) -> Rollout:
        """Begin the rollout that a plan describes; the controller moves it on. Raises what `plan` does.

        Raises Conflict too when the endpoint's file was changed while the plan was looked at.

        `endpoint` is the one it has to be about; None takes any.

        `force` lets a candidate without a passing evaluation take callers, and the history keeps who said so. One that
        was `proved` beside champion and anchor has nothing of the year's budget, and spends none.
        """
        found = self._checked(plan, force=force, endpoint=endpoint, proved=proved)
        checked, spec, live = found.plan, found.spec, found.live
        if why:
            checked = msgspec.structs.replace(checked, why=why)
        now = self.clock.now()
        rollout = Rollout(
            plan=checked,
            live=live,
            started=now,
            actor=self.actor,
            thresholds=thresholds_before(self.reader, spec.project, spec.endpoint, live, now),
        )
        details: dict[str, str | int | float | bool | None] = {"candidate": checked.candidate, "force": force}
        where = spec.project, spec.endpoint
        begun = Event(now, EventKind.ROLLOUT, *where, self.actor, checked.why, details, "", told(rollout))
        # Also where the file stays as it is: the plan was checked against what it says.
        edit = Edit(found.text, _forced(spec, checked.candidate) if force else found.text)
        return self.store.add_rollout(rollout, begun, edit)

    def status(self, endpoint: str) -> RolloutStatus:
        """The endpoint's newest rollout. Raises NotFound when it never had one."""
        rollout = self._newest(endpoint)
        state, now = rollout.state, self.clock.now()
        judgement = None
        if not state.ended:
            judgement = self._judged(rollout, now)
        return RolloutStatus(rollout=rollout, state=state, judgement=judgement, now=now)

    def history(self, endpoint: str) -> list[Rollout]:
        """Every rollout the endpoint had, oldest first."""
        return self.store.rollouts(self.project, endpoint)

    def report(self, endpoint: str) -> Comparison:
        """What the candidate of the endpoint's newest rollout said beside the live version, on the same inputs.

        Raises NotFound when the endpoint never had a rollout.
        """
        rollout = self._newest(endpoint)
        contract = self._contract(rollout)
        end = Micros(rollout.moves[-1].at + 1) if rollout.state.ended else None
        where = self.project, endpoint
        ours, theirs = BESIDE_PEOPLE if rollout.plan.people else OF_VERSIONS
        roles = sorted({*ours, *theirs, Role.LIVE})
        joined = self.reader.joined(
            *where, start=rollout.started, end=end, roles=roles, columns=(*NEEDED, "source", "answered")
        )
        live, candidate = rollout.live, rollout.plan.candidate
        joined = with_truths(joined) if rollout.plan.people else asked_of_both(joined, live, candidate)
        features = self.reader.features(*where, start=rollout.started, end=end)
        pairs = pairs_of(
            joined,
            contract,
            live_roles=ours,
            candidate_roles=theirs,
            live_version=live,
            candidate_version=candidate,
        )
        found = compare(pairs, contract, features)
        if rollout.plan.people:
            people = reviewed(joined, contract.output, candidate)
            found = msgspec.structs.replace(found, reviewed=people)
        return found

    def order(self, endpoint: str, action: Action, why: str = "", *, step: int | None = None) -> Rollout:
        """Move the endpoint's rollout on a person's word. Raises Conflict when that means nothing as it stands.

        `step` is the ``state.step`` the order is about: Conflict when the rollout is in another by now, so that what is
        said twice, or by two, moves it once. None is about whichever it is in.
        """

        def give(rollout: Rollout) -> Rollout:
            if step not in (None, rollout.state.step):
                raise Conflict(f"rollout {rollout.number} is {_is_in(rollout)}; look again")
            return self._moved(rollout, action, why)

        return ordered(lambda: self._newest(endpoint), give)

    def _moved(self, rollout: Rollout, action: Action, why: str) -> Rollout:
        """The rollout, moved. Raises Conflict when that means nothing as it stands, or somebody else moved it."""
        now = self.clock.now()
        move = Move(action, now, why or f"{self.actor} said so")
        if not rollout.would_move(move):
            raise Conflict(f"rollout {rollout.number} is {rollout.state.phase}: there is nothing to {action}")
        edit = None
        if action is Action.PROMOTE:
            edit = self.promoted(rollout)
            if rollout.plan.guarded:
                move = msgspec.structs.replace(move, spent=self._spent(rollout, now))
        return self.store.move_rollout(rollout, move, moved_event(rollout, move, self.actor), edit)

    def roll_back(self, endpoint: str, why: str = "") -> Rollout | str:
        """Take the endpoint back: abort its rollout, or return to the version before the last promotion.

        Returns the rollout that was aborted, or the version that is live again. Raises Conflict where there is
        nothing to go back to, or where the endpoint's file was changed or a rollout of it begun meanwhile.
        """
        text, spec = self.declared.file(self.project, endpoint)
        history = self.history(endpoint)
        if history and not history[-1].state.ended:
            return self.order(endpoint, Action.ABORT, why)
        promoted = (each for each in reversed(history) if each.state.phase is Phase.PROMOTED)
        rollout = next((each for each in promoted if each.plan.candidate == spec.model), None)
        if rollout is None or (back := dump_endpoint(_before(spec, rollout))) == dump_endpoint(spec):
            raise Conflict(
                f"no rollout put {spec.model} in charge of '{endpoint}', so there is no version to go back to; "
                "write the one you want into the endpoint's file and apply it"
            )
        self.store.put_endpoint(spec.project, endpoint, back, text, idle=True)
        details: dict[str, str | int | float | bool | None] = {"rollout": rollout.number, "force": False}
        where = spec.project, endpoint
        self.store.add_event(
            Event(self.clock.now(), EventKind.APPLIED, *where, self.actor, why or "rolled back", details, text, back)
        )
        return rollout.live

    def decides(self, spec: EndpointSpec, before: str | None) -> bool:
        """Whether `spec` changes who answers an endpoint whose file says `before`, so that no rollout of it may run."""
        try:
            return before is None or _deciding(load_endpoint(before, "before")) != _deciding(spec)
        except BadConfiguration:
            return True  # nobody can say any more who was to answer

    def progress(self) -> Progress:
        """The loop that moves rollouts on."""
        followed = Followed(self.reader)
        return Progress(
            rollouts=self.store,
            observe=lambda rollout, now: followed.look(rollout, self._scene(rollout), now),
            promoted=self.promoted,
            clock=self.clock,
            keep=followed.keep,
        )

    def observe(self, rollout: Rollout, now: Micros) -> Sample:
        """What a rollout's guards judge, for whoever looks once."""
        return observe(rollout, self.reader, self._scene(rollout), now)

    def _judged(self, rollout: Rollout, now: Micros) -> Judgement:
        """What its evidence says, or that it cannot be measured."""
        try:
            return judge(rollout.plan, rollout.state, weigh(rollout.plan, self.observe(rollout, now)))
        except PassingError:
            raise
        except HeadgateError as error:
            return Judgement(verdict=Verdict.BROKEN, why=str(error))

    def _spent(self, rollout: Rollout, now: Micros) -> dict[str, float]:
        """What its promotion spends by guard; where it cannot be measured, all that its margins allow."""
        try:
            return spending(rollout.plan, self.observe(rollout, now))
        except PassingError:
            raise
        except HeadgateError:
            return at_most(rollout.plan)

    def _scene(self, rollout: Rollout) -> Scene:
        spec = self.declared.spec(rollout.plan.project, rollout.plan.endpoint)
        traffic = self.traffic.read().get((spec.project, spec.endpoint)) or self.declared.during(spec, rollout)
        return Scene(self._contract(rollout).output, spec.label_maturity_s, traffic, self.replayed)

    def promoted(self, rollout: Rollout) -> Edit:
        """The endpoint's file as it is, and with the candidate as its model."""
        text, spec = self.declared.file(rollout.plan.project, rollout.plan.endpoint)
        after = msgspec.structs.replace(spec, model=rollout.plan.candidate, traffic=None)
        return Edit(text, dump_endpoint(_taken_over(after, rollout) if rollout.plan.people else after))

    def _contract(self, rollout: Rollout) -> Contract:
        """What the endpoint of a rollout holds its versions to: people answer the candidate's question."""
        spec = self.declared.spec(rollout.plan.project, rollout.plan.endpoint)
        version = rollout.plan.candidate if rollout.plan.people else rollout.live
        return self.declared.contract(spec, self.registry.resolve(version, project=spec.project))

    def _newest(self, endpoint: str) -> Rollout:
        self.declared.spec(self.project, endpoint)
        found = self.store.rollouts(self.project, endpoint)
        if not found:
            raise NotFound("rollout of", endpoint, "`headgate deploy rollout.yaml` begins one")
        return found[-1]

    def _checked(
        self, plan: str | Path, *, force: bool, endpoint: str | None = None, proved: bool = False
    ) -> "_Checked":
        """The plan and what it is about, once everything that can be refused was not."""
        file = read_plan(text_of(plan), str(plan)) if isinstance(plan, Path) else read_plan(plan, "plan")
        if file.said.project != self.project:
            raise file.wrong("project", f"is another project than '{self.project}'; say --project {file.said.project}")
        if endpoint not in (None, file.said.endpoint):
            raise file.wrong("endpoint", f"is another one than '{endpoint}'")
        text, spec, live, candidate = self._parties(file)
        pace = self._pace(spec)
        checked = file.plan(self._facts(spec, live or candidate, pace), candidate.ref)
        checked = msgspec.structs.replace(checked, proved=proved)
        if live is not None:
            self._fits(file, spec, live, candidate)
        if not force and not self.registry.proved(candidate) and candidate.ref not in spec.forced:
            raise GateFailed(
                f"{file.place('candidate')}: {candidate.ref} has no passing evaluation, so it gets no traffic. "
                f"Run: headgate evaluate {candidate.ref} ROWS --gate '...' (or deploy with --force)"
            )
        earlier = self.store.rollouts(self.project, spec.endpoint)
        for each in earlier:
            if not each.state.ended:
                raise Conflict(f"{file.place('endpoint')}: {under_way(each)}")
        within = within_budget(checked, earlier, spec.rollouts, self.clock.now())
        return _Checked(within, checked, text, spec, PEOPLE if live is None else live.ref, pace)

    def _parties(self, file: PlanFile) -> tuple[str, EndpointSpec, Version | None, Version]:
        """The endpoint, its live version, None where people decide, and the candidate that a plan names."""
        try:
            text, spec = self.declared.file(self.project, file.said.endpoint)
        except NotFound as error:
            raise file.wrong("endpoint", str(error)) from error
        try:
            candidate = self.registry.resolve(file.said.candidate, project=self.project)
        except NotFound as error:
            raise file.wrong("candidate", str(error)) from error
        live = self.registry.resolve(spec.model, project=self.project)
        if spec.live is Live.HUMAN:
            if live.ref != candidate.ref:
                raise file.wrong("candidate", f"is not {live.ref}, which answers unseen beside the people who decide")
            return text, spec, None, candidate
        if live.ref == candidate.ref:
            says = f"{live.ref} is live already; write model: name:number into the endpoint's file, so that the next"
            raise file.wrong("candidate", f"{says} version waits for its rollout")
        if spec.traffic is not None and len(spec.traffic.split) > 1:
            raise file.wrong("endpoint", "has a split by hand; take it out of the endpoint's file first")
        return text, spec, live, candidate

    def _fits(self, file: PlanFile, spec: EndpointSpec, live: Version, candidate: Version) -> None:
        """Nothing, or BadConfiguration when the candidate cannot stand beside the live version, or take its place."""
        both = Split([Share(live.ref, 0.5), Share(candidate.ref, 0.5)])
        try:
            self.declared.check(msgspec.structs.replace(spec, traffic=both))
            self.declared.check_successor(spec, live, candidate)
        except BadConfiguration as error:
            raise file.wrong("candidate", error.message) from error

    def _facts(self, spec: EndpointSpec, live: Version, pace: Pace) -> Facts:
        contract = self.declared.contract(spec, live)
        hidden, kept = set(spec.capture.redact), spec.capture.fields
        fields = {
            each.name: each.kind
            for each in contract.fields
            if each.sensitivity is Sensitivity.PUBLIC
            and each.name not in hidden
            and (kept is None or each.name in kept)
        }
        unlabelled = pace.due if pace.due >= FEW and not pace.label_share else 0
        return Facts(contract.output, spec.label_maturity_s, fields, unlabelled, spec.live is Live.HUMAN, pace)

    def _pace(self, spec: EndpointSpec) -> Pace:
        """What the endpoint did lately: the last day, and for labels the last week in which they were due."""
        now, mature = self.clock.now(), round(spec.label_maturity_s * SECOND)
        lately = self._lately(spec, Micros(now - DAY), now)
        due = self._lately(spec, Micros(now - mature - 7 * DAY), Micros(now - mature))
        spell = pc.subtract(pc.max(lately["at"]), pc.min(lately["at"])).cast(pa.int64()).as_py() if len(lately) else 0
        return Pace(
            inputs_per_second=len(lately) * SECOND / max(spell, SECOND),
            error_rate=_share_null(lately["answered"]),
            due=len(due),
            label_share=1.0 - _share_null(due["label"]),
            maturity_s=spec.label_maturity_s,
        )

    def _lately(self, spec: EndpointSpec, start: Micros, end: Micros) -> pa.Table:
        columns = ("at", "answered", "label")
        return self.reader.joined(spec.project, spec.endpoint, start=start, end=end, columns=columns)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A plan that may begin, and what it is about."""

    plan: Plan
    """With the alpha and the margins that the year's budget leaves it."""
    asked: Plan
    """As its file has it."""
    text: str
    """The endpoint's file as it was read."""
    spec: EndpointSpec
    live: str
    """``model:number``, or who decides in its place."""
    pace: Pace


def _deciding(spec: EndpointSpec) -> tuple[object, ...]:
    """What of an endpoint's file says who answers whom."""
    return spec.model, spec.people, spec.traffic, spec.contract


def _forced(spec: EndpointSpec, candidate: str) -> str:
    """The file with a candidate that may take callers though nobody proved it."""
    return dump_endpoint(msgspec.structs.replace(spec, forced=sorted({*spec.forced, candidate})))


def _taken_over(spec: EndpointSpec, rollout: Rollout) -> EndpointSpec:
    """The file once a candidate has of people's work what its rollout came to."""
    state = rollout.state
    if not state.confidence:
        return _decided_by(spec, Live.MODEL)
    review = msgspec.structs.replace(spec.review or Review(), confidence=state.confidence, suggest=state.suggests)
    return msgspec.structs.replace(spec, review=review)


def _decided_by(spec: EndpointSpec, live: Live) -> EndpointSpec:
    """The file where either decides everything."""
    review = None if spec.review is None else msgspec.structs.replace(spec.review, confidence=None, suggest=False)
    return msgspec.structs.replace(spec, live=live, review=review)


def _before(spec: EndpointSpec, rollout: Rollout) -> EndpointSpec:
    """The file as it was before a rollout was promoted, as far as that changed it."""
    if not rollout.plan.people:
        return msgspec.structs.replace(spec, model=rollout.live)
    return _decided_by(spec, Live.HUMAN)


def _is_in(rollout: Rollout) -> str:
    """What whoever speaks of another step is told."""
    steps, step = rollout.plan.steps, rollout.state.step
    return f"in another step by now, {step_text(steps[step])}" if step < len(steps) else "behind its last step"


def _share_null(column: pa.ChunkedArray) -> float:
    return column.null_count / len(column) if len(column) else 0.0
