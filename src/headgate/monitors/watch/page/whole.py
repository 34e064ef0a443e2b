"""An endpoint's page from its head to its foot: what is wrong first, then what was measured, then whatever is added.

Called by whoever composes reports; the sections of rooms above, such as a rollout's, come in as they are.
"""

from collections.abc import Iterator, Sequence

from headgate.alerts.alert import Alert, Silence
from headgate.evaluation.table import digits, shown
from headgate.monitors.standing import Standing
from headgate.monitors.watch.days import date_of
from headgate.monitors.watch.page.cards import alert_parts, monitor_cards
from headgate.monitors.watch.page.days import day_sections
from headgate.monitors.watch.page.why import why_sections
from headgate.monitors.watch.report import Monitored
from headgate.monitors.watch.text import minute
from headgate.pages.page import laid_out
from headgate.pages.parts import Drawn, Figure, Figures, Note, Section


def as_page(
    found: Monitored,
    alerts: Sequence[Alert] = (),
    silences: Sequence[Silence] = (),
    beside: Sequence[Section[Drawn]] = (),
) -> str:
    """All of it as one page that needs nothing else; whatever comes from data is escaped.

    `alerts` are those that stand, `beside` further sections.

    >>> page = as_page(Monitored(project="default", endpoint="late", version="m:1"))
    >>> page.startswith("<!doctype html>"), "<h1>How late stands</h1>" in page
    (True, True)
    """
    sections: list[Section[Drawn]] = [
        Section("In short", tuple(_short(found, alerts))),
        Section("Monitors", (monitor_cards(found),) if found.monitors else ("Nothing was looked at yet.",)),
        Section("Alerts", tuple(alert_parts(alerts, silences))),
        *why_sections(found),
        *day_sections(found),
        *beside,
    ]
    return laid_out(f"How {found.endpoint} stands", _subtitle(found), sections)


def _subtitle(found: Monitored) -> str:
    told = [f"project {found.project}, {found.version} in charge"]
    if found.began is not None and found.until is not None and found.matured is not None:
        told.append(
            f"watched from {minute(found.began)}, hours until {minute(found.until)}, "
            f"labels until {minute(found.matured)} (UTC)"
        )
    if found.false_alarms:
        told.append(f"false alarms of all monitors together: {found.false_alarms}")
    return "; ".join(told)


def _short(found: Monitored, alerts: Sequence[Alert]) -> Iterator[Drawn]:
    broken = [each.monitor for each in found.monitors if each.says.standing is Standing.BROKEN]
    alarms = [each.monitor for each in found.alarms]
    items = [Figure("monitors that alarm", f"{len(alarms)} of {len(found.monitors)}", ", ".join(alarms))]
    if broken:
        items.append(Figure("monitors that are broken", f"{len(broken)}", ", ".join(broken)))
    items.append(
        Figure("alerts that stand", f"{len(alerts)}", ", ".join(dict.fromkeys(each.severity for each in alerts)))
    )
    yield Figures((*items, *_last_day(found), *_last_labels(found)))
    yield from (Note(f"{each}.") for each in found.notes)


def _last_day(found: Monitored) -> Iterator[Figure]:
    """What the last day that was looked at came to, of all versions."""
    if not found.days:
        return
    last = max(day.start for day in found.days)
    days = [day for day in found.days if day.start == last]
    volume, failed = sum(day.volume for day in days), sum(day.errors for day in days)
    yield Figure("inputs", f"{volume:,}", f"on {date_of(last)}")
    yield Figure("errors", f"{failed:,}", f"{failed / volume * 100:.3g} % of the inputs" if volume else "")
    slow = {day.version: p99 for day in days if (p99 := day.latency.quantile(0.99)) is not None}
    if found.version in slow:
        yield Figure("p99 of latency", f"{digits(slow[found.version])} ms", found.version)


def _last_labels(found: Monitored) -> Iterator[Figure]:
    """What the last labels said of who is in charge."""
    days = [day for day in found.days if day.version == found.version and day.due]
    if not days:
        return
    name = next((name for name, each in days[-1].figures.items() if each.known), None)
    if name is not None:
        reference = found.reference.get(name)
        beside = "" if reference is None else f", {shown(reference)} when it was evaluated"
        yield Figure(name, digits(days[-1].figures[name].value or 0.0), f"on {date_of(days[-1].start)}{beside}")
