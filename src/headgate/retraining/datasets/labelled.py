"""Inputs whose truth is known, with their features, as many at a time as are asked for."""

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.errors import BadInput
from headgate.journal.identifiers import id_letters
from headgate.journal.reader import Reader, View, features_within
from headgate.journal.tables import FEATURES, MOMENT, Table, shaped
from headgate.journal.truths import Truths, truths
from headgate.retraining.datasets.columns import feature_names, labels_as, schema_of
from headgate.retraining.datasets.dataset import AT, INPUT_ID, LABEL
from headgate.retraining.datasets.wanted import Least, Wanted
from headgate.vocabulary import Micros, Task

RUNS: Final = 20
"""Stretches of rows, evenly apart, that a sample is made of: rows of one moment lie in one file."""


@dataclass(frozen=True)
class Labelled:
    """The rows of one endpoint that may be learned from, by event time."""

    view: View
    truths: Truths
    schema: pa.Schema
    """Of the training set."""
    output: Output

    @property
    def at(self) -> NDArray[np.int64]:
        """When each was asked about, in microseconds."""
        return self.truths.at

    def __len__(self) -> int:
        return len(self.truths)

    def place(self, moment: Micros | None, otherwise: int) -> int:
        """How many rows are before a moment."""
        return otherwise if moment is None else int(np.searchsorted(self.at, moment))

    @cached_property
    def labels(self) -> pa.ChunkedArray:
        """The truths as the contract has them. Raises BadInput where they are of another type."""
        return labels_as(self.truths.values, self.schema.field(LABEL).type)

    @cached_property
    def _known(self) -> NDArray[np.int16]:
        """Which class each truth is, by its place in the contract; -1 for none of them, 0 for every number."""
        if self.output.task is Task.REGRESSION:
            return np.zeros(len(self), np.int16)
        return codes(self.labels, self.output)

    def short(self, first: int, last: int, least: Least) -> str:
        """Why the rows from `first` to before `last` are too few to learn from; empty where they are not."""
        found = self._known[first:last]
        counts = np.bincount(found[found >= 0], minlength=max(1, len(self.output.classes)))
        return too_few(dict(zip(self.output.classes, counts.tolist(), strict=False)), int(counts.sum()), least)

    def rows(self, first: int, last: int) -> pa.Table:
        """Features, label, moment and id of the rows from `first` to before `last` whose features were kept.

        Rows whose truth is no class of the contract are left out. Raises BadInput where a feature cannot be read as the
        contract says, or was never kept; FileNotFoundError when a file was removed meanwhile.
        """
        names = feature_names(self.schema)
        if first >= last:
            return pa.table(
                {each: pa.array([], self.schema.field(each).type) for each in (*names, LABEL, AT, INPUT_ID)}
            )
        found = features_within(self.view, Micros(int(self.at[first])), Micros(int(self.at[last - 1]) + 1))
        places = pc.index_in(id_texts(self.truths.ids[first:last]), value_set=found["input_id"].combine_chunks())
        wanted = pc.is_valid(places).to_numpy(zero_copy_only=False) & (self._known[first:last] >= 0)
        kept = np.flatnonzero(wanted)
        found = found.take(places.filter(pa.array(wanted)))
        columns = {name: self._feature(found[FEATURES], name) for name in names}
        columns[LABEL] = self.labels[first:last].take(pa.array(kept))
        columns[AT] = pa.array(self.at[first + kept]).cast(MOMENT)
        columns[INPUT_ID] = found["input_id"]
        return pa.table(columns)

    def sample(self, first: int, last: int, most: int) -> pa.Table:
        """At most so many of those rows, by event time; the same ones each time."""
        if last - first <= most:
            return self.rows(first, last)
        starts = np.linspace(first, last - most // RUNS, RUNS).astype(int).tolist()
        return pa.concat_tables([self.rows(each, each + most // RUNS) for each in starts])

    def _feature(self, features: pa.ChunkedArray, name: str) -> Any:
        place = features.type.get_field_index(name)
        if place < 0:
            raise BadInput(
                f"features.{name}", "captured", "the journal never kept it; see `capture` in the endpoint's file"
            )
        column, kind = pc.struct_field(features, [place]), self.schema.field(name).type
        try:
            return shaped(column, kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            said = f"was journalled as {column.type}, where the contract has {kind}"
            raise BadInput(f"features.{name}", "type", said) from error


def labelled_rows(reader: Reader, wanted: Wanted, *, most: int | None = None) -> pa.Table:
    """Features, ``label``, ``at`` and ``input_id`` of the labelled rows in ``wanted.start`` to ``wanted.end``.

    With `most` only so many, the newest: rows to prove a model on, kept nowhere. Its window is not chosen, nor is
    anything refused for being too few. Raises BadInput as `Labelled.rows` does.
    """
    schema, end = schema_of(wanted.contract), wanted.until()
    with tempfile.TemporaryDirectory() as spill:

        def look(view: View) -> pa.Table:
            known = truths(view, Path(spill), start=wanted.start, end=end, as_of=wanted.as_of)
            found = Labelled(view, known, schema, wanted.contract.output)
            return found.rows(0 if most is None else max(0, len(found) - most), len(found))

        return reader.looked(wanted.project, wanted.endpoint, (Table.INPUTS, Table.LABELS), look)


def too_few(classes: dict[Any, int], rows: int, least: Least) -> str:
    """Why so many rows, by class if there are any, are too few; empty where they are enough.

    >>> too_few({"no": 990, "yes": 10}, 1000, Least())
    "class 'yes' has 10 of 1,000 labelled rows; at least 20 of each class are needed"
    """
    if rows < least.rows:
        return f"{rows:,} labelled rows; at least {least.rows:,} are needed"
    if classes and least.of_class:
        there = [each for each, count in classes.items() if count]
        if len(there) == 1:
            return f"all {rows:,} labelled rows are of one class, {there[0]!r}; two are needed"
        fewest = min(classes, key=lambda each: classes[each])
        if classes[fewest] < least.of_class:
            had = f"class {fewest!r} has {classes[fewest]:,} of {rows:,} labelled rows"
            return f"{had}; at least {least.of_class:,} of each class are needed"
    return ""


def codes(labels: pa.ChunkedArray, output: Output) -> NDArray[np.int16]:
    """The place of each label among the classes of the contract; -1 for none of them."""
    places = pc.index_in(labels, value_set=pa.array(output.classes).cast(labels.type))
    found: NDArray[np.int16] = pc.fill_null(places, -1).to_numpy().astype(np.int16)
    return found


def id_texts(ids: NDArray[np.uint8]) -> pa.Array:
    """Ids of 16 bytes as the texts people see.

    >>> id_texts(np.arange(16, dtype=np.uint8)[None, :]).to_pylist()
    ['00010203-0405-0607-0809-0a0b0c0d0e0f']
    """
    if not len(ids):
        return pa.array([], pa.string())
    letters = id_letters(ids.tobytes())
    offsets = np.arange(0, letters.size + 1, letters.shape[1], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(ids), [None, pa.py_buffer(offsets), pa.py_buffer(letters.tobytes())])
