"""The plan file a person writes, and the plan it means for one endpoint.

Called by ``headgate plan`` and ``headgate deploy``. Every complaint names the file, the line and the key, and comes
before anything moves.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from headgate.contracts.contract import Kind, Output
from headgate.contracts.text import read_document
from headgate.contracts.yaml_lines import line_of
from headgate.contracts.yaml_text import read_yaml
from headgate.errors import BadConfiguration, BadInput
from headgate.evaluation.rows import spelled
from headgate.rollouts.foretell import Pace
from headgate.rollouts.guards import RULES, Alpha, Guard, Margin, Measure, Unit, read_margin, usual_guard, usual_guards
from headgate.rollouts.losses import largest
from headgate.rollouts.plan import (
    NEVER,
    Analysis,
    Approve,
    Assist,
    OnHorizon,
    Partial,
    Pause,
    Plan,
    SetWeight,
    Shadow,
    Step,
)
from headgate.rollouts.ramp import ramp
from headgate.rollouts.schedule import Schedule, read_schedule
from headgate.rollouts.strategies import Strategy, steps_of
from headgate.traffic.durations import seconds
from headgate.vocabulary import DEFAULT_PROJECT, SECOND, Micros, readable

_SHARE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
NOBODY: Final = Pace(inputs_per_second=0.0)
"""The pace of an endpoint nobody asked lately."""
_STEPS: Final = "shadow, set_weight, ramp, pause, analysis, approve, assist and partial"


class _GuardText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A guard as written."""

    metric: Measure
    """What it looks at: one of the metrics below."""
    margin: str | float | None = None
    """How much worse is not yet worse: ``1pt``, ``5%``, or a number in the metric's unit; None takes the usual one."""
    harm: str | float | None = None
    """By how much it has to be proved to be worse before it goes back, ``2pt`` or a number; None takes any loss."""
    dry_run: bool = False
    """Whether it is measured and told, and decides nothing."""
    cap: float | None = None
    """The largest loss of one row that counts, or the largest value of ``column``."""
    by: str | None = None
    """A field of the contract: the guard has to hold for the rows of each of its values by themselves."""
    worth: dict[str, dict[str, float]] | None = None
    """What a decision is worth, by prediction and then by truth, both as text; what is left out is worth 0."""
    column: str | None = None
    """A field of the contract, a number, by which what a decision is worth is multiplied, such as an amount."""
    query: str | None = None
    """A SELECT of ``input_id``, ``version`` and ``loss``, over the relations below."""


