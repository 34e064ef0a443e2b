"""The alerts of one project: listed, acknowledged, silenced and reported; one method per word of the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.alerts.alert import Alert, Notice, Silence, acknowledged, raised
from headgate.alerts.delivery import Answer, Delivery, planned
from headgate.alerts.finding import Finding, Severity, key_of
from headgate.alerts.ports import AlertStore
from headgate.alerts.told import moment
from headgate.app.channels import FileChannels
from headgate.clock import Clock, SystemClock
from headgate.controller.alerting import Alerting, Standing
from headgate.controller.declared import Declared
from headgate.controller.delivering import Delivering
from headgate.errors import BadInput, Conflict, NotFound
from headgate.events import Event, EventKind
from headgate.gateway.metrics.counting import AlertCount
from headgate.traffic.durations import seconds
from headgate.vocabulary import DAY, SECOND, Micros

LONGEST_SILENCE: Final = Micros(90 * DAY)
"""A silence ends: one that nobody remembers would hide everything that comes after it."""
_PROBE: Final = "channel-try"


class Account(msgspec.Struct, frozen=True):
    """One alert, with everything that people were told of it."""

    alert: Alert
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Alerts:
    """What was found of one project's endpoints, and who was told."""

    project: str
    store: AlertStore
    declared: Declared
    channels: FileChannels
    secret: Callable[[], bytes]
    clock: Clock
    actor: str

    def every(self, endpoint: str | None = None, *, over: bool = False) -> list[Alert]:
        """The alerts that stand, of one endpoint or of all, the newest of each first; with `over`, past ones too.

        Raises NotFound for an endpoint there is not.
        """
        if endpoint is not None:
            self.declared.spec(self.project, endpoint)
        return self.store.alerts(self.project, endpoint, standing=not over)

    def show(self, id_: str) -> Account:
        """The alert of that id, or the only one whose id begins so. Raises NotFound, or BadInput for several."""
        alert = self._named(id_)
        return Account(alert, tuple(self.store.deliveries(self.project, alert.id)))

    def acknowledge(self, id_: str, why: str = "") -> Alert:
        """Take on an alert that stands: nobody is reminded of it, unless it is over and returns, or grows worse.

        Raises NotFound, BadInput for the beginning of several ids, Conflict for an alert that is over.
        """
        alert = self._named(id_)
        if not alert.stands:
            raise Conflict(f"alert {alert.id} is over already")
        after = acknowledged(alert, self.actor, self.clock.now(), why)
        was = "" if alert.acknowledged is None else alert.acknowledged.by
        where = EventKind.ACKNOWLEDGED, alert.finding.endpoint, why
        event = self._event(*where, before=was, after=self.actor, alert=alert.id)
        self.store.change_alert(after, events=[event])
        return after

    def silence(self, endpoint: str, lasting: str, because: str) -> Silence:
        """Tell nobody what is found of an endpoint for so long, such as ``2h``; ``0s`` ends the silence there is.

        Alerts are raised, shown and counted all the same, and those that stand when it ends are told then. Raises
        NotFound, or BadInput for what is no duration, longer than 90 days, or without a reason.
        """
        self.declared.spec(self.project, endpoint)
        if not because.strip():
            raise BadInput("because", "required", "say why; whoever wonders about the quiet will read it")
        now = self.clock.now()
        silence = Silence(self.project, endpoint, now, _later(now, lasting), self.actor, because)
        before = next((each for each in self.silences() if each.endpoint == endpoint), None)
        was, until = ("" if each is None else moment(each.until) for each in (before, silence))
        self.store.put_silence(silence, self._event(EventKind.SILENCED, endpoint, because, before=was, after=until))
        return silence

    def silences(self) -> list[Silence]:
        """Those in force."""
        now = self.clock.now()
        return [each for each in self.store.silences(self.project) if each.holds(now)]

    def report(self, findings: Sequence[Finding]) -> list[Alert]:
        """Raise alerts, or find them again; returns each finding's, kept by then. For checks of your own, too.

        Raises BadInput for a finding that cannot be told or is another project's, NotFound for an endpoint there is
        not.
        """
        for each in findings:
            if each.project != self.project:
                raise BadInput("project", "scope", f"this is the project '{self.project}'")
            self.declared.spec(self.project, each.endpoint)
        return self.alerting().report(findings)

    def clear(self, endpoint: str, monitor: str, subject: str = "") -> Alert | None:
        """Say that what `monitor` found is over; the alert that stood, or None where none did."""
        return self.alerting().clear(self.project, key_of(self.project, endpoint, monitor, subject))

    def attempt(self, channel: str) -> Answer:
        """Tell `channel` of an alert that is none, at once, from this process; keeps nothing.

        Raises BadConfiguration for a channel there is not, or a file of channels that breaks a rule.
        """
        self.channels.load()
        now = SystemClock().now()
        what = "this is a try of the channel; nothing is wrong"
        probe = Finding(project=self.project, endpoint=_PROBE, monitor="try", what=what, severity=Severity.INFO, at=now)
        delivery = planned(raised(probe), Notice.RAISED, channel, self.secret(), now)
        # Each try is another message: a receiver that drops what it has would drop a second one.
        delivery = msgspec.structs.replace(delivery, id=f"{delivery.id[:16]}{now:016x}")
        return self.channels.courier(channel).carry(delivery, now)

    # For the controller

    def alerting(self, counted: Callable[[Standing], object] = lambda standing: None) -> Alerting:
        """What keeps alerts, of all projects; `counted` hears how many stand."""
        return Alerting(
            alerts=self.store,
            rules=self.declared.alert_rules,
            channels=self.channels.least,
            secret=self.secret,
            clock=self.clock,
            wall=SystemClock(),
            actor=self.actor,
            counted=counted,
        )

    def delivering(self, count: AlertCount) -> Delivering:
        """What tells the channels, of all projects."""
        for name in self.channels.read():
            count.channel(name)
        return Delivering(
            alerts=self.store,
            courier=self.channels.courier,
            wall=SystemClock(),
            event_clock=self.clock,
            counted=count.tried,
        )

    def _named(self, id_: str) -> Alert:
        kept = self.store.alerts(self.project)
        found = [each for each in kept if each.id == id_] or [each for each in kept if id_ and each.id.startswith(id_)]
        standing = [each for each in found if each.stands]
        if len(found) > 1 and len(standing) != 1:
            raise BadInput("id", "ambiguous", f"{len(found)} alerts begin so; write more of it")
        if not found:
            raise NotFound("alert", id_[:64], "`headgate alerts --all` lists those there were")
        return standing[0] if standing else found[0]

    def _event(self, kind: EventKind, endpoint: str, why: str, *, before: str, after: str, **details: str) -> Event:
        now, told = self.clock.now(), dict[str, str | int | float | bool | None](details)
        return Event(now, kind, self.project, endpoint, self.actor, why, told, before, after)


def _later(now: Micros, lasting: str) -> Micros:
    try:
        length = seconds(lasting) * SECOND
    except ValueError as error:
        raise BadInput("for", "type", str(error)) from error
    if length > LONGEST_SILENCE:
        raise BadInput("for", "range", "must be at most 90d; silence it again then")
    return Micros(now + length)
