"""What was found wrong with an endpoint, as its monitor hands it over; nothing here knows what monitors there are."""

import hashlib
import json
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from headgate.errors import BadInput
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, Micros, readable

KEY_DIGITS: Final = 12
"""Hexadecimal digits of a key: 48 bits, so that of ten thousand findings two share one with a chance of 2e-7."""
_LONGEST: Final = {"monitor": 63, "subject": 200, "what": 300, "cause": 2000, "advice": 2000}
"""Characters that fit into what people read."""
_MOST_FIGURES: Final = 50
_MOST_LINKS: Final = 20
_LAST_MOMENT: Final = 253_402_300_799_999_999
"""The last microsecond of the year 9999, which is as far as dates are written."""


class Severity(StrEnum):
    """How soon somebody ought to look, least first."""

    INFO = "info"
    """Worth knowing."""
    WARNING = "warning"
    """In the working day."""
    CRITICAL = "critical"
    """Now."""

    def reaches(self, least: "Severity") -> bool:
        """Whether it is at least as severe as `least`.

        >>> Severity.WARNING.reaches(Severity.INFO), Severity.WARNING.reaches(Severity.CRITICAL)
        (True, False)
        """
        order = list(Severity)
        return order.index(self) >= order.index(least)


class Figure(msgspec.Struct, frozen=True):
    """One number of the evidence, written as a person reads it: with its unit, and its interval where it has one."""

    name: str
    value: str
    limit: str = ""
    """What it is held against; empty where it is held against nothing."""


class Link(msgspec.Struct, frozen=True):
    """Where there is more to see."""

    title: str
    url: str
    """``http`` or ``https``."""


@readable
class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, with everything a person needs to judge it.

    >>> found = Finding(endpoint="late", monitor="score_drift", what="the scores of late moved", at=Micros(0))
    >>> found.key == msgspec.structs.replace(found, what="they moved more", at=Micros(9)).key
    True
    """

    project: str = DEFAULT_PROJECT
    endpoint: str
    monitor: str
    """Who found it, by the monitor's own word."""
    subject: str = ""
    """What of the endpoint it is about: a field, a segment, a version; empty for the endpoint as a whole."""
    severity: Severity = Severity.WARNING
    what: str
    """What is wrong, as one sentence."""
    evidence: tuple[Figure, ...] = ()
    cause: str = ""
    """Why that is so, as far as anybody can tell."""
    advice: str = ""
    """What to do."""
    links: tuple[Link, ...] = ()
    at: Micros
    """When it was found."""
    until: Micros | None = None
    """Until when it counts although it is not found again; None leaves that to the endpoint's ``alerts.over_after``."""

    @property
    def key(self) -> str:
        """By what two findings are one and the same: project, endpoint, monitor and subject, as hexadecimal digits."""
        return key_of(self.project, self.endpoint, self.monitor, self.subject)


def key_of(project: str, endpoint: str, monitor: str, subject: str = "") -> str:
    """The key of whatever a monitor finds of a subject: the first digits of SHA-256 over the four as a JSON array.

    >>> key_of("default", "late", "score_drift")
    '95b7f341ce7e'
    """
    content = json.dumps([project, endpoint, monitor, subject], separators=(",", ":"))
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:KEY_DIGITS]


def checked(finding: Finding) -> Finding:
    """`finding`, if it can be kept and told. Raises BadInput naming the field and its rule.

    >>> checked(Finding(endpoint="late", monitor="", what="the scores moved", at=Micros(0)))
    Traceback (most recent call last):
    headgate.errors.BadInput: monitor: must not be empty
    """
    for name in ("project", "endpoint"):
        if not NAME.fullmatch(getattr(finding, name)):
            raise BadInput(name, "name", f"must match {NAME_RULE}")
    for name in ("monitor", "what"):
        if not getattr(finding, name).strip():
            raise BadInput(name, "required", "must not be empty")
    for name, longest in _LONGEST.items():
        _check_text(name, getattr(finding, name), longest)
    for name in ("at", "until"):
        if not 0 <= (getattr(finding, name) or 0) <= _LAST_MOMENT:
            raise BadInput(name, "range", "must be microseconds between the years 1970 and 9999")
    _check_parts(finding)
    return finding


def _check_parts(finding: Finding) -> None:
    if len(finding.evidence) > _MOST_FIGURES:
        raise BadInput("evidence", "length", f"must be at most {_MOST_FIGURES} figures")
    if len(finding.links) > _MOST_LINKS:
        raise BadInput("links", "length", f"must be at most {_MOST_LINKS}")
    for i, figure in enumerate(finding.evidence):
        for name in ("name", "value", "limit"):
            _check_text(f"evidence[{i}].{name}", getattr(figure, name), _LONGEST["subject"])
    for i, link in enumerate(finding.links):
        _check_text(f"links[{i}].title", link.title, _LONGEST["subject"])
        _check_text(f"links[{i}].url", link.url, _LONGEST["cause"])
        if not _is_web(link.url):
            raise BadInput(f"links[{i}].url", "url", "must be an http or https address without spaces")


def _check_text(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise BadInput(field, "length", f"must be at most {longest} characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(field, "utf8", "must be UTF-8 text") from error


def _is_web(url: str) -> bool:
    """Whether a person may follow it: other schemes run programs, and brackets end a link too early."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not set(url) & set(' \t\r\n<>|"')
