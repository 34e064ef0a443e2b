"""Which group each input of a day belongs to, read from the journal with the fields an endpoint's file names.

Fields that are not public lie apart in the lake. They are read here because the file says so, which the history
remembers with who applied it; what a monitor keeps of them are counts of groups.
"""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.journal.reader import Reader, View, days_of
from headgate.journal.tables import FEATURES, Table
from headgate.monitors.watch.feed import Source
from headgate.vocabulary import DAY, Micros

GROUPS: Final = "groups"
"""The column that says which groups an input belongs to, a struct of fields; null where its features were not kept."""
_TABLES: Final = (Table.INPUTS, Table.PERSONAL)


def grouped(reader: Reader, source: Source, table: pa.Table, start: Micros) -> pa.Table:
    """The inputs of the day that begins at `start` with their groups."""

    def look(view: View) -> list[pa.Table]:
        days = days_of(start, Micros(start + DAY))
        return [view.read(each, ("input_id", FEATURES), days) for each in _TABLES]

    public, apart = reader.looked(source.project, source.endpoint, _TABLES, look)
    ids = table["input_id"].combine_chunks()
    columns = [_named(ids, public, apart, each) for each in source.groups]
    kept = pa.concat_arrays(
        [each["input_id"].filter(pc.is_valid(each[FEATURES])).combine_chunks() for each in (public, apart)]
    )
    mask = pc.invert(pc.is_in(ids, value_set=kept))
    groups = pa.StructArray.from_arrays(columns, names=list(source.groups), mask=mask)
    return table.append_column(GROUPS, groups)


def _named(ids: pa.Array, public: pa.Table, apart: pa.Table, name: str) -> pa.Array:
    """One field of these inputs, from where it is kept."""
    ours, theirs = _member(ids, public, name), _member(ids, apart, name)
    if ours.null_count < len(ours) or pa.types.is_null(theirs.type):
        return ours
    return theirs


def _member(ids: pa.Array, rows: pa.Table, name: str) -> pa.Array:
    features = rows[FEATURES].combine_chunks()
    if features.type.get_field_index(name) < 0:
        return pa.nulls(len(ids))
    places = pc.index_in(ids, value_set=rows["input_id"].combine_chunks())
    return pc.struct_field(features, name).take(places)
