"""An endpoint's file applied: checked against all there is, kept with its event, its recipe's files beside it."""

from dataclasses import dataclass
from pathlib import Path

from headgate.app.rolling import plan_text
from headgate.app.rollouts import Rollouts
from headgate.app.screens import Screens
from headgate.app.sources import keep_sources
from headgate.app.told import actor
from headgate.clock import Clock
from headgate.contracts.contract import Sensitivity
from headgate.controller.declared import Declared
from headgate.errors import BadConfiguration, GateFailed
from headgate.events import Event, EventKind
from headgate.rollouts.planfile import Facts, read_plan
from headgate.settings import Home
from headgate.store.sql import SqlStore
from headgate.traffic.endpoint import EndpointSpec, dump_endpoint


@dataclass(frozen=True, slots=True)
class Applying:
    """Takes endpoint files into one home."""

    home: Home
    store: SqlStore
    declared: Declared
    screens: Screens
    rollouts: Rollouts
    clock: Clock

    def apply(self, spec: EndpointSpec, folder: Path, *, force: bool, why: str) -> None:
        """Keep `spec`, whose recipe's files lie in `folder`; see ``app.facade.Headgate.apply``."""
        self.declared.check(spec)
        self.screens.check(self.declared.resolve(spec))
        self._check_rollout(spec)
        if force:
            spec = self.declared.forced(spec)
        elif unproved := self.declared.unproved(spec):
            raise GateFailed(
                f"{', '.join(unproved)}: no passing evaluation, so no traffic. "
                f"Run: headgate evaluate {unproved[0]} ROWS --gate '...' (or apply with --force)"
            )
        before = next((text for _, name, text in self.store.endpoints(spec.project) if name == spec.endpoint), None)
        after = dump_endpoint(spec)
        decides = self.rollouts.decides(spec, before)
        keep_sources(self.home, spec, folder)
        self.store.put_endpoint(spec.project, spec.endpoint, after, before, idle=decides)
        details: dict[str, str | int | float | bool | None] = {"force": force}
        now, kind = self.clock.now(), EventKind.APPLIED
        event = Event(now, kind, spec.project, spec.endpoint, actor(), why, details, before or "", after)
        self.store.add_event(event)

    def _check_rollout(self, spec: EndpointSpec) -> None:
        """Nothing, or BadConfiguration where the words for the rollouts of runs are none of a plan."""
        if spec.retraining is None:
            return
        contract = self.declared.live_contract(spec)
        public = {each.name: each.kind for each in contract.fields if each.sensitivity is Sensitivity.PUBLIC}
        text = plan_text(spec, spec.model, spec.retraining.rollout, contract.output, "")
        try:
            read_plan(text, "retraining.rollout").plan(
                Facts(contract.output, spec.label_maturity_s, public), spec.model
            )
        except BadConfiguration as error:
            key = error.where.rpartition(": ")[2] if ": " in error.where else ""
            raise BadConfiguration(f"retraining.rollout{'.' if key else ''}{key}", error.message) from error
