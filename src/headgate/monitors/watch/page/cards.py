"""How each monitor stands, and each alert, as cards of a page: generic, whatever figures a monitor has."""

from collections.abc import Iterator, Sequence

from headgate.alerts.alert import Alert, Silence
from headgate.alerts.told import moment
from headgate.monitors.standing import Standing
from headgate.monitors.watch.report import Line, Monitored
from headgate.monitors.watch.text import minute
from headgate.pages.parts import Card, Cards, Drawn, Note

LOUD = (Standing.ALARM, Standing.BROKEN)
"""Standings after which somebody has to do something."""


def monitor_cards(found: Monitored) -> Cards:
    """A card a monitor, in the order of the report: those that alarm first."""
    return Cards(tuple(map(_monitor, found.monitors)))


def alert_parts(alerts: Sequence[Alert], silences: Sequence[Silence]) -> Iterator[Drawn]:
    """The alerts that stand, and whether somebody asked for quiet."""
    for silence in silences:
        yield Note(f"nobody is told of alerts until {moment(silence.until)}, says {silence.by}: {silence.because}")
    if alerts:
        yield Cards(tuple(map(_alert, alerts)))
    else:
        yield "No alert stands."


def _monitor(line: Line) -> Card:
    says = line.says
    causes = dict.fromkeys(each.cause for each in says.findings if each.cause)
    details = [
        ("since", "" if says.since is None else f"{minute(says.since)} UTC"),
        *(("likely cause", each) for each in causes),
        ("what to do", says.advice),
        ("how sure", says.certainty),
    ]
    return Card(
        title=line.monitor,
        mark=says.standing.value,
        says=says.what,
        loud=says.standing in LOUD,
        figures=tuple((each.name, each.value, each.limit) for each in says.figures),
        details=tuple(each for each in details if each[1]),
    )


def _alert(alert: Alert) -> Card:
    finding = alert.finding
    about = f", {finding.subject}" if finding.subject else ""
    often = "once" if alert.times == 1 else f"{alert.times:,} times"
    details = [
        ("found by", f"{finding.monitor}{about}; {often}, from {moment(alert.raised)} to {moment(alert.seen)}"),
        ("likely cause", finding.cause),
        ("what to do", finding.advice),
        ("taken on", _taken(alert)),
        *((each.title, each.url) for each in finding.links),
    ]
    return Card(
        title=f"alert {alert.id}",
        mark=alert.severity.value,
        says=finding.what,
        loud=alert.acknowledged is None,
        figures=tuple((each.name, each.value, each.limit) for each in finding.evidence),
        details=tuple(each for each in details if each[1]),
    )


def _taken(alert: Alert) -> str:
    if alert.acknowledged is None:
        return ""
    why = f": {alert.acknowledged.why}" if alert.acknowledged.why else ""
    return f"by {alert.acknowledged.by} at {moment(alert.acknowledged.at)}{why}"
