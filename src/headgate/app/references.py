"""The reference of a package as gateways and the journal have rows: numbers as numbers, categories as texts."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.evaluation.estimate import Floats
from headgate.monitors.outliers.fits import held_out_of
from headgate.registry.packages import REFERENCE, Package

COMPARED: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY)
"""Kinds of fields whose values are compared with the reference's, one by one."""
LARGEST_VECTOR: Final = 4096
"""Numbers of a tensor that is looked at: what is larger takes milliseconds a row."""


def comparable(package: Package, contract: Contract) -> list[Field]:
    """The fields of `contract` that may be compared with the package's reference: public ones of those kinds."""
    return [
        each
        for each in contract.fields
        if each.kind in COMPARED and each.sensitivity is Sensitivity.PUBLIC and each.name in package.contract.names
    ]


def reference_rows(package: Package, fields: Sequence[Field]) -> pa.Table | None:
    """These columns of the reference; None where there are none, or the reference was taken away."""
    path = package.path / REFERENCE
    if not fields or not path.is_file():
        return None
    return as_journalled(pq.read_table(path, columns=[each.name for each in fields]), fields)


def as_journalled(rows: pa.Table, fields: Sequence[Field]) -> pa.Table:
    """Those of the fields that `rows` have, as the journal has them.

    Numbers of any width are compared as numbers; categories are texts in the journal, whatever they were here.
    """
    here = [each for each in fields if each.name in rows.column_names]
    texts = {each.name: rows[each.name].cast(pa.string()) for each in here if each.kind is Kind.CATEGORY}
    return pa.table({each.name: texts.get(each.name, rows[each.name]) for each in here})


def held_out_rows(package: Package) -> int:
    """How many rows of the reference set the thresholds of outliers; none where it was taken away."""
    path = package.path / REFERENCE
    return held_out_of(pq.read_metadata(path).num_rows) if path.is_file() else 0


def vector_fields(package: Package, contract: Contract) -> list[Field]:
    """The public tensors of a fixed shape, no larger than `LARGEST_VECTOR`: embeddings and small pictures."""
    names = package.contract.names
    public = [each for each in contract.fields if each.sensitivity is Sensitivity.PUBLIC and each.name in names]
    return [each for each in public if each.kind is Kind.TENSOR and 0 < _size(each) <= LARGEST_VECTOR]


def reference_vectors(package: Package, field: Field) -> Floats | None:
    """The tensors of the reference, (rows, numbers), NaN where there is none; None where it was taken away."""
    path = package.path / REFERENCE
    if not path.is_file():
        return None
    column = pq.read_table(path, columns=[field.name])[field.name].to_pylist()
    nothing = np.full(_size(field), np.nan)
    vectors = [nothing if each is None else np.asarray(each, np.float64).ravel() for each in column]
    return np.stack(vectors) if vectors else np.empty((0, _size(field)))


def _size(field: Field) -> int:
    """How many numbers a tensor has; 0 where that is not fixed."""
    return math.prod(each or 0 for each in field.shape or (0,))
