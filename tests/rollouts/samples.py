"""What may have been observed of a rollout, for tests of those who act on it."""

import numpy as np
from tests.rollouts.tables import CANDIDATE, LIVE, answer, coins, joined

from headgate.contracts.contract import Output
from headgate.rollouts.answers import arms_of, pairs_of
from headgate.rollouts.judge import Sample
from headgate.rollouts.measures import Setting
from headgate.vocabulary import Role, Task

_OUTPUT = Output(Task.BINARY, classes=("no", "yes"), probability=True)
_COUNT = 8000


def nothing() -> Sample:
    """Nobody asked yet."""
    return _sample([])


def as_good() -> Sample:
    """Neither version failed once, seen side by side and divided."""
    shadowed = [answer(place, role, "yes") for place in range(_COUNT) for role in (Role.LIVE, Role.SHADOW)]
    arms = coins(np.random.default_rng(1), _COUNT, 0.5)
    divided = [
        answer(_COUNT + place, Role.CANARY if ours else Role.LIVE, "yes", probability=0.5)
        for place, ours in enumerate(arms)
    ]
    return _sample([*shadowed, *divided])


def worse() -> Sample:
    """The candidate failed wherever it was asked."""
    rows = [answer(place, Role.LIVE, "yes") for place in range(50)]
    return _sample([*rows, *(answer(place, Role.SHADOW, None, fallback="failed") for place in range(50))])


def _sample(rows: list[dict[str, object]]) -> Sample:
    table = joined(rows)
    pairs = pairs_of(table, _OUTPUT, LIVE, CANDIDATE)
    arms = arms_of(table, _OUTPUT, LIVE, CANDIDATE, lambda *_: LIVE)
    return Sample(pairs, arms, pairs, arms, Setting())