class _ScheduleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hours of a plan as written."""

    days: str = "mon-sun"
    """Days of the week: ``mon-fri``, or ``mon,wed``."""
    hours: str = "0-24"
    """Hours of a day: ``9-17``, or ``9:30-16:00``."""
    zone: str = "UTC"
    """By whose clock, such as ``Europe/Berlin``."""


@readable
class _PlanText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan as written."""

    endpoint: str
    """Whose callers are to get the candidate."""
    candidate: str
    """The version to roll out: ``name:3``, ``name@alias`` or ``name``, the newest."""
    project: str = DEFAULT_PROJECT
    """Who owns the endpoint."""
    strategy: Strategy | None = None
    """Steps that are written for you; None where the plan has ``steps``."""
    steps: list[str | dict[str, Any]] | None = None
    """What happens one after the other; None where the plan has a ``strategy``."""
    guards: list[_GuardText] | None = None
    """What the candidate is judged by; None takes the usual guards, and an empty list is none."""
    alpha: Alpha = Alpha()
    horizon: str = "30d"
    """How long the rollout may take before ``on_horizon``."""
    on_horizon: OnHorizon = OnHorizon.HOLD
    """What happens then: ``hold`` leaves it as it is until a person decides, ``roll_back`` ends it."""
    progress_deadline: str | None = None
    """How long an analysis, or a partial step, may take before a person has to look; None waits for the horizon."""
    schedule: _ScheduleText | None = None
    """The hours in which it may go forward; None lets it at any time. It goes back at any time."""
    why: str = ""
    """Why, for the history."""
    sticky_key: str | None = None
    """Field or request key by which callers keep their version; None draws per request."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What of an endpoint decides whether a plan makes sense for it."""

    output: Output
    """What the live version promises."""
    maturity_s: float
    """Seconds after a prediction at which its label is due; 0 where none is expected."""
    fields: Mapping[str, Kind] = field(default_factory=dict)
    """Those the journal keeps for everybody to read, with their kinds."""
    unlabelled: int = 0
    """Inputs whose labels were due lately, where none of them came; 0 where any did, or nobody asked."""
    people: bool = False
    """Whether people decide, so that the candidate is to take over from them."""
    pace: Pace = NOBODY
    """What the endpoint did lately."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as somebody wrote it: its syntax is right, and its endpoint has not been asked."""

    text: str
    where: str
    said: _PlanText

    def place(self, path: str) -> str:
        """Where the key at `path` stands: the file, its line, and the key."""
        return f"{self.where} line {line_of(self.text, path)}: {path}"

    def wrong(self, path: str, message: str) -> BadConfiguration:
        """The complaint about the key at `path`."""
        return BadConfiguration(self.place(path), message)

    def plan(self, facts: Facts, candidate: str) -> Plan:
        """What it means for an endpoint of these facts; `candidate` is the version it names, ``model:number``.

        Raises BadConfiguration naming line, key and rule.
        """
        plan = self._plan(facts, candidate)
        for path, message in _faults(plan, facts):
            raise self.wrong(path, message)
        return plan

    def _plan(self, facts: Facts, candidate: str) -> Plan:
        said = self.said
        deadline = said.progress_deadline
        guards = usual_guards(facts.output.task, labels=facts.maturity_s > 0, people=facts.people)
        if said.strategy is Strategy.ALL_AT_ONCE:
            guards = ()
        if said.guards is not None:
            guards = tuple(map(self._guard, range(len(said.guards)), said.guards))
        return Plan(
            endpoint=said.endpoint,
            project=said.project,
            candidate=candidate,
            steps=self._steps(facts, guards),
            guards=guards,
            alpha=said.alpha,
            horizon=self._length("horizon", said.horizon),
            on_horizon=said.on_horizon,
            progress_deadline=NEVER if deadline is None else self._length("progress_deadline", deadline),
            why=said.why,
            sticky_key=said.sticky_key,
            schedule=self._schedule(),
            people=facts.people,
        )

    def _schedule(self) -> Schedule | None:
        written = self.said.schedule
        if written is None:
            return None
        try:
            return read_schedule(written.days, written.hours, written.zone)
        except BadInput as error:
            raise self.wrong(f"schedule.{error.field}", error.message) from error

    def _steps(self, facts: Facts, guards: tuple[Guard, ...]) -> tuple[Step, ...]:
        if (self.said.strategy is None) == (self.said.steps is None):
            raise self.wrong("steps", "say either strategy or steps, and not both")
        if self.said.strategy is not None:
            return steps_of(self.said.strategy)
        steps: list[Step] = []
        for i, each in enumerate(self.said.steps or ()):
            if isinstance(each, dict) and each.keys() == {"ramp"}:
                steps += self._ramp(f"steps[{i}].ramp", each["ramp"], facts, guards)
            else:
                steps.append(self._step(f"steps[{i}]", each))
        return tuple(steps)

    def _ramp(self, path: str, written: object, facts: Facts, guards: tuple[Guard, ...]) -> tuple[Step, ...]:
        """The steps of a ramp that risks so many bad answers."""
        budget = written.get("bad_answers") if isinstance(written, dict) and len(written) == 1 else None
        if isinstance(budget, bool) or not isinstance(budget, int | float) or not budget > 0:
            raise self.wrong(path, "must say how many bad answers it may cost: {bad_answers: 100}")
        late = facts.maturity_s if any(each.needs_labels and not each.dry_run for each in guards) else 0.0
        try:
            return ramp(budget, facts.pace, alpha=self.said.alpha.roll_back, late=late)
        except BadInput as error:
            raise self.wrong(f"{path}.bad_answers", error.message) from error

    def _step(self, path: str, written: str | dict[str, Any]) -> Step:
        if isinstance(written, str):
            written = {written: None}
        if len(written) != 1:
            raise self.wrong(path, f"a step has one key; there are {_STEPS}")
        [(name, value)] = written.items()
        match name:
            case "shadow":
                return Shadow(self._share(f"{path}.shadow", value))
            case "set_weight":
                return SetWeight(self._share(f"{path}.set_weight", value))
            case "pause":
                return Pause(self._length(f"{path}.pause", value))
            case "analysis" if value in (None, {}):
                return Analysis()
            case "approve":
                return Approve(str(value or ""))
            case "assist" if value in (None, {}):
                return Assist()
            case "partial":
                return Partial(self._share(f"{path}.partial", value))
        raise self.wrong(path, f"is no step; there are {_STEPS}")

    def _guard(self, place: int, written: _GuardText) -> Guard:
        said = {name: getattr(written, name) for name in written.__struct_fields__ if name not in ("margin", "harm")}
        margin, harm = (self._margin(f"guards[{place}].{key}", getattr(written, key)) for key in ("margin", "harm"))
        usual = usual_guard(written.metric) if margin is None else Guard(metric=written.metric, margin=margin)
        return msgspec.structs.replace(usual, harm=harm, **said)

    def _margin(self, path: str, written: str | float | None) -> Margin | None:
        try:
            return None if written is None else read_margin(written)
        except BadInput as error:
            raise self.wrong(path, error.message) from error

    def _share(self, path: str, written: object) -> float:
        found = _SHARE.fullmatch(written) if isinstance(written, str) else None
        if found is None:
            raise self.wrong(path, "must be a share of the callers with its sign, such as 5%")
        if float(found[1]) > 100:
            raise self.wrong(path, "no version can have more than 100% of the callers")
        return float(found[1]) / 100

    def _length(self, path: str, written: object) -> Micros:
        try:
            length = seconds(written if isinstance(written, str) else "")
        except ValueError as error:
            raise self.wrong(path, str(error)) from error
        if not length:
            raise self.wrong(path, "must be longer than 0")
        return Micros(length * SECOND)


