"""Several families answering together: a weighted mean of their answers, where that is clearly better than any alone.

Families err in different ways, most of all on days unlike those they learned from. Members and weights are found by
greedy selection with replacement (Caruana et al. 2004, "Ensemble Selection from Libraries of Models").
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder

from headgate.retraining.search.families import Family, Parameters, Setup
from headgate.retraining.search.learnable import Examined
from headgate.retraining.search.roles import Roles
from headgate.retraining.search.trial import Said, Trial, Trials
from headgate.vocabulary import Task

NAME: Final = "blend"
PICKS: Final = 6
"""Picks, so that a member's weight is a multiple of a sixth."""
MEMBERS: Final = 3
"""Models of a blend at most: a row is asked of each."""


def blended(best: Sequence[Trial], trials: Trials, number: int) -> Trial | None:
    """The blend of these trials, if its loss is lower than the lowest of theirs by more than a standard error.

    They must have judged the same rows; `number` is that of the new trial.
    """
    same = [each for each in best if each.said and each.share == best[0].share]
    picks = _picks(same, trials)
    if len(picks) < 2:
        return None
    counts = Counter(each.number for each in picks)
    members = [each for each in same if each.number in counts]
    weights = [counts[each.number] / len(picks) for each in members]
    said = mean_of([each.said for each in members], weights)
    gain = _losses(same[0].said, trials) - (losses := _losses(said, trials))
    if not float(gain.mean()) > float(gain.std()) / len(gain) ** 0.5:
        return None
    names = {each.family.name: round(weight, 3) for each, weight in zip(members, weights, strict=True)}
    seconds = sum(each.seconds for each in members)
    return Trial(number, FAMILY, names, names, same[0].share, float(losses.mean()), seconds, said=said)


def mean_of(said: Sequence[Sequence[Said]], weights: Sequence[float]) -> tuple[Said, ...]:
    """The weighted mean of what several models said, fold by fold."""
    return tuple(
        Said(fold[0].rows, np.asarray(sum(weight * each.answers for each, weight in zip(fold, weights, strict=True))))
        for fold in zip(*said, strict=True)
    )


def assembled(members: Sequence[tuple[str, Any]], weights: Sequence[float], data: Examined, labels: Any) -> Any:
    """Fitted pipelines as one fitted model whose answers are the weighted mean of theirs.

    Members learned the numbers of classes; the model answers those classes that are among `labels`.
    """
    named = [(name.replace(" ", "_"), each) for name, each in members]
    if data.task is Task.REGRESSION:
        model: Any = VotingRegressor(named, weights=np.array(weights))
    else:
        # Unlike the default, an array of shape (rows, classes) is what its converter to ONNX knows.
        model = VotingClassifier(named, voting="soft", weights=np.array(weights), flatten_transform=False)
        model.le_ = LabelEncoder().fit(labels)
        model.classes_ = model.le_.classes_
    # What fit would set. It cannot be asked: it hands no weights of rows to pipelines, and would learn all anew.
    model.estimators_ = [each for _, each in members]
    model.named_estimators_ = dict(named)  # no Bunch, which a file without code does not hold
    model.feature_names_in_ = np.array(data.frame.columns, dtype=object)
    return model


def _picks(same: Sequence[Trial], trials: Trials) -> list[Trial]:
    """The best first, then, again and again, whichever makes the mean of all picks best."""
    picks = [same[0]]
    while len(picks) < PICKS:
        full = len({each.number for each in picks}) == MEMBERS
        allowed = [each for each in same if not full or each in picks]

        def loss(added: Trial) -> float:
            together = [*picks, added]
            said = mean_of([each.said for each in together], [1 / len(together)] * len(together))
            return float(_losses(said, trials).mean())

        picks.append(min(allowed, key=loss))
    return picks


def _losses(said: Sequence[Said], trials: Trials) -> Any:
    return np.concatenate([trials.losses(each) for each in said])


def _built(_given: Parameters, _roles: Roles, _setup: Setup) -> Any:
    raise NotImplementedError("a blend is assembled of fitted models")


FAMILY: Final = Family(NAME, (), lambda _random: {}, _built)
