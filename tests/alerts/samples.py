"""Findings, alerts and deliveries for tests."""

from typing import Any

from headgate.alerts.alert import Alert, Notice, raised
from headgate.alerts.delivery import Delivery, planned
from headgate.alerts.finding import Figure, Finding, Link, Severity
from headgate.vocabulary import SECOND, Micros

T0 = Micros(1_372_636_800 * SECOND)
"""2013-07-01."""
SECRET = "a secret of two dozen bytes"  # noqa: S105 - the tests' own, and of no use elsewhere


def finding(severity: Severity = Severity.WARNING, at: int = T0, **words: Any) -> Finding:
    given: dict[str, Any] = {"endpoint": "late", "monitor": "score_drift", "what": "the scores of late moved"}
    return Finding(**{"severity": severity, "at": Micros(at), **given, **words})


def full() -> Finding:
    """One with every part, and marks that chats and mail might take for their own."""
    return finding(
        Severity.CRITICAL,
        subject="carrier = <AA>",
        evidence=(Figure("distance", "0.31 (0.27 to 0.35)", "0.10"), Figure("rows", "5,000")),
        cause="a & b changed",
        advice="look at <dep_delay>",
        links=(Link("report", "https://example.com/report?a=1&b=2"),),
    )


def delivery(found: Finding | None = None, notice: Notice = Notice.RAISED, channel: str = "ops") -> Delivery:
    alert: Alert = raised(finding() if found is None else found)
    return planned(alert, notice, channel, b"s" * 32, T0)