def read_plan(text: str, where: str) -> PlanFile:
    r"""The plan that the YAML in `text` describes, before its endpoint is asked.

    Raises BadConfiguration naming `where`, the line and the key.

    >>> file = read_plan("endpoint: late\ncandidate: late:2\nstrategy: canary\n", "rollout.yaml")
    >>> file.said.strategy.value
    'canary'
    """
    document = read_yaml(text, where)
    if not isinstance(document, dict):
        raise BadConfiguration(where, "holds no mapping of keys; begin with endpoint:, candidate: and strategy:")
    try:
        return PlanFile(text, where, read_document(document, _PlanText, where))
    except BadConfiguration as error:
        path = error.where.removeprefix(where).removeprefix(": ")
        line = f"{where} line {line_of(text, path)}"
        raise BadConfiguration(f"{line}: {path}" if path else line, error.message) from error


def _faults(plan: Plan, facts: Facts) -> Iterator[tuple[str, str]]:
    if not plan.steps:
        yield "steps", "names no step"
    if plan.sticky_key is not None and not plan.sticky_key:
        yield "sticky_key", "must name a field or request key, or be left out"
    yield from _step_faults(plan)
    yield from _people_faults(plan, facts)
    for i, guard in enumerate(plan.guards):
        if any(_same(guard, earlier) for earlier in plan.guards[:i]):
            yield f"guards[{i}].metric", f"'{guard.metric}' is guarded already"
        for key, message in _guard_faults(guard, plan, facts):
            yield f"guards[{i}].{key}", message
    for name in ("roll_back", "promote"):
        if not 0 < getattr(plan.alpha, name) < 1:
            yield f"alpha.{name}", "must lie between 0 and 1, neither of them included"


def _step_faults(plan: Plan) -> Iterator[tuple[str, str]]:
    weight, shadow = 0.0, float(plan.people)
    if plan.guarded and not (plan.shadows or plan.splits):
        yield "steps", "give the guards nothing to measure; begin with a shadow step, or split the callers"
    for i, step in enumerate(plan.steps):
        if isinstance(step, Analysis) and not plan.guarded:
            yield f"steps[{i}]", "there is nothing to analyse: no guard may decide"
        if isinstance(step, Analysis) and not (weight or shadow):
            yield f"steps[{i}]", "there is nothing to analyse yet: the candidate answers nobody"
        if isinstance(step, Shadow) and weight == 1.0:
            yield f"steps[{i}].shadow", "the candidate has all callers by then; nothing is left to shadow"
        if isinstance(step, Shadow):
            shadow = step.share
        if isinstance(step, SetWeight):
            if step.weight < weight:
                yield f"steps[{i}].set_weight", "goes backwards; weights may only grow, and a guard takes them back"
            weight = step.weight
        if isinstance(step, Partial):
            weight = 1.0


def _people_faults(plan: Plan, facts: Facts) -> Iterator[tuple[str, str]]:
    """What only means something where people decide, and what then means nothing."""
    for i, step in enumerate(plan.steps):
        if isinstance(step, Assist | Partial) and not plan.people:
            yield f"steps[{i}]", "needs people who decide: write live: human into the endpoint's file"
        if isinstance(step, Shadow) and plan.people and step.share < 1:
            yield f"steps[{i}].shadow", "must be 100%: the candidate answers all that people decide"
        if isinstance(step, Partial) and not 0 < step.risk < 1:
            yield f"steps[{i}].partial", "must lie between 0% and 100%, neither of them included"
        if isinstance(step, Partial) and not facts.output.probability:
            yield f"steps[{i}].partial", "needs probabilities to be sure by, and the contract promises none"
        if isinstance(step, Partial) and any(isinstance(each, Partial) for each in plan.steps[:i]):
            yield f"steps[{i}].partial", "is the second one; the candidate decides from one confidence on"
    for i, guard in enumerate(plan.guards):
        if guard.metric is Measure.RISK:
            yield f"guards[{i}].metric", "risk is what the step partial guards; remove it"
        if plan.people and guard.metric in (Measure.LATENCY, Measure.CALIBRATION):
            yield f"guards[{i}].metric", f"people give nothing to compare {guard.metric} with"


