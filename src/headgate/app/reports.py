"""What is told of an endpoint in one piece: how it stands, what was found of it, and its newest rollout."""

from collections.abc import Iterator
from typing import Final

import msgspec

from headgate.alerts.alert import Alert, Silence
from headgate.app.alerts import Alerts
from headgate.app.monitoring import Monitoring
from headgate.app.rollouts import Rollouts
from headgate.monitors.watch.page.whole import as_page
from headgate.monitors.watch.report import Monitored
from headgate.monitors.watch.text import as_text as standing_text
from headgate.pages.parts import Drawn, Section
from headgate.rollouts.comparison.sections import sections, subtitle, title
from headgate.rollouts.comparison.text import as_text as comparison_text
from headgate.rollouts.comparison.values import Comparison

LAST: Final = 30
"""Days that are told of unless others are asked for."""


class EndpointReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `headgate report` says of an endpoint; ``msgspec.json.encode`` is its JSON."""

    monitored: Monitored
    alerts: tuple[Alert, ...] = ()
    """Those that stand."""
    silences: tuple[Silence, ...] = ()
    """Those in force."""
    comparison: Comparison | None = None
    """What the candidate of the newest rollout said beside the live version; None where there never was a rollout."""

    @property
    def text(self) -> str:
        """For a terminal."""
        parts = [standing_text(self.monitored)]
        if self.alerts:
            lines = [f"  {each.id}  {each.severity:<8} {each.finding.what}" for each in self.alerts]
            parts.append("\n".join(["alerts that stand", *lines]))
        if self.comparison is not None:
            parts.append(comparison_text(self.comparison))
        return "\n\n".join(parts)

    @property
    def page(self) -> str:
        """As one HTML page that needs nothing beside itself."""
        return as_page(self.monitored, self.alerts, self.silences, tuple(self._rollout()))

    def _rollout(self) -> Iterator[Section[Drawn]]:
        if self.comparison is not None:
            yield Section(f"Rollout: {title(self.comparison)}", (f"{subtitle(self.comparison)}.",))
            for each in sections(self.comparison):
                yield Section(f"Rollout: {each.title[:1].lower()}{each.title[1:]}", each.parts)


def report_of(
    endpoint: str, monitoring: Monitoring, alerts: Alerts, rollouts: Rollouts, *, last: int | None = None
) -> EndpointReport:
    """The report of an endpoint with its `last` days, `LAST` where none are asked for. Raises NotFound."""
    return EndpointReport(
        monitored=monitoring.report(endpoint, last=LAST if last is None else last),
        alerts=tuple(alerts.every(endpoint)),
        silences=tuple(each for each in alerts.silences() if each.endpoint == endpoint),
        comparison=rollouts.report(endpoint) if rollouts.history(endpoint) else None,
    )
