"""A story as a value: chapters of sentences, each with where it was read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from headgate.vocabulary import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sentence(msgspec.Struct, frozen=True):
    """One thing that is known, or is not."""

    says: str
    of: str = ""
    """The record it was read from."""
    at: Micros | None = None
    missing: bool = False
    """Whether it says what there is no record of."""


class Chapter(msgspec.Struct, frozen=True):
    """The answer to one question."""

    title: str
    sentences: tuple[Sentence, ...]


class Mention(msgspec.Struct, frozen=True):
    """Another change of the endpoint's model, in a line."""

    id: str
    """What to ask `headgate explain` for all of it."""
    at: Micros
    says: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """How one change of a model came about; ``msgspec.json.encode`` is its JSON."""

    id: str
    project: str
    endpoint: str
    title: str
    short: str
    """All of it in a sentence."""
    chapters: tuple[Chapter, ...]
    others: tuple[Mention, ...] = ()
    """The endpoint's other changes, the newest first."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """What there is no record of."""
        return tuple(each.says for chapter in self.chapters for each in chapter.sentences if each.missing)


def moment(at: Micros) -> str:
    """A moment to the minute.

    >>> moment(Micros(1_362_096_059_000_000))
    '2013-03-01 00:00 UTC'
    """
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M} UTC"


def chapter(title: str, sentences: Iterator[Sentence]) -> Chapter:
    """A chapter of them all."""
    return Chapter(title, tuple(sentences))


def missing(says: str) -> Sentence:
    """What there is no record of, as a sentence."""
    return Sentence(says, missing=True)
