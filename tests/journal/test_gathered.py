"""What was read once and kept joins to what reading everything gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headgate.journal import gathered
from headgate.journal.gathered import Gathered
from headgate.journal.labels import JOINED_COLUMNS
from headgate.journal.lake import Lake
from headgate.journal.reader import Reader
from headgate.journal.records import Answer, Block, Input, Label, Schema, SchemaField
from headgate.journal.sealer import Sealer
from headgate.testing.segments import MemorySegments
from headgate.vocabulary import SECOND, Micros

FIELDS = (SchemaField("amount", "number", "public"), SchemaField("name", "text", "personal"))
SCHEMA = Schema("default", "late", "sha256:1", FIELDS, "binary", "text", ("no", "yes"))
START = Micros(10 * 86_400 * SECOND)
ROLES = ("live", "shadow", "human")


def a_block(random: np.random.Generator, number: int) -> Block:
    """An input, perhaps asked again, an answer or two, and labels that name it in one of the three ways."""
    id_, at = number.to_bytes(16, "big"), int(START + number * SECOND)
    request = f"r{number - 1 if random.random() < 0.1 else number}"
    features = None if random.random() < 0.2 else (float(number), "ann")
    said = [Answer(id_, "late:1", "late:1", "live", 1.0, "yes", [0.4, 0.6], 1, 1)]
    said += [Answer(id_, "late:2", "late:2", "shadow", 1.0, "no", None, 2, 2)] * int(random.integers(0, 2))
    by_entity = {"entity": f"u{number % 5}", "entity_at": at + 3 * SECOND}
    names: tuple[dict[str, Any], ...] = ({"input_id": id_}, {"request_id": request}, by_entity)
    labels = [
        Label(
            (10**6 + 10 * number + place).to_bytes(16, "big"),
            at + place * SECOND,
            at + place * SECOND,
            "no" if random.random() < 0.5 else "yes",
            source="human" if random.random() < 0.3 else "label",
            actor="ann",
            **names[int(random.integers(0, 3))],
        )
        for place in range(int(random.integers(0, 3)))
    ]
    return Block([Input(id_, at, features, request, 0, entity=f"u{number % 5}")], said, labels)


@pytest.mark.parametrize("seed", [1])
def test_it_joins_as_the_reader_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(gathered, "_CHUNKS", 2)
    random, source, lake = np.random.default_rng(seed), MemorySegments(), Lake(tmp_path)
    reader, sealer, sequence = Reader(lake, source), Sealer(source, lake), 1
    kept = Gathered(reader, "default", "late", START, features=True)
    for number in range(31):
        source.write("here-0", sequence, [(SCHEMA, a_block(random, number))], closed=False)
        if random.random() < 0.2:
            source.write("here-0", sequence, [], closed=True)
            sequence += 1
            sealer.seal()
        if random.random() < 0.1:
            sealer.compact(grace_hours=0)
        if number % 10:
            continue
        kept.take()
        first, end = Micros(START + 5 * SECOND), Micros(START + (number - 1) * SECOND)
        whole = reader.joined("default", "late", start=first, end=end, as_of=end, roles=ROLES)
        assert kept.joined(ROLES, first, end, end, JOINED_COLUMNS).to_pylist() == whole.to_pylist()
        theirs = reader.features("default", "late", start=first, end=end).to_pylist()
        mine = kept.features(first, end).to_pylist()
        assert sorted(mine, key=str) == sorted(theirs, key=str)
        assert not kept.cut
