"""How a run's challenger takes callers and, if it was a mistake, gives them back: rollouts as everybody else's."""

from dataclasses import dataclass
from typing import Any, Final

from headgate.app.rollouts import Rollouts
from headgate.contracts.contract import Output
from headgate.contracts.yaml_text import write_yaml
from headgate.errors import Conflict, NotFound, Unavailable
from headgate.registry.registry import CHAMPION, Registry
from headgate.retraining.ports import Rolled, Rolling
from headgate.retraining.run import Run
from headgate.rollouts.plan import Pause, SetWeight, Shadow, Step
from headgate.rollouts.rollout import Rollout
from headgate.rollouts.state import Action, Phase
from headgate.rollouts.strategies import Strategy, steps_of
from headgate.traffic.durations import duration
from headgate.traffic.endpoint import EndpointSpec
from headgate.traffic.retrained import Promote
from headgate.vocabulary import SECOND, Task

BY: Final = "retraining"
"""Who orders what a run wants done."""
HORIZON: Final = "30d"
"""How long a rollout that nobody watches may take; then it is taken back."""
STEPS: Final[tuple[str | dict[str, str], ...]] = (
    {"shadow": "100%"}, "analysis", {"set_weight": "5%"}, {"pause": "1h"}, {"set_weight": "50%"}, {"pause": "1h"},
    {"set_weight": "100%"},
)  # fmt: skip
"""Unseen until every guard is sure; then in growing shares, in which any guard takes it back. To be sure again of each
share would take a run longer than the world often stays as it is."""
HARM: Final = {"margin": 0.02, "harm": 0.02}
HARM_OF_CLASSES: Final = {"margin": "2pt", "harm": "2pt"}
"""In a run's rollout: that it is no worse was proved before, and what serving adds to that is more.

Less is the weather of the days that are looked at."""
_DOING: Final = {
    Phase.PROGRESSING: Rolling.RUNNING,
    Phase.PAUSED: Rolling.WAITING,
    Phase.HELD: Rolling.WAITING,
    Phase.PROMOTED: Rolling.PROMOTED,
    Phase.ROLLED_BACK: Rolling.ROLLED_BACK,
    Phase.ABORTED: Rolling.ABORTED,
}


@dataclass(frozen=True, slots=True)
class Rolls:
    """`headgate.retraining.ports.Roller` on the rollouts of one project."""

    rollouts: Rollouts
    registry: Registry

    def roll_out(self, run: Run, spec: EndpointSpec) -> Rolled:
        """Begin the challenger's rollout, or say how it stands; Unavailable while another one goes on."""
        found = self._mine(run)
        if found is None:
            try:
                found = self.rollouts.by(BY).deploy(self._plan(run, spec), endpoint=run.endpoint, proved=True)
            except Conflict as error:
                raise Unavailable(str(error)) from error
        state = found.state
        at = found.moves[-1].at if found.moves else found.started
        return Rolled(number=found.number, doing=_DOING[state.phase], at=at, why=state.why)

    def abort(self, run: Run, why: str) -> None:
        """Abort its rollout, if it goes on."""
        found = self._mine(run)
        if found is not None and not found.state.ended:
            self.rollouts.by(BY).order(run.endpoint, Action.ABORT, why)

    def settle(self, run: Run, why: str) -> None:
        """Point ``model@champion`` at the challenger."""
        self._point(run.challenger, why)

    def take_back(self, run: Run, why: str) -> None:
        """Have the version before own the endpoint again. Raises Conflict while a rollout of it goes on."""
        _, spec = self.rollouts.declared.file(run.project, run.endpoint)
        if spec.model == run.challenger:
            history = self.rollouts.history(run.endpoint)
            if history and not history[-1].state.ended:
                raise Unavailable(f"rollout {history[-1].number} of '{run.endpoint}' goes on; it is waited for")
            self.rollouts.by(BY).roll_back(run.endpoint, why)
        self._point(run.champion, why)

    def _point(self, version: str, why: str) -> None:
        found = self.registry.resolve(version, project=self.rollouts.project)
        before = self.registry.champion(found.model, project=self.rollouts.project)
        if before is None or before.ref != found.ref:
            self.registry.set_alias(found.ref, CHAMPION, actor=BY, why=why, project=self.rollouts.project)

    def _mine(self, run: Run) -> Rollout | None:
        """The rollout that was begun for the run, whether or not that was noted."""
        history = self.rollouts.store.rollouts(run.project, run.endpoint)
        mine = [each for each in history if each.plan.candidate == run.challenger and each.started >= run.entered]
        if run.rollout is not None:
            mine = [each for each in history if each.number == run.rollout]
        return mine[-1] if mine else None

    def _plan(self, run: Run, spec: EndpointSpec) -> str:
        words = spec.retraining
        if words is None:
            raise NotFound("retraining of endpoint", spec.endpoint, "write it into the endpoint's file")
        live = self.registry.resolve(run.champion, project=run.project)
        output = self.rollouts.declared.contract(spec, live).output
        why = f"run {run.number} of the loop: {run.firings[0].why}"
        return plan_text(spec, run.challenger, words.rollout, output, why, asks=words.promote is Promote.ASK)


def plan_text(
    spec: EndpointSpec, candidate: str, words: dict[str, Any], output: Output, why: str, *, asks: bool = False
) -> str:
    """The plan of a run's rollout: the file's words, and where these say nothing `STEPS`, errors and probabilities.

    Nobody watches, so what is not decided by its horizon is taken back; latency was proved before, and is told.
    """
    plan: dict[str, Any] = {
        "endpoint": spec.endpoint,
        "candidate": candidate,
        "project": spec.project,
        "why": why[:500],
    }
    plan |= {"horizon": HORIZON, "on_horizon": "roll_back"} | words
    if "strategy" not in words and "steps" not in words:
        plan["steps"] = list(STEPS)
    if "guards" not in words and plan.get("strategy") != Strategy.ALL_AT_ONCE.value:
        plan["guards"] = _guards(output, labels=spec.label_maturity_s > 0)
    if asks:
        strategy = plan.pop("strategy", None)
        steps = plan["steps"] if strategy is None else [_step(each) for each in steps_of(Strategy(strategy))]
        plan["steps"] = [*steps, {"approve": f"let {candidate} have the endpoint: headgate explain {spec.endpoint}"}]
    return write_yaml(plan)


def _guards(output: Output, *, labels: bool) -> list[dict[str, Any]]:
    told = [{"metric": "latency", "dry_run": True}]
    if output.task not in (Task.BINARY, Task.MULTICLASS) or not labels:
        return [{"metric": "errors"}, *told]
    lost = {"metric": "calibration", **HARM} if output.probability else {"metric": "accuracy", **HARM_OF_CLASSES}
    return [{"metric": "errors"}, lost, *told]


def _step(step: Step) -> str | dict[str, str]:
    match step:
        case Shadow(share=share):
            return {"shadow": f"{share:.0%}"}
        case SetWeight(weight=weight):
            return {"set_weight": f"{weight * 100:g}%"}
        case Pause(length=length):
            return {"pause": duration(length // SECOND)}
    return "analysis"
