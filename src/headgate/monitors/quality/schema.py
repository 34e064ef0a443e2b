"""What changed in the columns somebody else sends, before their values are looked at."""

from enum import StrEnum

import msgspec
import pyarrow as pa

from headgate.monitors.arrow_types import is_text, plain


class Change(StrEnum):
    """What happened to a column."""

    GONE = "gone"
    NEW = "new"
    TYPE = "type"
    """Its values are of another type."""
    MOVED = "moved"
    """It stands in another place among the columns both have; whoever reads by position reads something else."""


class SchemaChange(msgspec.Struct, frozen=True):
    """One change of one column."""

    column: str
    change: Change
    sentence: str


def schema_changes(before: pa.Schema, after: pa.Schema) -> tuple[SchemaChange, ...]:
    """Columns that went, came, changed their type or their place; how values are stored is no change.

    >>> before, after = pa.schema({"a": pa.int64(), "b": pa.string()}), pa.schema({"a": pa.float64(), "c": pa.string()})
    >>> [(each.column, each.change.value) for each in schema_changes(before, after)]
    [('b', 'gone'), ('c', 'new'), ('a', 'type')]
    """
    old, new = _types(before), _types(after)
    found = [SchemaChange(each, Change.GONE, f"was {old[each]} and is gone") for each in old if each not in new]
    found += [SchemaChange(each, Change.NEW, f"is new, a {new[each]}") for each in new if each not in old]
    both = [each for each in old if each in new]
    other = [each for each in both if old[each] != new[each]]
    found += [SchemaChange(each, Change.TYPE, f"was {old[each]} and is {new[each]}") for each in other]
    places = {each: place for place, each in enumerate(name for name in new if name in old)}
    found += [
        SchemaChange(each, Change.MOVED, f"was column {place + 1} of those both have and is column {places[each] + 1}")
        for place, each in enumerate(both)
        if places[each] != place
    ]
    return tuple(found)


def _types(schema: pa.Schema) -> dict[str, str]:
    """The type of each column in words; of two columns of one name the later one's."""
    return {field.name: _word(field.type) for field in schema}


def _word(kind: pa.DataType) -> str:
    kind = plain(kind)
    if is_text(kind):
        return "string"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return "binary"
    return str(kind)
