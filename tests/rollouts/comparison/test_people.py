"""People one by one: against figures worked out by hand."""

import numpy as np
import pytest
from tests.rollouts.tables import CANDIDATE, answer, joined

from headgate.contracts.contract import Output
from headgate.rollouts.comparison.people import UNNAMED, kappa, reviewed
from headgate.rollouts.comparison.values import Alone
from headgate.vocabulary import PEOPLE, Role, Task

OUTPUT = Output(Task.BINARY, classes=("no", "yes"))


def decided(place: int, said: str, who: str | None, truth: str | None = None) -> dict[str, object]:
    return answer(place, Role.HUMAN, said, truth, assigned=PEOPLE, answered=who)


def model(place: int, said: str) -> dict[str, object]:
    return answer(place, Role.SHADOW, said, assigned=CANDIDATE)


def by_itself(place: int, said: str, truth: str | None = None) -> dict[str, object]:
    return answer(place, Role.LIVE, said, truth, assigned=CANDIDATE)


def test_each_reviewer_beside_the_model_and_the_truth() -> None:
    rows = [
        decided(1, "yes", "ann", "yes"), model(1, "yes"),
        decided(2, "no", "ann", "yes"), model(2, "yes"),
        decided(3, "no", "ann"),
        decided(4, "no", "", "no"), model(4, "no"),
    ]  # fmt: skip
    found = reviewed(joined(rows), OUTPUT, CANDIDATE)
    assert found is not None
    ann, other = found.reviewers
    assert (ann.name, ann.decided, ann.agreement, ann.error) == ("ann", 3, 0.5, 0.5)
    assert (other.name, other.decided, other.agreement, other.error) == (UNNAMED, 1, 1.0, 0.0)
    assert (found.people, found.twice, found.agreement, found.people_kappa) == (2, 0, None, None)


def test_people_beside_each_other_on_what_two_decided() -> None:
    said = [("yes", "yes"), ("yes", "no"), ("no", "no"), ("no", "no"), ("yes", "yes")]
    rows = [
        decided(place, word, who)
        for place, both in enumerate(said)
        for who, word in zip(("ann", "bob"), both, strict=True)
    ]
    found = reviewed(joined([*rows, decided(9, "yes", "ann")]), OUTPUT, CANDIDATE)
    assert found is not None
    assert (found.twice, found.agreement) == (5, 0.8)
    # They agree on 4 of 5; by chance on 3/5 x 2/5 + 2/5 x 3/5 = 12/25.
    assert found.people_kappa == pytest.approx((0.8 - 0.48) / 0.52)


def test_what_the_model_decided_by_itself() -> None:
    rows = [
        decided(1, "yes", "ann"), model(1, "yes"),
        by_itself(2, "yes", "no"),
        by_itself(3, "no", "no"), decided(3, "yes", "ann"),
        by_itself(4, "no"), decided(4, "no", "bob"),
        answer(5, Role.LIVE, "no", assigned="late:9"),
    ]  # fmt: skip
    found = reviewed(joined(rows), OUTPUT, CANDIDATE)
    assert found is not None
    assert found.alone == Alone(decided=3, labelled=2, error=0.5, audited=2, agreement=0.5)
    assert [(each.name, each.agreement) for each in found.reviewers] == [("ann", 0.5), ("bob", 1.0)]
    before = reviewed(joined(rows[:2]), OUTPUT, CANDIDATE)
    assert before is not None
    assert before.alone is None


def test_kappa_is_nothing_where_chance_explains_everything() -> None:
    assert kappa(np.array([1, 1]), np.array([1, 1])) is None
    assert kappa(np.array([], int), np.array([], int)) is None
    assert kappa(np.array([0, 1]), np.array([1, 0])) == -1.0


def test_numbers_have_no_kappa() -> None:
    assert reviewed(joined([]), Output(Task.REGRESSION), CANDIDATE) is None
