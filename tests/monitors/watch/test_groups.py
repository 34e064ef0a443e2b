"""The groups of a day's inputs are read from where their fields lie, public or not."""

from pathlib import Path

from tests.monitors.watch.worlds import MONDAY, VERSION, World, ident

from headgate.journal.records import Answer, Block, Input, Schema, SchemaField
from headgate.monitors.columns import SERVED
from headgate.monitors.watch.feed import Source
from headgate.monitors.watch.groups import GROUPS
from headgate.monitors.watch.mature import matured
from headgate.vocabulary import HOUR, Micros, Role

FIELDS = (SchemaField("sex", "category", "special"), SchemaField("region", "category", "public"))
SCHEMA = Schema("default", "late", "sha256:2", FIELDS, "binary", "text", ("no", "yes"))
SOURCE = Source("default", "late", SERVED, groups=("region", "sex", "unknown"))


def asked(number: int, features: tuple[str, str] | None) -> Block:
    at = MONDAY + number * HOUR
    said = Answer(ident(number), VERSION, VERSION, Role.LIVE, 1.0, "yes", [0.2, 0.8], 300, 900)
    return Block([Input(ident(number), at, features, f"r{number}", 0)], [said], [])


def test_fields_are_read_from_both_places_sealed_or_not(tmp_path: Path) -> None:
    world = World(tmp_path, [])
    rows: list[tuple[str, str] | None] = [("f", "north"), ("m", "south"), None, ("f", "south")]
    for number, each in enumerate(rows):
        world.source.write("here-0", world.sequence, [(SCHEMA, asked(number, each))], closed=False)
    expected = [None if each is None else {"region": each[1], "sex": each[0], "unknown": None} for each in rows]
    assert matured(world.reader, SOURCE, Micros(MONDAY), 0.0)[GROUPS].to_pylist() == expected
    world.seal()
    assert matured(world.reader, SOURCE, Micros(MONDAY), 0.0)[GROUPS].to_pylist() == expected


def test_a_day_without_inputs_has_the_column_all_the_same(tmp_path: Path) -> None:
    found = matured(World(tmp_path, []).reader, SOURCE, Micros(MONDAY), 0.0)
    assert (found.num_rows, GROUPS in found.column_names) == (0, True)
