"""Who the two sides are, how often each answered, and what it took. `compare` is the only caller."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from headgate.monitors.windows import quantiles
from headgate.rollouts.comparison.pairs import Answers, Pairs
from headgate.rollouts.comparison.values import Cost, Failure, Side
from headgate.rollouts.comparison.words import cut
from headgate.vocabulary import Role

NAMES: Final[Mapping[str, str]] = {Role.HUMAN: "people"}
"""What a role without a version is called, where it is not called by itself."""

LONGEST: Final = 40
"""Characters of a name."""


def sides(pairs: Pairs) -> tuple[Side, Side]:
    """The live side and the candidate, under names that differ."""
    answers = (pairs.live, pairs.candidate)
    names = [_name(each) for each in answers]
    if names[0] == names[1]:
        names = [f"{name} ({each.role})" for name, each in zip(names, answers, strict=True)]
    if names[0] == names[1]:
        names = [f"{names[0]} 1", f"{names[1]} 2"]
    live, candidate = (_side(each, name) for each, name in zip(answers, names, strict=True))
    return live, candidate


def _name(answers: Answers) -> str:
    role = NAMES.get(answers.role, answers.role)
    alone = len(answers.versions) == 1 and answers.role not in NAMES
    return cut(answers.versions[0] if alone else role, LONGEST)


def _side(answers: Answers, name: str) -> Side:
    counts = np.bincount(answers.reason[answers.reason >= 0], minlength=len(answers.reasons)).tolist()
    ranked = sorted(zip(answers.reasons, counts, strict=True), key=lambda each: (-each[1], each[0]))
    return Side(
        name=name,
        role=answers.role,
        versions=answers.versions,
        asked=int(answers.asked.sum()),
        answered=int(answers.answered.sum()),
        failures=tuple(Failure(reason, count) for reason, count in ranked if count),
    )


def cost(answers: Answers) -> Cost:
    """How long a side took over all inputs of `answers`."""
    measured = answers.share_ms[~np.isnan(answers.share_ms)]
    return Cost(
        compute_ms=quantiles(answers.compute_ms),
        latency_ms=quantiles(answers.latency_ms),
        # A thousandth of a second for one input is a second for a thousand.
        compute_s_per_1000=float(measured.mean()) if len(measured) else None,
    )


def compute_ratio(live: Cost, candidate: Cost) -> float | None:
    """The candidate's compute as a multiple of the live one's; None where either was not measured, or took nothing.

    >>> compute_ratio(Cost(compute_s_per_1000=0.5), Cost(compute_s_per_1000=1.25))
    2.5
    """
    if candidate.compute_s_per_1000 is None or not live.compute_s_per_1000:
        return None
    return candidate.compute_s_per_1000 / live.compute_s_per_1000
