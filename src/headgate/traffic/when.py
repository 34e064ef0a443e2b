"""When a model is to learn again, as an endpoint's file says it: ``alarm or schedule("0 3 * * 1") and labels >= 500``.

Read once into a value; ``retraining`` asks it. ``and`` binds before ``or``, and parentheses before both.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.traffic.cron import Cron, read_cron

_TOKEN: Final = re.compile(r'\s*(?:(?P<text>"[^"]*")|(?P<sign>>=|\(|\))|(?P<word>[a-z_]+)|(?P<number>[0-9]+))')
_WORDS: Final = 'alarm, schedule("0 3 * * 1"), labels >= 5000, data and message, joined by and, or and parentheses'


class Ground(StrEnum):
    """What kind of alarm is meant."""

    CONCEPT = "concept"
    """The same inputs have other outputs: answers are more often wrong than they were, or a diagnosis says so."""
    DATA = "data"
    """The inputs have another distribution."""
    PERFORMANCE = "performance"
    """A metric by labels is worse than the evaluation said, beyond what is borne."""
    ESTIMATE = "estimate"
    """The same, as it is estimated before labels are there."""


class Alarm(msgspec.Struct, frozen=True, tag="alarm"):
    """A monitor's alarm stands."""

    ground: Ground | None = None
    """None takes any of these grounds."""


class Schedule(msgspec.Struct, frozen=True, tag="schedule"):
    """A time of the schedule has passed since the last run."""

    cron: Cron


class Labels(msgspec.Struct, frozen=True, tag="labels"):
    """So many labels are due that the last run did not know."""

    least: int


class Data(msgspec.Struct, frozen=True, tag="data"):
    """Somebody upstream told of a new version of a data set."""


class Message(msgspec.Struct, frozen=True, tag="message"):
    """Somebody's program, such as CI, asked for it."""


class And(msgspec.Struct, frozen=True, tag="and"):
    """All of them."""

    parts: tuple["When", ...]


class Or(msgspec.Struct, frozen=True, tag="or"):
    """Any of them."""

    parts: tuple["When", ...]


When = Alarm | Schedule | Labels | Data | Message | And | Or


def read_when(text: str) -> When:
    """The value of such a sentence. Raises BadInput that says what cannot be read.

    >>> read_when("alarm(concept) or labels >= 500 and data")
    Or(parts=(Alarm(ground=<Ground.CONCEPT: 'concept'>), And(parts=(Labels(least=500), Data()))))
    """
    reader = _Reader(_tokens(text))
    found = reader.any_of()
    if reader.tokens:
        raise _unread(reader.tokens[0])
    return found


class _Reader:
    """Reads one sentence from its tokens, the next one first."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def any_of(self) -> When:
        parts = [self._all_of()]
        while self._took("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self) -> When:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> When:
        token = self._next()
        match token:
            case "(":
                found = self.any_of()
                self._want(")")
                return found
            case "alarm":
                return Alarm(self._ground() if self._took("(") else None)
            case "schedule":
                self._want("(")
                cron = read_cron(self._next().strip('"'))
                self._want(")")
                return Schedule(cron)
            case "labels":
                self._want(">=")
                number = self._next()
                if not number.isdigit() or not int(number):
                    raise BadInput("when", "format", "labels >= wants a whole number, at least 1")
                return Labels(int(number))
            case "data":
                return Data()
            case "message":
                return Message()
        raise _unread(token)

    def _ground(self) -> Ground:
        word = self._next()
        if word not in list(Ground):
            raise BadInput("when", "unknown", f"alarm(…) knows {', '.join(Ground)}")
        self._want(")")
        return Ground(word)

    def _took(self, token: str) -> bool:
        there = bool(self.tokens) and self.tokens[0] == token
        if there:
            self.tokens.pop(0)
        return there

    def _next(self) -> str:
        if not self.tokens:
            raise BadInput("when", "format", f"ends too early; it is made of {_WORDS}")
        return self.tokens.pop(0)

    def _want(self, token: str) -> None:
        if not self._took(token):
            there = f"before '{self.tokens[0][:40]}'" if self.tokens else "at the end"
            raise BadInput("when", "format", f"lacks a {token} {there}")


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unread(text[place:].strip())
        found.append(match[0].strip())
        place = match.end()
    return found


def _unread(token: str) -> BadInput:
    return BadInput("when", "unknown", f"'{token[:40]}' means nothing there; it is made of {_WORDS}")
