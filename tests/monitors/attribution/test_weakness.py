"""The slices that got worse: the one that adds most to the drop first, and what of it is another relation."""

from dataclasses import replace

import numpy as np
import pytest
from tests.monitors.attribution.windows_of import flipped, sample

from headgate.evaluation.estimate import Undefined
from headgate.evaluation.metrics import metric
from headgate.monitors.attribution.attribute import attribute
from headgate.monitors.attribution.basis import basis
from headgate.monitors.attribution.overlap import overlap
from headgate.monitors.attribution.pooled import Field
from headgate.monitors.attribution.weakness import losses, weakest


def test_the_slice_that_got_worse_comes_first() -> None:
    found = attribute(sample(11, 4000), sample(12, 4000, relation=flipped), "accuracy")
    worst = found.slices[0]
    assert worst.field == "y"
    assert worst.drop.low is not None
    assert worst.drop.low > 0.02
    assert worst.concept.value is not None
    assert worst.concept.value == pytest.approx(worst.drop.value, abs=0.05)
    assert worst.adds == pytest.approx((worst.drop.value or 0.0) * worst.rows / 4000)
    least = [(each.drop.low or 0.0) * each.rows for each in found.slices]
    assert least == sorted(least, reverse=True)


def test_slices_of_a_ranking_are_judged_by_how_often_they_are_right() -> None:
    before, now = sample(1), sample(2)
    told = losses(metric("auc"), before.rows, now.rows)
    assert not isinstance(told, Undefined)
    assert told.metric == "accuracy"
    assert set(np.unique(told.values)) == {-1.0, 0.0}
    assert isinstance(losses(metric("auc"), before.rows, replace(now.rows, predicted=None)), Undefined)


def test_a_slice_that_the_windows_hardly_share_has_a_drop_and_no_relation() -> None:
    before, now = sample(1, 20_000), sample(2, 20_000, shift=2.0)
    x = np.concatenate([np.asarray(each.fields["x"]) for each in (before, now)])
    matrix, is_current = basis([Field("x", x)]).matrix, np.arange(40_000) >= 20_000
    told = losses(metric("accuracy"), before.rows, now.rows)
    assert not isinstance(told, Undefined)
    far = Field("far", np.where(x > 2.7, "yes", "no"))
    found = {each.value: each for each in weakest([far], matrix, overlap(matrix, is_current, 0), told, 0.95)}
    assert found["yes"].drop.known
    assert found["yes"].concept.reason == "the windows share too few of its rows"
    assert found["no"].concept.low is not None
    assert found["no"].concept.rows == int((x <= 2.7).sum())
