"""A runtime's outputs become one answer per row, each with the row it belongs to."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.scenery import PLAIN, a_view, an_ask, numbered_ids, outputs, served

from headgate.contracts.contract import Contract, Output
from headgate.gateway.ask import Ask, Share
from headgate.gateway.divide import divide
from headgate.gateway.metrics import Slab
from headgate.gateway.speak import pick, speak
from headgate.journal.records import Answer
from headgate.runtimes.ports import Outputs
from headgate.vocabulary import Task


@pytest.fixture(scope="module")
def slab() -> Iterator[Slab]:
    with tempfile.TemporaryDirectory() as folder:
        slab = Slab(Path(folder) / "w0.slab")
        yield slab
        slab.close()


def a_share(slab: Slab, counts: list[int], task: Task = Task.BINARY) -> tuple[Share, list[Ask]]:
    output = PLAIN.output if task is Task.BINARY else Output(task)
    view = a_view(slab, by={"m:1": served(Contract(PLAIN.fields, output))})
    asks = [an_ask(view, [(float(at), 0.0)] * count) for at, count in enumerate(counts)]
    (share,) = divide(view, asks, view.assignment, numbered_ids(), 0).shares()
    return share, asks


@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_every_row_gets_its_own_words(slab: Slab, counts: list[int]) -> None:
    share, asks = a_share(slab, counts)
    said = outputs(sum(counts))
    assert said.scores is not None
    answers = speak(share, said)
    assert [each.input_id for each in answers] == [each.id for each in share.inputs]
    assert [each.scores for each in answers] == said.scores.tolist()
    assert [each.prediction for each in answers] == said.prediction.tolist()
    assert [outcome for ask in asks for outcome in ask.outcomes] == answers
    for each in answers:
        assert (each.assigned, each.answered, each.role, each.probability, each.fallback) == (
            "m:1",
            "m:1",
            "live",
            1.0,
            "",
        )
        assert (each.compute_us, each.latency_us >= 0) == (7, True)


def test_who_spoke_for_whom_and_why_is_kept(slab: Slab) -> None:
    view = a_view(slab, {"m:1": 0.0, "m:2": 1.0})
    ask = an_ask(view, [(1.0, 1.0)])
    (share,) = divide(view, [ask], view.assignment, numbered_ids(), 0).shares()
    share.seat, share.fallback = view.live, "late"
    (answer,) = speak(share, outputs(1))
    assert (answer.assigned, answer.answered, answer.role, answer.fallback) == ("m:2", "m:1", "canary", "late")


def test_arrays_are_handed_out_row_by_row(slab: Slab) -> None:
    share, (first, second) = a_share(slab, [2, 1], Task.TENSOR)
    boxes, names = np.arange(12.0).reshape(3, 2, 2), np.array([7, 8, 9])
    answers = speak(share, Outputs(np.empty(0), None, {"boxes": boxes, "names": names}, 1))
    assert [each.prediction for each in answers] == boxes.reshape(3, 4).tolist()
    for ask, start in ((first, 0), (second, 2)):
        assert ask.arrays is not None
        assert [ask.arrays[place]["names"] for place in sorted(ask.arrays)] == names[start:][
            : len(ask.outcomes)
        ].tolist()
        np.testing.assert_array_equal(ask.arrays[0]["boxes"], boxes[start])


def test_a_model_without_outputs_answers_nothing_to_everybody(slab: Slab) -> None:
    share, (ask,) = a_share(slab, [2], Task.TENSOR)
    assert [each.prediction for each in speak(share, Outputs(np.empty(0), None, {}, 1))] == [[], []]
    assert all(isinstance(each, Answer) for each in ask.outcomes)


@given(st.lists(st.integers(0, 4), max_size=5))
def test_picking_is_indexing(places: list[int]) -> None:
    said = outputs(5)
    whole = Outputs(said.prediction, said.scores, {"x": np.arange(10).reshape(5, 2)}, 7)
    part = pick(whole, places)
    assert part.scores is not None
    assert whole.scores is not None
    assert part.prediction.tolist() == [whole.prediction[at] for at in places]
    assert part.scores.tolist() == [whole.scores.tolist()[at] for at in places]
    assert part.arrays["x"].tolist() == [[2 * at, 2 * at + 1] for at in places]
    assert part.compute_us == 7


def test_picking_from_tensors_leaves_what_is_not_there() -> None:
    part = pick(Outputs(np.empty(0), None, {"x": np.arange(3)}, 1), [2])
    assert (len(part.prediction), part.scores, part.arrays["x"].tolist()) == (0, None, [2])
