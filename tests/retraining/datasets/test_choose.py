"""The window with the least loss is taken, a preferred one before it where chance could have made the difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import BadInput
from headgate.retraining.datasets.choose import Candidate, choose
from headgate.retraining.datasets.dataset import Cut, WindowChoice
from headgate.vocabulary import HOUR, Micros

BEGAN = Micros(500)
AT = np.arange(400) * HOUR
NEW = Candidate(WindowChoice.SINCE_CHANGE, BEGAN, Micros(900), 400)
ALL = Candidate(WindowChoice.EVERYTHING, None, Micros(900), 900)
WEIGHED = Candidate(WindowChoice.REWEIGHTED, None, Micros(900), 900)
LAST = [Candidate(WindowChoice.RECENT, Micros(each), Micros(900), 900 - each, each) for each in (90, 28)]


def asked(change: Micros | None = BEGAN) -> Cut:
    return Cut(Micros(1000), None, Micros(900), 3600.0, WindowChoice.AUTO, "", change)


def losses(mean: float, seed: int = 0) -> np.ndarray:
    return mean + 0.1 * np.random.default_rng(seed).normal(size=400)


def test_what_is_clearly_best_is_taken_whatever_is_preferred() -> None:
    means = {WindowChoice.SINCE_CHANGE: 0.5, WindowChoice.EVERYTHING: 0.4, WindowChoice.REWEIGHTED: 0.6}
    for change in (BEGAN, None):
        found = choose(asked(change), [NEW, ALL, WEIGHED], lambda each: losses(means[each.choice]), AT)
        assert (found.choice, found.start, found.end) == (WindowChoice.EVERYTHING, None, 900)
        assert "the least of all windows tried" in found.why
        assert {each.choice: each.rows for each in found.tried} == {
            NEW.choice: 400,
            ALL.choice: 900,
            WEIGHED.choice: 900,
        }


def test_of_windows_that_do_as_well_the_one_with_most_rows_is_taken() -> None:
    seeds = {WindowChoice.SINCE_CHANGE: 1, WindowChoice.EVERYTHING: 2}
    for change in (BEGAN, None):
        found = choose(asked(change), [NEW, ALL], lambda each: losses(0.4, seeds[each.choice]), AT)
        assert found.choice is WindowChoice.EVERYTHING


def test_one_good_day_of_a_small_window_is_no_reason_to_take_it() -> None:
    together = np.where(np.arange(400) < 40, 0.25, 0.0)
    everything = losses(0.4)
    alike = {WindowChoice.EVERYTHING: everything, WindowChoice.SINCE_CHANGE: everything - together}
    assert choose(asked(), [NEW, ALL], lambda each: alike[each.choice], AT).choice is WindowChoice.EVERYTHING
    apart = alike | {WindowChoice.SINCE_CHANGE: everything - np.random.default_rng(1).permutation(together)}
    assert choose(asked(), [NEW, ALL], lambda each: apart[each.choice], AT).choice is WindowChoice.SINCE_CHANGE


def test_what_cannot_be_tried_is_told_and_not_taken() -> None:
    few = Candidate(
        WindowChoice.SINCE_CHANGE, BEGAN, Micros(900), 30, short="30 labelled rows; at least 200 are needed"
    )
    found = choose(asked(), [few, ALL, *LAST], lambda each: "no row" if each.recent_days == 28 else losses(0.4), AT)
    assert found.choice is WindowChoice.EVERYTHING
    words = {each.words for each in found.tried if each.value is None}
    assert any("at least 200 are needed" in each for each in words)
    assert any("no row" in each for each in words)
    with pytest.raises(BadInput, match="at least 200 are needed"):
        choose(asked(), [few], lambda each: losses(0.4), AT)
    with pytest.raises(BadInput, match="no rows"):
        choose(asked(), [], lambda each: losses(0.4), AT)


@given(st.permutations([NEW, ALL, WEIGHED, *LAST]), st.lists(st.floats(0, 1), min_size=5, max_size=5), st.booleans())
def test_the_order_of_candidates_says_nothing(order: list[Candidate], means: list[float], changed: bool) -> None:
    mean = dict(zip([NEW, ALL, WEIGHED, *LAST], means, strict=True))
    cut = asked(BEGAN if changed else None)
    found = choose(cut, order, lambda each: losses(mean[each], seed=round(1000 * mean[each])), AT)
    assert found == choose(
        cut, [NEW, ALL, WEIGHED, *LAST], lambda each: losses(mean[each], seed=round(1000 * mean[each])), AT
    )
    chosen = next(each for each in found.tried if each.choice is found.choice)
    assert chosen.value is not None
