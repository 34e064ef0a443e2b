"""The rows on either side of a diagnosis: what a version was asked with, and those of it whose truth is known.

`headgate.monitors.watch.lookback` makes sides of the journal's rows, the composition root one of a package's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headgate.contracts.contract import Output
from headgate.evaluation.rows import Column, Rows
from headgate.journal.tables import FEATURES
from headgate.monitors.attribution.samples import Sample
from headgate.monitors.columns import Bools, floats, moments, said, scores_of, text
from headgate.vocabulary import Micros, Role, Task


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Rows that one version was asked with."""

    fields: pa.Table
    """A column a field, one row per input whose features were kept."""
    sample: Sample
    """Those of them whose label counts."""
    inputs: int
    """All of them, also those whose features were not kept."""
    labelled: int
    """Those of them whose label counts."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of an endpoint's rows are on a side."""

    version: str
    """Who answered, ``model:number``."""
    names: Sequence[str]
    """The fields that may be looked at."""
    labels_before: Micros
    """Labels of inputs before this moment count: of later ones those that are there came early, and mislead."""
    most: int
    """Rows that are looked at; of more so many, drawn by `seed`."""
    seed: int = 0


def side_of(table: pa.Table, features: pa.Table, output: Output, chosen: Chosen) -> Side:
    """The rows of `table`, as the journal's reader joins them, with the ``features`` of their inputs.

    Rows of other versions, and those whose caller chose the version, are left out.

    >>> kinds = {"input_id": ["a", "b"], "answered": ["late:1", "late:2"], "role": ["live", "live"],
    ...          "prediction": [1.0, 2.0], "scores": [None, None], "label": [1.5, None]}
    >>> table = pa.table(kinds).append_column("at", pa.array([0, 1], pa.timestamp("us", tz="UTC")))
    >>> features = pa.table({"input_id": ["a", "b"], "features": [{"x": 3.0}, {"x": 4.0}]})
    >>> found = side_of(table, features, Output(Task.REGRESSION), Chosen("late:1", ("x",), Micros(9), 100))
    >>> found.inputs, found.labelled, found.fields.to_pydict(), found.sample.rows.truth.tolist()
    (1, 1, {'x': [3.0]}, [1.5])
    """
    mine = pc.and_(_is(table["answered"], chosen.version), pc.invert(_is(table["role"], Role.PINNED.value)))
    table = table.filter(mine)
    known = _known(table, output) & (moments(table["at"]) < chosen.labels_before)
    places = pc.index_in(text(table["input_id"]), value_set=text(features["input_id"]).combine_chunks())
    kept = pc.is_valid(places).to_numpy().astype(np.bool_)
    fields = _fields(features[FEATURES].take(places.filter(pa.array(kept))), chosen.names)
    rows, is_known = table.filter(pa.array(kept)), known[kept]
    told, seen = _drawn(np.flatnonzero(is_known), chosen), _drawn(np.arange(len(is_known)), chosen)
    sample = Sample(columns_of(_some(fields, told)), _rows(rows.take(pa.array(told)), output))
    return Side(_some(fields, seen), sample, table.num_rows, int(known.sum()))


def columns_of(fields: pa.Table) -> dict[str, Column]:
    """Every field as one value per row: numbers as floats, NaN for none; anything else as texts, None for none.

    >>> columns_of(pa.table({"a": [1, None], "b": [True, None]}))
    {'a': array([ 1., nan]), 'b': array(['true', None], dtype=object)}
    """
    return {name: _column(fields[name]) for name in fields.column_names}


def _column(column: pa.ChunkedArray) -> Column:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return floats(column)
    found: Column = text(column).to_numpy()
    return found


def _fields(struct: pa.ChunkedArray, names: Sequence[str]) -> pa.Table:
    if not len(struct):  # of nothing nobody knows which fields it has
        return pa.table({name: pa.nulls(0) for name in names})
    there = {each.name for each in struct.type}
    return pa.table({name: pc.struct_field(struct, name) for name in names if name in there})


def _known(table: pa.Table, output: Output) -> Bools:
    """Where there is a truth."""
    if output.task is Task.TENSOR:
        return np.zeros(table.num_rows, np.bool_)
    truth = said(table["label"], output)
    known: Bools = np.isfinite(truth) if output.task is Task.REGRESSION else truth >= 0
    return known


def _rows(table: pa.Table, output: Output) -> Rows:
    scores = scores_of(table["scores"], output)
    if scores is not None and len(scores) and bool(np.isnan(scores).all()):
        scores = None
    return Rows(output.task, said(table["label"], output), said(table["prediction"], output), scores, output.classes)


def _drawn(places: NDArray[np.intp], chosen: Chosen) -> NDArray[np.intp]:
    """The places, or so many of them at random and in their order."""
    if len(places) <= chosen.most:
        return places
    return np.sort(np.random.default_rng(chosen.seed).choice(places, chosen.most, replace=False))


def _is(column: pa.ChunkedArray, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(text(column), value), False)


def _some(fields: pa.Table, places: NDArray[np.intp]) -> pa.Table:
    return fields.take(pa.array(places)) if fields.column_names else fields
