"""Labels find their predictions whatever way they name them and in whatever order they come."""

import random
import uuid

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.journal.labels import Join
from headgate.journal.records import Answer, Input, Label, Schema
from headgate.journal.tables import answers_table, inputs_table, labels_table

SCHEMA = Schema("default", "e", "sha256:1", (), "regression", "number")


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def text(number: int) -> str:
    return str(uuid.UUID(int=number))


def joining(inputs: list[Input], answers: list[Answer], labels: list[Label]) -> Join:
    return Join(inputs_table(SCHEMA, inputs), answers_table(SCHEMA, answers, {}), labels_table(SCHEMA, labels))


def an_input(number: int, at: int = 0, request: str | None = None, entity: str | None = None) -> Input:
    return Input(ident(number), at, None, f"r{number}" if request is None else request, 0, entity)


def an_answer(number: int, role: str = "live", version: str = "m:1") -> Answer:
    return Answer(ident(number), version, version, role, 1.0, 0.5, None, 1, 2)


def truths(inputs: list[Input], labels: list[Label]) -> dict[int, float | None]:
    with joining(inputs, [an_answer(int.from_bytes(each.id, "big")) for each in inputs], labels) as join:
        rows = join.joined(["live"]).to_pylist()
    return {uuid.UUID(each["input_id"]).int: each["label"] for each in rows}


def test_by_input_id_and_by_request_and_row() -> None:
    found = truths(
        [an_input(1), an_input(2), an_input(3)],
        [Label(ident(9), 5, 5, 1.0, input_id=ident(1)), Label(ident(8), 5, 5, 2.0, request_id="r2", row=0)],
    )
    assert found == {1: 1.0, 2: 2.0, 3: None}


def test_by_entity_the_last_input_up_to_the_moment_is_meant() -> None:
    inputs = [an_input(1, 10, entity="a"), an_input(2, 20, entity="a"), an_input(3, 10, entity="b")]
    assert truths(inputs, [Label(ident(9), 50, 50, 1.0, entity="a", entity_at=19)]) == {1: 1.0, 2: None, 3: None}
    assert truths(inputs, [Label(ident(9), 50, 50, 1.0, entity="a", entity_at=20)]) == {1: None, 2: 1.0, 3: None}
    assert truths(inputs, [Label(ident(9), 50, 50, 1.0, entity="a", entity_at=9)]) == {1: None, 2: None, 3: None}


def test_the_latest_observation_wins_then_the_later_label() -> None:
    early, late = Label(ident(9), 1, 10, 1.0, input_id=ident(1)), Label(ident(8), 2, 20, 2.0, input_id=ident(1))
    tied = Label(ident(7), 3, 20, 3.0, input_id=ident(1))
    assert truths([an_input(1)], [late, early, tied]) == {1: 2.0}


def test_a_revision_may_take_the_truth_back() -> None:
    given_, taken = Label(ident(8), 1, 1, 1.0, input_id=ident(1)), Label(ident(9), 2, 2, None, input_id=ident(1))
    assert truths([an_input(1)], [given_, taken]) == {1: None}


def test_a_retried_request_counts_once_and_either_id_finds_it() -> None:
    inputs = [an_input(5, 10, "same"), an_input(6, 20, "same"), an_input(7, 30, ""), an_input(8, 30, "")]
    found = truths(inputs, [Label(ident(1), 1, 1, 4.0, input_id=ident(6))])
    assert found == {5: 4.0, 7: None, 8: None}
    assert truths(inputs, [Label(ident(1), 1, 1, 4.0, request_id="same")])[5] == 4.0


def test_roles_are_chosen_and_unanswered_inputs_stay() -> None:
    answers = [an_answer(1), an_answer(1, "shadow", "m:2"), an_answer(2, "pinned")]
    with joining([an_input(1), an_input(2), an_input(3)], answers, []) as join:
        rows = join.joined(["live", "canary"]).to_pylist()
        assert [(each["input_id"], each["role"]) for each in rows] == [(text(1), "live"), (text(3), None)]
        assert [each["role"] for each in join.joined(["shadow", "live"]).to_pylist()] == ["live", "shadow", None]


def test_labels_for_nothing_are_named() -> None:
    labels = [
        Label(ident(9), 3, 3, 1.0, input_id=ident(404)),
        Label(ident(8), 2, 2, 1.0, request_id="none"),
        Label(ident(7), 1, 1, 1.0, entity="nobody", entity_at=5),
        Label(ident(6), 4, 4, 1.0, input_id=ident(1)),
    ]
    with joining([an_input(1, 10)], [], labels) as join:
        assert join.ask("unmatched").column("label_id").to_pylist() == [text(7), text(8), text(9)]
        assert join.ask("counts").to_pylist()[0]["unmatched"] == 3


