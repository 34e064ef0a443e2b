"""Successive halving: many settings on few rows, the better third on more, the best on all.

After Jamieson & Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", with time as
the budget instead of a number of settings, and one setting of every family kept to the end, so that families are
compared on all rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from headgate.retraining.search.families import Family, Parameters
from headgate.retraining.search.trial import Trial

THIRD: Final = 3
LEAST_SHARED: Final = 1_500
"""Rows below which a share of the rows tells too little of all of them."""
FIRST_ROUND: Final = 0.35
"""Share of the budget spent on settings that see few rows."""
RACE: Final = 0.8
"""Share of the budget spent when the race ends; the rest is for learning from all rows and for what would be served."""
MOST_SETTINGS: Final = 60
NO_TIME: Final = "there was no time left to try it on more rows"
FIRST_ROUNDS: Final = 120
"""Trees that follow one another at most where a setting is tried for the first time."""
MORE_ROUNDS: Final = 2.5
"""On more rows a boosted model is given so many times the rounds that were best on fewer."""
_GROWTH: Final = 1.1
"""A fit on k times the rows is taken to last k to this power as long."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A setting that takes part."""

    number: int
    family: Family
    parameters: Parameters


def entrants(families: Sequence[Family], seed: int) -> Iterator[Entrant]:
    """Settings without end: one of each family in turn, the same for the same seed."""
    random = np.random.default_rng(seed)
    turns = [(each, each.settings(random)) for each in families]
    number = 0
    while True:
        for family, settings in turns:
            yield Entrant(number, family, next(settings))
            number += 1


def _with_rounds(family: Family, drawn: Parameters, best: Parameters | None = None) -> Parameters:
    """A setting with as many rounds as are worth trying: the best number is seldom far from that on fewer rows."""
    if family.rounds is None:
        return drawn
    most = FIRST_ROUNDS if best is None else round(MORE_ROUNDS * float(best[family.rounds] or 0))
    return {**drawn, family.rounds: min(int(drawn[family.rounds] or 0), most)}


def shares(rows: int) -> tuple[float, ...]:
    """The shares of rows that settings are tried on, smallest first.

    >>> shares(50_000), shares(1_000)
    ((0.1111111111111111, 0.3333333333333333, 1.0), (1.0,))
    """
    found = [1.0]
    while len(found) < THIRD and rows * found[0] / THIRD >= LEAST_SHARED:
        found.insert(0, found[0] / THIRD)
    return tuple(found)


@dataclass(slots=True)
class Race:
    """One race. `attempt` tries a setting on a share of the rows; `spent` says how many seconds are gone."""

    attempt: Callable[[Entrant, float], Trial]
    spent: Callable[[], float]
    budget_s: float
    rounds: tuple[float, ...]
    """What `shares` gave."""
    most: int = MOST_SETTINGS
    """Settings tried at most."""
    drawn: dict[int, Parameters] = field(default_factory=dict)
    """Settings as they were drawn, by number."""
    dropped: list[Trial] = field(default_factory=list)
    """Those that are out, with the reason."""

    def run(self, settings: Iterator[Entrant], families: int) -> tuple[Trial, ...]:
        """Every setting with the largest share it reached; those not `out` were tried on the last one, best first.

        The first setting is tried on all rows whatever it takes, so that there is always one.
        """
        field_ = self._first(settings, families)
        for place, share in enumerate(self.rounds[1:], 1):
            field_ = self._next(field_, share, self._until(place))
        return (*field_, *sorted(self.dropped, key=lambda each: (-each.share, each.loss)))

    def _until(self, place: int) -> float:
        if len(self.rounds) == 1:
            return RACE * self.budget_s
        step = (RACE - FIRST_ROUND) / (len(self.rounds) - 1)
        return (FIRST_ROUND + step * place) * self.budget_s

    def _first(self, settings: Iterator[Entrant], families: int) -> list[Trial]:
        tried: list[Trial] = []
        for entrant in settings:
            until = self._until(0) if entrant.number >= families else RACE * self.budget_s / 2
            if entrant.number >= self.most or (tried and self.spent() >= until):
                break
            self.drawn[entrant.number] = entrant.parameters
            first = entrant.parameters if len(self.rounds) == 1 else _with_rounds(entrant.family, entrant.parameters)
            tried.append(self.attempt(replace(entrant, parameters=first), self.rounds[0]))
        return self._ranked(tried)

    def _next(self, before: list[Trial], share: float, until: float) -> list[Trial]:
        """The better third and the best of every family, on more rows, as far as time allows."""
        best = {each.family.name: each.number for each in reversed(before)}
        allowed = {each.number for each in before[: -(-len(before) // THIRD)]} | set(best.values())
        tried: list[Trial] = []
        for each in before:
            grown = each.seconds * (share / each.share) ** _GROWTH
            if each.number not in allowed:
                self.dropped.append(each.without(f"others were better on {each.share:.0%} of the rows"))
            elif tried and self.spent() + grown > until:
                self.dropped.append(each.without(NO_TIME))
            else:
                given = _with_rounds(each.family, self.drawn[each.number], each.parameters)
                tried.append(self.attempt(Entrant(each.number, each.family, given), share))
        return self._ranked(tried)

    def _ranked(self, tried: list[Trial]) -> list[Trial]:
        """Those that could learn, best first, with the memory of each family's best alone."""
        self.dropped += [each.without() for each in tried if each.out]
        ranked = sorted((each for each in tried if not each.out), key=lambda each: (each.loss, each.number))
        seen: set[str] = set()
        kept = []
        for each in ranked:
            kept.append(each.without() if each.family.name in seen else each)
            seen.add(each.family.name)
        return kept
