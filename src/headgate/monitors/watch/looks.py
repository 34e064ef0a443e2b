"""What is looked at of each field once a day is over, and what of it is not as usual; `quality` keeps and tells it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from headgate.monitors.watch.aspects import share
from headgate.monitors.watch.expected_fields import Usual
from headgate.monitors.watch.shares import KNOWN, Inputs, Seen, unusual
from headgate.monitors.watch.today import LONGEST, Column, Today

LEAST: Final = 50
"""Inputs of a day below which nothing is said of their values."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is not as usual."""

    what: str
    """Which field and which rule, or what of all inputs."""
    value: str
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One share of a day."""

    key: str
    what: str
    """In words, where it is not as usual."""
    seen: Seen
    inputs: Inputs
    expected: float
    only_more: bool = False
    """Whether fewer than usual are as good."""

    @property
    def share(self) -> float:
        """To four places, as it is kept."""
        return round(self.seen.count / max(1, self.inputs.rows), 4)


def looks_of(usual: Sequence[Usual], today: Today) -> Iterator[Look]:
    """Every share that is held against what is usual of it."""
    for each in usual:
        missing = today.columns.get(each.name, Column()).missing
        gone = f"{each.name} is gone" if missing.count == today.kept else f"{each.name} without a value"
        yield Look(f"missing:{each.name}", gone, missing, today.whole, each.missing)
        for rule, expected in each.rules.items():
            key, what = f"{rule}:{each.name}"[:LONGEST], f"{each.name} breaks its {rule}"
            yield Look(key, what, today.flagged.get(key, Seen()), today.answered, expected, only_more=True)


def troubles_of(
    usual: Sequence[Usual], today: Today, before: Mapping[str, tuple[float, ...]], rows: int | None, chance: float
) -> Iterator[Trouble]:
    """What is not as usual, but for this chance of each; `rows` of a reference said what is, `before` are last days."""
    if today.kept < LEAST:
        return
    for look in looks_of(usual, today):
        days = before.get(look.key, ())
        if unusual(
            look.seen, look.inputs, look.expected, days, reference_rows=rows, chance=chance, only_more=look.only_more
        ):
            value = share(look.seen.count, look.inputs.rows)
            yield Trouble(look.what, value, f"{look.expected * 100:.3g} % usually")
    for each in usual:
        column = today.columns.get(each.name, Column())
        if _still(each, column, today, chance) and _seldom(before.get(f"still:{each.name}", ())):
            there = f"one value in {today.kept - column.missing.count:,} inputs"
            yield Trouble(f"{each.name} stands still", there, "several usually")


def count_of(usual: Sequence[Usual]) -> int:
    """How many things `troubles_of` looks at: holes and standstill of each field, rules of some."""
    return sum(1 + len(each.rules) + (each.common is not None) for each in usual)


def shares_of(usual: Sequence[Usual], today: Today) -> Iterator[tuple[str, float]]:
    """What is kept of a day, by what was looked at: every share, and whether a field stood still as 1 or 0."""
    for look in looks_of(usual, today):
        yield look.key, look.share
    for each in usual:
        if each.common is not None:
            yield f"still:{each.name}", float(not today.columns.get(each.name, Column()).varied)


def _seldom(days: Sequence[float]) -> bool:
    """Whether it is known that a field seldom stands still for a whole day: a weekday always does."""
    return len(days) >= KNOWN and 2 * sum(days) < len(days)


def _still(usual: Usual, column: Column, today: Today, chance: float) -> bool:
    """Whether a field that had several values has one, but for this chance: with common ** (n - 1) all n are it.

    Inputs of an hour may be alike, so hours are what is counted where there are several.
    """
    there, hours = today.kept - column.missing.count, today.hours.bit_count()
    if usual.common is None or column.varied or there < LEAST:
        return False
    return ((hours if hours > 1 else there) - 1) * math.log(usual.common) <= math.log(chance)