def test_moments_keep_their_microseconds_and_their_zone() -> None:
    with joining([an_input(1, 1_362_096_000_123_457)], [an_answer(1)], []) as join:
        table = join.joined(["live"], 1_362_096_000_123_457, 1_362_096_000_123_458)
        assert table.column("at").type == pa.timestamp("us", tz="UTC")
        assert table.column("at").cast(pa.int64()).to_pylist() == [1_362_096_000_123_457]
        assert len(join.joined(["live"], 1_362_096_000_123_458)) == 0


INPUTS = [an_input(number, number * 10, entity="ab"[number % 2]) for number in range(4)] + [an_input(4, 50, "r1")]
REFERENCES = st.one_of(
    st.builds(lambda number: {"input_id": ident(number)}, st.integers(0, 5)),
    st.builds(lambda number: {"request_id": f"r{number}"}, st.integers(0, 5)),
    st.builds(lambda who, at: {"entity": who, "entity_at": at}, st.sampled_from("abc"), st.integers(0, 40)),
)
LABELS = st.lists(
    st.builds(
        lambda observed, value, reference: (observed, value, reference),
        st.integers(0, 5),
        st.sampled_from([0.0, 1.0, 2.0, None]),
        REFERENCES,
    ),
    max_size=8,
)


def by_hand(labels: list[Label]) -> dict[int, float | None]:
    """The rule of the join, said once more in plain Python."""
    best: dict[int, tuple[tuple[int, bytes], object]] = {}
    for label in labels:
        if label.input_id is not None:
            number = int.from_bytes(label.input_id, "big")
        elif label.request_id is not None:
            number = int(label.request_id[1:])
        else:
            mine = [at for at in range(4) if "ab"[at % 2] == label.entity and at * 10 <= (label.entity_at or 0)]
            number = max(mine, default=99)
        number = {4: 1}.get(number, number) if label.request_id is None else {4: 99}.get(number, number)
        rank = (label.observed_at, label.id)
        if number not in best or rank > best[number][0]:
            best[number] = (rank, label.value)
    return {number: best[number][1] if number in best else None for number in range(4)}  # type: ignore[misc]


@settings(max_examples=12, deadline=None)
@given(LABELS, st.randoms(use_true_random=False))
def test_any_arrival_order_and_any_duplication_gives_the_same_join(
    drawn: list[tuple[int, float | None, dict[str, object]]], chance: random.Random
) -> None:
    labels = [
        Label(ident(100 + number), 7, observed, value, **reference)  # type: ignore[arg-type]
        for number, (observed, value, reference) in enumerate(drawn)
    ]
    shuffled = labels + [each for each in labels if chance.random() < 0.5]
    chance.shuffle(shuffled)
    assert truths(INPUTS, shuffled) == truths(INPUTS, labels) == by_hand(labels)


def a_decision(number: int, of: int, value: float, *, at: int = 5, who: str = "ann") -> Label:
    return Label(ident(number), at, at, value, input_id=ident(of), source="human", actor=who)


def test_what_the_world_says_comes_before_what_people_say_however_late_these_are() -> None:
    label = Label(ident(9), 5, 5, 1.0, input_id=ident(1))
    later = a_decision(10, 1, 2.0, at=50)
    assert truths([an_input(1)], [label, later]) == truths([an_input(1)], [later, label]) == {1: 1.0}
    assert truths([an_input(1)], [later]) == {1: 2.0}, "without it a decision is what is known"


def test_people_speak_in_a_role_of_their_own() -> None:
    decisions = [
        a_decision(9, 1, 1.0),
        a_decision(10, 1, 2.0, at=7),
        a_decision(10, 1, 2.0, at=7),
        a_decision(11, 1, 3.0, at=6, who="bob"),
        a_decision(12, 2, 4.0, at=1),
        a_decision(13, 99, 5.0),
    ]
    with joining([an_input(1, 2), an_input(2, 3)], [an_answer(1, "shadow")], decisions) as join:
        rows = join.joined(["human"]).to_pylist()
        assert join.joined(["live"]).num_rows == 1, "an input nobody answered is one nobody answered"
    said = [each for each in rows if each["role"] == "human"]
    told = [
        (uuid.UUID(each["input_id"]).int, each["answered"], each["prediction"], each["latency_us"]) for each in said
    ]
    assert told == [(1, "ann", 2.0, 5), (1, "bob", 3.0, 4), (2, "ann", 4.0, 0)]
    assert {(each["assigned"], each["fallback"]) for each in said} == {("human", "")}
    assert len(rows) == 4, "and no version answered the second input"
