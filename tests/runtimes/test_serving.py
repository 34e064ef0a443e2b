"""Joined batches come apart as they were put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.runtimes.failure import MESSAGE_LIMIT, failed
from headgate.runtimes.ports import Feeds, Outputs
from headgate.runtimes.serving import form, join, split


def feeds(*values: float) -> Feeds:
    return {"x": np.array(values).reshape(-1, 1), "t": np.array([str(each) for each in values], dtype=object)}


@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_caller_gets_the_rows_it_brought(parts: list[list[float]]) -> None:
    whole = join([feeds(*each) for each in parts])
    values = whole["x"][:, 0]
    scores = np.column_stack([values, values])
    found = split(Outputs(whole["t"], scores, {"x": whole["x"]}, 9), [len(each) for each in parts])
    for part, outputs in zip(parts, found, strict=True):
        assert outputs.prediction.tolist() == [str(each) for each in part]
        assert outputs.scores is not None
        assert outputs.scores.flags.c_contiguous
        assert outputs.scores[:, 1].tolist() == part
        assert outputs.arrays["x"][:, 0].tolist() == part
        assert outputs.compute_us == 9


def test_tensor_answers_without_predictions_come_apart_too() -> None:
    found = split(Outputs(np.empty(0), None, {"y": np.arange(6).reshape(3, 2)}, 1), [1, 2])
    assert [each.arrays["y"].tolist() for each in found] == [[[0, 1]], [[2, 3], [4, 5]]]
    assert all(each.prediction.size == 0 for each in found)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"x": np.zeros((5, 2))}, True),
        ({"x": np.zeros((1, 3))}, False),
        ({"x": np.zeros((1, 2), np.float32)}, False),
        ({"y": np.zeros((1, 2))}, False),
    ],
)
def test_only_batches_of_one_form_are_joined(other: Feeds, same: bool) -> None:
    assert (form(other) == form({"x": np.zeros((1, 2))})) == same


def test_a_models_message_is_clipped_to_one_line() -> None:
    said = str(failed(ValueError("long\n" * 1000)))
    assert "\n" not in said
    assert len(said) < MESSAGE_LIMIT + 60
    assert said.endswith("…")
