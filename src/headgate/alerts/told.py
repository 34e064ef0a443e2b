"""What each kind of channel is told: a line, a text, JSON for programs, a message for chats. All of it pure.

Every body is made of the alert as it was when people were to be told, so a further try sends the same bytes.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from headgate.alerts.alert import Notice
from headgate.alerts.delivery import Delivery
from headgate.alerts.finding import Figure, Severity
from headgate.vocabulary import Micros

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLOURS: Final = {Severity.INFO: "#439fe0", Severity.WARNING: "#daa038", Severity.CRITICAL: "#d00000"}
_GREEN: Final = "#2eb886"
_LONGEST_LINE: Final = 200


def title(delivery: Delivery) -> str:
    """One line: how severe, which endpoint, what is wrong.

    >>> from headgate.alerts.alert import raised
    >>> from headgate.alerts.delivery import planned
    >>> from headgate.alerts.finding import Finding
    >>> alert = raised(Finding(endpoint="late", monitor="score_drift", what="the scores moved", at=Micros(7)))
    >>> title(planned(alert, Notice.RAISED, "ops", b"secret", Micros(0)))
    '[warning] late: the scores moved'
    """
    alert = delivery.alert
    marks = {
        Notice.RAISED: f"{alert.severity}",
        Notice.WORSE: f"now {alert.severity}",
        Notice.AGAIN: f"still {alert.severity}",
        Notice.OVER: "over",
    }
    project = "" if alert.finding.project == "default" else f"{alert.finding.project}/"
    line = f"[{marks[delivery.notice]}] {project}{alert.finding.endpoint}: {alert.finding.what}"
    return printed(" ".join(line.split()))[:_LONGEST_LINE]


def printed(line: str) -> str:
    r"""A line as a terminal may show it: whoever names a field names no colours and moves no cursor.

    >>> printed("\x1b[2Jcarrier")
    '?[2Jcarrier'
    """
    return "".join(each if each.isprintable() else "?" for each in line)


def text(delivery: Delivery) -> str:
    """Everything a person needs, in plain text."""
    alert, finding = delivery.alert, delivery.alert.finding
    subject = f", {finding.subject}" if finding.subject else ""
    parts = [title(delivery), f"{_course(delivery)} Found by {finding.monitor}{subject}."]
    if finding.evidence:
        parts.append("\n".join(["Evidence:", *(f"  {figure_line(each)}" for each in finding.evidence)]))
    parts += [f"Likely cause: {finding.cause}"] if finding.cause else []
    parts += [f"What to do: {finding.advice}"] if finding.advice else []
    parts += ["\n".join(f"{each.title}: {each.url}" for each in finding.links)] if finding.links else []
    parts.append(f"Alert {alert.id} of project {finding.project}. {_orders(delivery)}")
    return "\n\n".join(parts) + "\n"


def as_json(delivery: Delivery) -> bytes:
    """The body of a webhook: type, timestamp and data, as Standard Webhooks asks."""
    alert, finding = delivery.alert, delivery.alert.finding
    data = {
        "alert": alert.id,
        "project": finding.project,
        "endpoint": finding.endpoint,
        "monitor": finding.monitor,
        "subject": finding.subject,
        "severity": alert.severity,
        "stands": alert.stands,
        "title": title(delivery),
        "what": finding.what,
        "evidence": finding.evidence,
        "cause": finding.cause,
        "advice": finding.advice,
        "links": finding.links,
        "raised": moment(alert.raised),
        "seen": moment(alert.seen),
        "ended": None if alert.ended is None else moment(alert.ended),
        "times": alert.times,
    }
    kind = f"alert.{delivery.notice}"
    return msgspec.json.encode({"type": kind, "timestamp": moment(delivery.planned), "data": data})


def as_chat(delivery: Delivery) -> bytes:
    """The body of an incoming webhook of Slack, which Mattermost, Rocket.Chat and others take as well.

    A line, and one attachment with a coloured edge: all of them show that, while blocks are Slack's own.
    """
    finding = delivery.alert.finding
    fields: list[dict[str, Any]] = [
        {"title": _escaped(each.name), "value": _escaped(_against(each.value, each.limit)), "short": True}
        for each in finding.evidence
    ]
    said = [_escaped(_course(delivery))]
    said += [f"*Likely cause:* {_escaped(finding.cause)}"] if finding.cause else []
    said += [f"*What to do:* {_escaped(finding.advice)}"] if finding.advice else []
    said += [f"<{_escaped(each.url)}|{_escaped(each.title)}>" for each in finding.links]
    over = delivery.notice is Notice.OVER
    attachment = {
        "fallback": _escaped(title(delivery)),
        "color": _GREEN if over else _COLOURS[delivery.alert.severity],
        "text": "\n".join(said),
        "fields": fields,
        "footer": f"alert {delivery.alert.id}",
        "mrkdwn_in": ["text"],
    }
    return msgspec.json.encode({"text": _escaped(title(delivery)), "attachments": [attachment]})


def moment(at: Micros) -> str:
    """A moment in UTC, to the second.

    >>> moment(Micros(1_372_636_800_000_000))
    '2013-07-01T00:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="seconds").replace("+00:00", "Z")


def _course(delivery: Delivery) -> str:
    """Since when, until when and how often it was found."""
    alert = delivery.alert
    often = "once" if alert.times == 1 else f"{alert.times} times"
    if alert.ended is not None:
        return f"Over since {moment(alert.ended)}; found {often} from {moment(alert.raised)} to {moment(alert.seen)}."
    return f"Stands since {moment(alert.raised)}; found {often}, last at {moment(alert.seen)}."


def _orders(delivery: Delivery) -> str:
    alert = delivery.alert
    show = f"See it with `headgate alerts show {alert.id}`"
    if not alert.stands:
        return f"{show}."
    return f"{show}; end its reminders with `headgate alerts acknowledge {alert.id}`."


def figure_line(figure: Figure) -> str:
    """One figure of the evidence, with what it is held against.

    >>> figure_line(Figure("distance", "0.31", "0.10"))
    'distance: 0.31 (limit 0.10)'
    """
    return printed(f"{figure.name}: {_against(figure.value, figure.limit)}")


def _against(value: str, limit: str) -> str:
    return f"{value} (limit {limit})" if limit else value


def _escaped(plain: str) -> str:
    """Plain text where Slack reads marks: three characters are written as it asks, so that nobody is called by them."""
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
