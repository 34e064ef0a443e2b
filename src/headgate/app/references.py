"""The reference of a package as gateways and the journal have rows: numbers as numbers, categories as texts."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.monitors.outliers.fits import held_out_of
from headgate.registry.packages import REFERENCE, Package

COMPARED: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY)
"""Kinds of fields whose values are compared with the reference's, one by one."""


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
    rows = pq.read_table(path, columns=[each.name for each in fields])
    # Numbers of any width are compared as numbers; categories are texts in the journal, whatever they were here.
    texts = {each.name: rows[each.name].cast(pa.string()) for each in fields if each.kind is Kind.CATEGORY}
    return pa.table({each.name: texts.get(each.name, rows[each.name]) for each in fields})


def held_out_rows(package: Package) -> int:
    """How many rows of the reference set the thresholds of outliers; none where it was taken away."""
    path = package.path / REFERENCE
    return held_out_of(pq.read_metadata(path).num_rows) if path.is_file() else 0
