"""A training set holds what was known at its moment and nothing later."""

from pathlib import Path

import pytest

from headgate.errors import BadInput
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.journal.training import training_set
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
