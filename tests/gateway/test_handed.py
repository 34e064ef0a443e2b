"""Rows handed over to a shadow keep their ids, whatever form they have, and its records are about those rows alone."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.scenery import BINARY, PLAIN, a_reading, a_view, an_ask, numbered_ids, outputs, served

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import RuntimeFailed
from headgate.gateway.ask import Share, make_ask
from headgate.gateway.columns import Columns, LazyRows, Matrix, Table
from headgate.gateway.divide import divide
from headgate.gateway.handed import Batch, Handed, handed
from headgate.gateway.metrics import Slab
from headgate.gateway.stretch import Stretch
from headgate.gateway.view import Served, View
from headgate.journal.identifiers import each_id
from headgate.journal.packed import unpacked
from headgate.journal.records import Answer, Block
from headgate.runtimes.feeds import Column
from headgate.runtimes.ports import Outputs
from headgate.traffic.shadows import shadow_share
from headgate.traffic.traffic import Shadow
from headgate.vocabulary import Role, Task

NOW = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def slab() -> Iterator[Slab]:
    with tempfile.TemporaryDirectory() as folder:
        slab = Slab(Path(folder) / "w0.slab")
        yield slab
        slab.close()


def a_shadowed_view(slab: Slab, shadow: Served | None = None, share: float = 1.0) -> View:
    weights = {"m:1": 1.0, "m:2": 0.0}
    return a_view(slab, weights, by={"m:2": shadow or served()}, shadows=[Shadow("m:2", share)])


def a_share(view: View, rows: int) -> Share:
    ask = an_ask(view, [(float(at), -float(at)) for at in range(rows)])
    (share,) = divide(view, [ask], view.assignment, numbered_ids(), NOW).shares()
    return share


def a_stretch(view: View, columns: Table) -> Stretch:
    reading = a_reading(LazyRows(columns))
    reading.columns = columns
    ask = make_ask(view, reading, lambda ask: None)
    (stretch,) = divide(view, [ask], view.assignment, numbered_ids(), NOW).stretches
    return stretch


def a_matrix(rows: int) -> Matrix:
    return Matrix(np.array([[float(at), -float(at)] for at in range(rows)]))


def as_columns(rows: int) -> Columns:
    nulls = np.arange(rows) % 3 == 2
    return Columns((Column(np.arange(float(rows)), nulls), Column(-np.arange(float(rows)))))


def taken_of(work: Share | Stretch) -> bool:
    ((seat, share),) = work.view.shadows
    return handed([work], seat, share) is not None  # type: ignore[arg-type]  # one work is of one kind


def given_to(*works: Share | Stretch) -> Handed:
    ((seat, share),) = works[0].view.shadows
    found = handed(list(works), seat, share)  # type: ignore[arg-type]  # a test hands over works of one kind
    assert found is not None
    return found


def records(batch: Batch, said: Outputs) -> list[Answer]:
    written = batch.answered(said)
    block = written if isinstance(written, Block) else unpacked(b"".join(written.parts()))
    assert (block.inputs, block.labels, written.rows) == ([], [], 0)
    return block.answers


def plain(answer: Answer) -> Answer:
    return msgspec.structs.replace(answer, latency_us=0)


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("form", ["rows", "matrix", "columns"])
def test_it_is_handed_what_its_share_takes(slab: Slab, form: str, share: float) -> None:
    view = a_shadowed_view(slab, share=share)
    work: Share | Stretch
    if form == "rows":
        work = a_share(view, 50)
        ids, rows = [each.id for each in work.inputs], work.rows
    else:
        work = a_stretch(view, a_matrix(50) if form == "matrix" else as_columns(50))
        ids, rows = each_id(work.ids), work.columns.rows()
    takes = shadow_share("salt", Shadow("m:2", share)).takes
    expected = [(id_, row) for id_, row in zip(ids, rows, strict=True) if takes(id_)]
    found = given_to(work)
    assert list(zip(each_id(found.ids), found.listed(), strict=True)) == expected
    assert (found.share, len(found), found.seat.version, found.view) == (share, len(expected), "m:2", view)
    assert 0 < len(found) <= 50


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("form", ["rows", "matrix"])
def test_several_of_a_kind_are_handed_over_as_one(slab: Slab, form: str, share: float) -> None:
    view = a_shadowed_view(slab, share=share)
    sizes = (40, 1, 30)
    works = [a_share(view, each) if form == "rows" else a_stretch(view, a_matrix(each)) for each in sizes]
    apart = [given_to(each) for each in works if taken_of(each)]
    found = given_to(*works)
    assert found.ids == b"".join(each.ids for each in apart)
    assert found.listed() == [row for each in apart for row in each.listed()]


def test_a_share_that_takes_none_of_it_hands_nothing_over(slab: Slab) -> None:
    view = a_shadowed_view(slab, share=1e-18)
    ((seat, share),) = view.shadows
    assert handed([a_share(view, 20)], seat, share) is None


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5), form=st.sampled_from(["rows", "matrix", "mixed"]))
def test_rows_of_several_turns_are_asked_together_and_each_has_its_own_record(
    slab: Slab, sizes: list[int], form: str
) -> None:
    view = a_shadowed_view(slab)
    works: list[Share | Stretch] = []
    for place, size in enumerate(sizes):
        is_matrix = form == "matrix" or (form == "mixed" and place % 2 == 1)
        works.append(a_stretch(view, a_matrix(size)) if is_matrix else a_share(view, size))
    parts = [given_to(each) for each in works]
    batch = Batch(parts)
    assert (batch.rows, batch.seat.version) == (sum(sizes), "m:2")
    feeds = batch.feeds()
    assert feeds["a"].reshape(-1).tolist() == [float(at) for size in sizes for at in range(size)]
    assert feeds["b"].reshape(-1).tolist() == [-float(at) for size in sizes for at in range(size)]
    said = outputs(sum(sizes))
    assert said.scores is not None
    answers = records(batch, said)
    ids = [id_ for each in parts for id_ in each_id(each.ids)]
    expected = [
        Answer(id_, "m:2", "m:2", Role.SHADOW, 1.0, word, how, 7, 0)
        for id_, word, how in zip(ids, said.prediction.tolist(), said.scores.tolist(), strict=True)
    ]
    assert [plain(each) for each in answers] == expected
    assert all(each.latency_us >= 0 for each in answers)


def test_time_is_counted_from_when_each_was_handed_over(slab: Slab) -> None:
    view = a_shadowed_view(slab)
    makers: list[Callable[[], Share | Stretch]] = [lambda: a_share(view, 2), lambda: a_stretch(view, a_matrix(2))]
    for make in makers:
        old, new = given_to(make()), given_to(make())
        old.since -= 5_000_000_000
        for answers in (records(Batch([old, new]), outputs(4)), Batch([old, new]).failed("late").answers):
            latencies = [each.latency_us for each in answers]
            assert latencies[0] == latencies[1] >= 5_000_000
            assert latencies[2] == latencies[3] < 5_000_000


def test_where_nobody_spoke_the_record_says_why_and_nothing_else(slab: Slab) -> None:
    view = a_shadowed_view(slab, share=0.5)
    part = given_to(a_share(view, 30))
    block = Batch([part]).failed("failed")
    assert [plain(each) for each in block.answers] == [
        Answer(id_, "m:2", "", Role.SHADOW, 0.5, None, None, 0, 0, "failed") for id_ in each_id(part.ids)
    ]


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5), matrix=st.booleans())
def test_halving_ends_with_every_row_by_itself(slab: Slab, sizes: list[int], matrix: bool) -> None:
    view = a_shadowed_view(slab)
    parts = [given_to(a_stretch(view, a_matrix(size)) if matrix else a_share(view, size)) for size in sizes]
    batches, single = [Batch(parts)], []
    while batches:
        batch = batches.pop()
        if batch.rows == 1:
            single.append(batch)
        else:
            batches += batch.halves()[::-1]
    found = [(each.parts[0].ids, each.parts[0].listed()) for each in single]
    assert found == [(id_, [row]) for each in parts for id_, row in zip(each_id(each.ids), each.listed(), strict=True)]


def test_a_shadow_with_fewer_fields_in_another_order_reads_its_own(slab: Slab) -> None:
    view = a_shadowed_view(slab, served(Contract((Field("b", Kind.NUMBER),), BINARY)))
    for work in (a_share(view, 3), a_stretch(view, a_matrix(3))):
        batch = Batch([given_to(work)])
        assert {name: each.reshape(-1).tolist() for name, each in batch.feeds().items()} == {"b": [0.0, -1.0, -2.0]}
        assert len(records(batch, outputs(3))) == 3


def test_tensors_are_kept_flat(slab: Slab) -> None:
    tensors = served(Contract(PLAIN.fields, Output(Task.TENSOR)))
    view = a_shadowed_view(slab, tensors)
    boxes = np.arange(8.0).reshape(2, 2, 2)
    answers = records(Batch([given_to(a_share(view, 2))]), Outputs(np.empty(0), None, {"boxes": boxes}, 3))
    assert [each.prediction for each in answers] == boxes.reshape(2, 4).tolist()


@pytest.mark.parametrize("said", [outputs(2), outputs(4), Outputs(np.zeros(3, int), np.zeros((1, 2)), {}, 1)])
@pytest.mark.parametrize("matrix", [True, False])
def test_answers_to_other_rows_than_were_asked_are_none(slab: Slab, said: Any, matrix: bool) -> None:
    view = a_shadowed_view(slab)
    batch = Batch([given_to(a_stretch(view, a_matrix(3)) if matrix else a_share(view, 3))])
    with pytest.raises(RuntimeFailed, match="broke its contract"):
        batch.answered(said)
