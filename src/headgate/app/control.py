"""What the control API may do, on top of one open installation; `controller.py` alone makes one."""

import threading
from dataclasses import replace

import msgspec

from headgate.app.alerts import Alerts
from headgate.app.facade import Headgate
from headgate.app.monitoring import LAST as LAST_MONITORED
from headgate.app.reports import LAST, EndpointReport
from headgate.app.rollouts import ORDERS
from headgate.controller.lockstep import Lockstep
from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.retraining.run import Source
from headgate.vocabulary import Micros


class HomeControl:
    """Its methods are those of `headgate.console.ports.Control`."""

    def __init__(self, hg: Headgate, lockstep: Lockstep | None) -> None:
        self._hg = hg
        self._lockstep = lockstep
        self._one_at_a_time = threading.Lock()

    def advance(self, to: Micros, who: str) -> dict[str, dict[str, int]]:
        """Move a replay's clock, one caller at a time."""
        if self._lockstep is None:
            raise BadInput("to", "replay", "this installation runs on the real clock; start it with --replay")
        with self._one_at_a_time:
            return self._lockstep.advance(to, who)

    def endpoints(self) -> list[tuple[str, str]]:
        """Everything that traffic was published for."""
        return [(traffic.project, traffic.endpoint) for traffic in self._hg.traffic.read().values()]

    def status(self, project: str, endpoint: str, every: str, who: str) -> bytes:
        """An endpoint's windows; the read is remembered."""
        hg = self._hg.of(project)
        status = hg.status(endpoint, every=every)
        hg.note_read(endpoint, who, f"status by {every}")
        return msgspec.json.encode(status)

    def rollout(self, project: str, endpoint: str, who: str) -> bytes:
        """Its newest rollout; the read is remembered."""
        hg = self._hg.of(project)
        status = hg.rollouts.status(endpoint)
        hg.note_read(endpoint, who, "rollout")
        return msgspec.json.encode(status)

    def deploy(self, project: str, endpoint: str, plan: str, why: str, who: str) -> bytes:
        """Begin a rollout, and publish what it says at once."""
        hg = self._hg.of(project)
        try:
            rollout = hg.rollouts.by(who).deploy(plan, endpoint=endpoint, why=why)
        except BadConfiguration as error:  # over the wire it is the caller's file, not the operator's
            raise BadInput("plan", "plan", str(error)) from error
        hg.controller().reconcile()
        return msgspec.json.encode(rollout)

    def next_case(self, project: str, endpoint: str, reviewer: str, who: str) -> bytes | None:
        """The next case for a reviewer; the read is remembered."""
        hg = self._hg.of(project)
        case = hg.reviews.next(endpoint, reviewer)
        if case is None:
            return None
        hg.note_read(endpoint, who, f"case {case.input_id}")
        return msgspec.json.encode(case)

    def skip_case(self, project: str, endpoint: str, input_id: str, reviewer: str) -> None:
        """Give a case back."""
        self._hg.of(project).reviews.skip(endpoint, input_id, reviewer)

    def queue(self, project: str, endpoint: str) -> bytes:
        """What waits for people."""
        return msgspec.json.encode(self._hg.of(project).reviews.queue(endpoint))

    def picture(self, project: str, endpoint: str, input_id: str, field: str, who: str) -> tuple[bytes, str]:
        """A large value of a case; the read is remembered."""
        hg = self._hg.of(project)
        found = hg.reviews.picture(endpoint, input_id, field)
        hg.note_read(endpoint, who, f"{field} of case {input_id}")
        return found

    def move(self, project: str, endpoint: str, action: str, why: str, who: str, *, step: int | None = None) -> bytes:
        """Move its rollout, or take it back, and publish that at once."""
        rollouts = self._hg.of(project).rollouts.by(who)
        if action == "rollback":
            rollouts.roll_back(endpoint, why)
        else:
            rollouts.order(endpoint, ORDERS[action], why, step=step)
        self._hg.controller().reconcile()
        return msgspec.json.encode(rollouts.history(endpoint)[-1])

    def runs(self, project: str, endpoint: str) -> bytes:
        """Every run of the loop there was."""
        return msgspec.json.encode(self._hg.of(project).retraining.runs(endpoint))

    def retrain(self, project: str, endpoint: str, action: str, *, why: str, key: str, who: str) -> bytes:
        """Start or cancel a run, or say that it may be time."""
        retraining = self._hg.of(project).retraining.by(who)
        try:
            if action == "start":
                retraining.start(endpoint, why)
            elif action == "cancel":
                retraining.cancel(endpoint, why)
            else:
                retraining.tell(endpoint, Source(action), why, key)
        except BadConfiguration as error:  # over the wire it is the caller who asked for what the file has not
            raise BadInput("action", "retraining", str(error)) from error
        runs = retraining.runs(endpoint)
        return msgspec.json.encode(runs[-1] if runs else None)

    def monitored(self, project: str, endpoint: str, *, last: int | None) -> bytes:
        """How it stands."""
        return msgspec.json.encode(self._hg.of(project).monitoring.report(endpoint, last=last or LAST_MONITORED))

    def report(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        """Its whole report; the read is remembered."""
        return msgspec.json.encode(self._report(project, endpoint, last, who))

    def page(self, project: str, endpoint: str, *, last: int | None, who: str) -> bytes:
        """The same as a page; the read is remembered."""
        return self._report(project, endpoint, last, who).page.encode()

    def alerts(self, project: str, endpoint: str, *, over: bool) -> bytes:
        """Its alerts and its silence."""
        alerts = self._hg.of(project).alerts
        silences = [each for each in alerts.silences() if each.endpoint == endpoint]
        return msgspec.json.encode({"alerts": alerts.every(endpoint, over=over), "silences": silences})

    def alert(self, project: str, endpoint: str, alert_id: str) -> bytes:
        """One alert that is its own."""
        alerts = self._hg.of(project).alerts
        return msgspec.json.encode(alerts.show(_own(alerts, endpoint, alert_id)))

    def acknowledge(self, project: str, endpoint: str, alert_id: str, why: str, who: str) -> bytes:
        """Take on an alert that is its own."""
        alerts = replace(self._hg.of(project).alerts, actor=who)
        return msgspec.json.encode(alerts.acknowledge(_own(alerts, endpoint, alert_id), why))

    def silence(self, project: str, endpoint: str, lasting: str, because: str, who: str) -> bytes:
        """Tell nobody of its alerts for a while."""
        alerts = replace(self._hg.of(project).alerts, actor=who)
        return msgspec.json.encode(alerts.silence(endpoint, lasting, because))

    def _report(self, project: str, endpoint: str, last: int | None, who: str) -> EndpointReport:
        hg = self._hg.of(project)
        found = hg.report(endpoint, last=last or LAST)
        hg.note_read(endpoint, who, "report")
        return found


def _own(alerts: Alerts, endpoint: str, alert_id: str) -> str:
    """The id, if it is that of an alert of the endpoint: who may read one endpoint hears of no other."""
    if all(each.id != alert_id for each in alerts.every(endpoint, over=True)):
        raise NotFound("alert", alert_id[:64])
    return alert_id