def _guard_faults(guard: Guard, plan: Plan, facts: Facts) -> Iterator[tuple[str, str]]:
    rule = RULES[guard.metric]
    if guard.margin.unit not in rule.units:
        wanted = " or ".join(sorted(f"1{each}" for each in rule.units))
        yield "margin", f"of {guard.metric} has another unit: write {wanted}"
    if facts.output.task not in rule.tasks:
        yield "metric", f"{guard.metric} means nothing for the task '{facts.output.task}'"
    if guard.needs_labels and not facts.maturity_s:
        yield "metric", f"{guard.metric} needs labels; set label_maturity in the endpoint's file first"
    elif guard.needs_labels and facts.unlabelled:
        yield "metric", f"{guard.metric} needs labels, and of {facts.unlabelled:,} inputs due lately none has one"
    if rule.paired and not plan.shadows:
        yield "metric", f"{guard.metric} compares answers to the same input; begin with a shadow step"
    if guard.metric is Measure.CALIBRATION and not facts.output.probability:
        yield "metric", "calibration needs probabilities, and the contract promises none"
    yield from _cap_faults(guard)
    for key in ("by", "column"):
        name = getattr(guard, key)
        if name is not None and name not in facts.fields:
            known = ", ".join(sorted(facts.fields)) or "none"
            yield key, f"'{name}' is no field that the journal keeps for everybody; there are {known}"
    if guard.by is not None and not rule.by:
        yield "by", f"means nothing for {guard.metric}; remove it"
    if guard.column is not None and facts.fields.get(guard.column) not in (Kind.NUMBER, Kind.INTEGER, None):
        yield "column", f"'{guard.column}' holds no numbers"
    yield from _worth_faults(guard, facts)
    yield from _margin_faults(guard)
    yield from _harm_faults(guard)


def _cap_faults(guard: Guard) -> Iterator[tuple[str, str]]:
    wanted = RULES[guard.metric].capped or guard.column is not None
    if wanted and guard.cap is None:
        yield "cap", f"is needed for {guard.metric}: the largest loss of one row, or the largest column, that counts"
    if guard.cap is not None and not (wanted and 0 < guard.cap < float("inf")):
        yield "cap", "must be above 0" if wanted else f"means nothing for {guard.metric}; remove it"


def _margin_faults(guard: Guard) -> Iterator[tuple[str, str]]:
    """What a margin cannot be, of a guard that is right otherwise: no test says that so much is not lost."""
    margin, most = guard.margin, largest(guard)
    if guard.metric is Measure.AGREEMENT and not margin.absolute > 0:
        yield "margin", "must be more than 0pt: that a candidate never differs cannot be proved"
    if not margin.absolute < most:
        stated = f"{most * 100:g}pt" if margin.unit is Unit.POINTS else f"{most:g}"
        yield "margin", f"must be less than {stated}, which is all that one row can lose"


def _harm_faults(guard: Guard) -> Iterator[tuple[str, str]]:
    """What harm cannot be: it is a loss of its own, and no share of one."""
    harm = guard.harm
    if harm is None:
        return
    if guard.metric in (Measure.ERRORS, Measure.LATENCY, Measure.AGREEMENT, Measure.RISK):
        yield "harm", f"means nothing for {guard.metric}; remove it"
    elif harm.unit is Unit.PERCENT or harm.unit not in RULES[guard.metric].units:
        wanted = " or ".join(sorted(f"1{each}" for each in RULES[guard.metric].units - {Unit.PERCENT}))
        yield "harm", f"of {guard.metric} has another unit: write {wanted}"
    elif not 0 < harm.absolute < largest(guard):
        yield "harm", "must be above 0, and less than all that one row can lose"


def _worth_faults(guard: Guard, facts: Facts) -> Iterator[tuple[str, str]]:
    is_value, is_sql = guard.metric is Measure.VALUE, guard.metric is Measure.SQL
    if is_value == (guard.worth is None):
        yield "worth", "is needed for value, and means nothing for any other metric"
    if guard.column is not None and not is_value:
        yield "column", f"means nothing for {guard.metric}; remove it"
    if is_sql == (guard.query is None):
        yield "query", "is needed for sql, and means nothing for any other metric"
    names = set(map(spelled, facts.output.classes))
    for said, row in (guard.worth or {}).items():
        for each in (said, *row):
            if is_value and each not in names:
                yield "worth", f"'{each}' is no class; there are {', '.join(sorted(names))}"
    if guard.worth is not None and len({each for row in guard.worth.values() for each in row.values()} | {0.0}) < 2:
        yield "worth", "says that all decisions are worth the same"


def _same(guard: Guard, other: Guard) -> bool:
    return (guard.metric, guard.by, guard.query) == (other.metric, other.by, other.query)
