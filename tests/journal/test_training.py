"""A training set holds what was known at its moment and nothing later."""

from pathlib import Path

import pytest

from headgate.errors import BadInput
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.journal.training import TrainingSet, training_set
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import SECOND, Micros

FIELDS = (SchemaField("distance", "number", "public"), SchemaField("passenger", "text", "personal"))
SCHEMA = Schema("default", "flights", "sha256:1", FIELDS, "regression", "number")


def ident(number: int) -> bytes:
    return number.to_bytes(16, "big")


def asked(number: int, features: tuple[object, ...] | None, observed: int | None, received: int) -> Block:
    at = number * SECOND
    answer = Answer(ident(number), "m:1", "m:1", "live", 1.0, 0.5, None, 1, 1)
    label = Label(ident(100 + number), received, observed or 0, float(number), input_id=ident(number))
    return Block([Input(ident(number), at, features, f"r{number}", 0)], [answer], [] if observed is None else [label])


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    source, lake = MemorySegments(), Lake(tmp_path)
    late = [asked(number, (number / 2, "Ann"), number * SECOND + 5, number * SECOND + 9) for number in range(5)]
    source.write("a-0", 1, [(SCHEMA, each) for each in late])
    Sealer(source, lake).seal()
    others = [asked(5, None, 6 * SECOND, 6 * SECOND), asked(6, (3.0, "Ann"), None, 0), asked(7, (3.5, "Bo"), 1, 2)]
    source.write("a-0", 2, [(SCHEMA, each) for each in others], closed=False)
    return Reader(lake, source)


def test_only_labels_received_in_time_teach(reader: Reader) -> None:
    found = training_set(reader, "default", "flights", as_of=Micros(3 * SECOND + 9))
    assert found.table.to_pylist() == [{"distance": number / 2, "label": float(number)} for number in range(4)]
    assert len(found.input_ids) == 4
    sooner = training_set(reader, "default", "flights", as_of=Micros(3 * SECOND + 8))
    assert sooner.input_ids == found.input_ids[:3]
    assert sooner.digest != found.digest
    again = training_set(reader, "default", "flights", as_of=Micros(3 * SECOND + 8))
    assert again.digest == sooner.digest


def test_rows_without_features_are_left_out_and_leaks_are_counted(reader: Reader) -> None:
    found = training_set(reader, "default", "flights", as_of=Micros(100 * SECOND))
    assert found.table["distance"].to_pylist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert found.leaked == 1


def test_windows_and_maturity(reader: Reader) -> None:
    found = training_set(reader, "default", "flights", as_of=Micros(5 * SECOND), start=Micros(SECOND), maturity_s=2)
    assert found.table["label"].to_pylist() == [1.0, 2.0]
    with pytest.raises(BadInput, match="as_of less maturity_s"):
        training_set(reader, "default", "flights", as_of=Micros(5), end=Micros(6))


def test_nothing_gives_an_empty_set(tmp_path: Path) -> None:
    found = training_set(Reader(Lake(tmp_path), MemorySegments()), "default", "flights", as_of=Micros(5))
    assert (len(found.table), found.input_ids) == (0, ())


def everything(reader: Reader, **more: float) -> TrainingSet:
    return training_set(reader, "default", "flights", as_of=Micros(60 * SECOND), **more)  # type: ignore[arg-type]


def test_the_digest_names_the_set_and_nothing_else(reader: Reader) -> None:
    whole = everything(reader)
    assert everything(reader).digest == whole.digest
    assert whole.digest.startswith("sha256:")
    others = [everything(reader, end=4 * SECOND), everything(reader, start=1 * SECOND)]
    assert len({whole.digest, *(each.digest for each in others)}) == 3
    assert len(whole.input_ids) == len(set(whole.input_ids)) == whole.table.num_rows


def test_an_input_several_versions_answered_is_learned_from_once(tmp_path: Path) -> None:
    source = MemorySegments()
    block = asked(1, (1.0, "Ann"), 2 * SECOND, 3 * SECOND)
    block.answers.append(Answer(ident(1), "m:2", "m:2", "canary", 0.5, 0.7, None, 1, 1))
    source.write("a-0", 1, [(SCHEMA, block)])
    found = everything(Reader(Lake(tmp_path), source))
    assert found.table.to_pylist() == [{"distance": 1.0, "label": 1.0}]


def test_the_revision_known_at_the_moment_teaches(tmp_path: Path) -> None:
    source = MemorySegments()
    block = asked(1, (1.0, "Ann"), 2 * SECOND, 3 * SECOND)
    block.labels.append(Label(ident(900), 9 * SECOND, 8 * SECOND, 42.0, input_id=ident(1)))
    source.write("a-0", 1, [(SCHEMA, block)])
    reader = Reader(Lake(tmp_path), source)
    for moment, value in ((4, 1.0), (8, 1.0), (9, 42.0)):
        found = training_set(reader, "default", "flights", as_of=Micros(moment * SECOND))
        assert found.table["label"].to_pylist() == [value]


def test_a_feature_called_label_is_refused_by_name(tmp_path: Path) -> None:
    schema = Schema(
        "default", "flights", "sha256:2", (SchemaField("label", "number", "public"),), "regression", "number"
    )
    source = MemorySegments()
    source.write("a-0", 1, [(schema, asked(1, (1.0,), 2 * SECOND, 3 * SECOND))])
    with pytest.raises(BadInput, match="rename the feature") as refused:
        everything(Reader(Lake(tmp_path), source))
    assert (refused.value.field, refused.value.rule) == ("label", "unique")


def test_inputs_are_ordered_by_event_time(tmp_path: Path) -> None:
    source = MemorySegments()
    blocks = [asked(at, (float(at), "Ann"), (at + 1) * SECOND, (at + 1) * SECOND) for at in (5, 2, 9, 0)]
    source.write("a-0", 1, [(SCHEMA, each) for each in blocks])
    assert everything(Reader(Lake(tmp_path), source)).table["distance"].to_pylist() == [0.0, 2.0, 5.0, 9.0]
