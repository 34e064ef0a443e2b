"""People one by one: how often each agrees with the model, and how often people agree with each other. Pure.

Agreement beyond chance is kappa, (p - e) / (1 - e): p is how often two agree, e how often they would by chance alone,
given how often each says what. Cohen 1960, "A coefficient of agreement for nominal scales".
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.monitors.columns import Bools, Ints, named, said
from headgate.rollouts.answers import spoke
from headgate.rollouts.comparison.pairs import CLASSES
from headgate.rollouts.comparison.values import Alone, Reviewed, Reviewer
from headgate.vocabulary import Role

LISTED: Final = 50
"""People told one by one, those who decided most first."""
UNNAMED: Final = "(no name)"
"""What people are called whose decisions name nobody."""


def reviewed(joined: pa.Table, output: Output, candidate: str) -> Reviewed | None:
    """How the people who decided agree with the candidate and with each other, and what it decided by itself.

    `joined` has rows of the roles ``human``, ``shadow`` and ``live``, its labels what the world said. None without
    classes.
    """
    if output.task not in CLASSES:
        return None
    codes, inputs = named(joined["input_id"])
    predicted, truth = said(joined["prediction"], output), said(joined["label"], output)
    decided = spoke(joined, None, Role.HUMAN) & (predicted >= 0)
    own = spoke(joined, candidate, Role.LIVE) & (predicted >= 0)
    answered = own | (spoke(joined, candidate, Role.SHADOW) & (predicted >= 0))
    model = np.full(len(inputs), -1)
    model[codes[answered]] = predicted[answered]
    people = joined.filter(pa.array(decided))
    actors, names = named(people["answered"])
    said_by, theirs = predicted[decided], codes[decided]
    both = model[theirs] >= 0
    first, second = _twice(theirs, said_by, actors)
    return Reviewed(
        reviewers=tuple(_each(actors, names, said_by, model[theirs], truth[decided]))[:LISTED],
        people=len(np.unique(actors)),
        kappa=kappa(said_by[both], model[theirs][both]),
        twice=len(first),
        agreement=float((first == second).mean()) if len(first) else None,
        people_kappa=kappa(first, second),
        alone=_alone(predicted[own], truth[own], _decisions(theirs, said_by, len(inputs))[codes[own]]),
    )


def kappa(one: NDArray[Any], other: NDArray[Any]) -> float | None:
    """Cohen's kappa of two that said class codes of the same inputs; None where chance alone explains everything.

    >>> kappa(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    0.5
    """
    if not len(one):
        return None
    width = int(max(one.max(), other.max())) + 1
    shares = [np.bincount(each, minlength=width) / len(each) for each in (one, other)]
    chance = float((shares[0] * shares[1]).sum())
    return None if chance >= 1.0 else (float((one == other).mean()) - chance) / (1.0 - chance)


def _decisions(inputs: Ints, decided: NDArray[Any], count: int) -> NDArray[Any]:
    """What people said of each of `count` inputs, one of them where several did; -1 where nobody did."""
    found = np.full(count, -1)
    found[inputs] = decided
    return found


def _alone(said_by_it: NDArray[Any], truth: NDArray[Any], people: NDArray[Any]) -> Alone | None:
    if not len(said_by_it):
        return None
    known, audited = truth >= 0, people >= 0
    return Alone(
        decided=len(said_by_it),
        labelled=int(known.sum()),
        error=_share(said_by_it[known] != truth[known]),
        audited=int(audited.sum()),
        agreement=_share(said_by_it[audited] == people[audited]),
    )


def _each(
    actors: Ints, names: tuple[str, ...], decided: NDArray[Any], model: NDArray[Any], truth: NDArray[Any]
) -> Iterator[Reviewer]:
    """Those who decided most first."""
    counts = np.bincount(actors + 1, minlength=len(names) + 1)
    for place in np.argsort(-counts, kind="stable").tolist():
        mine = actors + 1 == place
        if not mine.any():
            continue
        asked, known = mine & (model >= 0), mine & (truth >= 0)
        yield Reviewer(
            name=(names[place - 1] if place else "") or UNNAMED,
            decided=int(mine.sum()),
            agreement=_share(decided[asked] == model[asked]),
            error=_share(decided[known] != truth[known]),
        )


def _twice(inputs: Ints, decided: NDArray[Any], actors: Ints) -> tuple[NDArray[Any], NDArray[Any]]:
    """What two people said of each input that several decided, in the order of their names."""
    order = np.lexsort((actors, inputs))
    inputs, decided = inputs[order], decided[order]
    begins = np.flatnonzero(np.concatenate(([True], inputs[1:] != inputs[:-1]))) if len(inputs) else np.empty(0, int)
    pairs = begins[np.diff(np.concatenate((begins, [len(inputs)]))) > 1]
    return decided[pairs], decided[pairs + 1]


def _share(hits: Bools) -> float | None:
    return float(hits.mean()) if len(hits) else None
