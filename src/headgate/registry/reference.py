"""Reference data as the registry keeps it: a digest of all of it, and a seeded sample. Called by `register`."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract
from headgate.contracts.infer import infer
from headgate.errors import BadInput
from headgate.evaluation.rows import FOREIGN, encode
from headgate.registry.importers.importer import Label, Traits
from headgate.vocabulary import Task

SAMPLE_ROWS: Final = 5_000
_CLASSES_SHOWN: Final = 8
SEED: Final = 20_130_101
"""Of the draw of sample rows; fixed, so that the same data gives the same sample."""


def data_digest(table: pa.Table) -> str:
    """``sha256:`` of a table's column names, types and values, however it is cut into chunks.

    >>> whole = pa.table({"a": [1, 2]})
    >>> data_digest(whole) == data_digest(pa.concat_tables([whole.slice(0, 1), whole.slice(1)]))
    True
    """
    digest = hashlib.sha256()
    plain = table.replace_schema_metadata(None).unify_dictionaries().combine_chunks()
    sink = pa.PythonFile(_Hashing(digest), mode="w")
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        for start in range(0, plain.num_rows, 1 << 16):
            # take copies: a slice would drag its parent's offset bits into the bytes
            writer.write_table(plain.take(pa.array(np.arange(start, min(start + (1 << 16), plain.num_rows)))))
    return f"sha256:{digest.hexdigest()}"


class _Hashing:
    """A file that only hashes."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self._at = 0

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


def sample(table: pa.Table, rows: int = SAMPLE_ROWS) -> pa.Table:
    """At most `rows` rows in their order, the same ones for the same data."""
    if table.num_rows <= rows:
        return table
    places = np.random.default_rng(SEED).choice(table.num_rows, rows, replace=False)
    return table.take(pa.array(np.sort(places)))


def contract_for(traits: Traits, table: pa.Table, label: str | None) -> Contract:
    """The contract the reference suggests, with what the model says of itself in place of guesses.

    Raises BadInput naming a column the model was fitted with and the reference does not have.
    """
    fields = traits.fields or tuple(each for each in table.column_names if each != label)
    for each in fields:
        if each not in table.column_names:
            raise BadInput(each, "missing", "the model was fitted with this column; the reference does not have it")
        if each == label:
            raise BadInput(each, "domain", "the model was fitted with its own label as a feature; leave it out")
    known = label is not None and label in table.column_names
    if label is not None and not known:
        raise BadInput(label, "missing", f"the reference has no such column; it has {', '.join(table.column_names)}")
    if traits.task is None or (not traits.classes and traits.task is not Task.REGRESSION):
        return infer(table.select([*fields, *([label] if label else [])]), label=label, task=traits.task)
    contract = infer(table.select(list(fields)))
    if label is not None:
        refuse_strange_labels(table[label], label, traits.task, traits.classes)
    output = replace(
        contract.output,
        task=traits.task,
        label=label or contract.output.label,
        classes=traits.classes,
        probability=bool(traits.probability),
    )
    return Contract(contract.fields, output)


def refuse_strange_labels(column: pa.ChunkedArray, label: str, task: Task, classes: Sequence[Label]) -> None:
    """BadInput when column `label` holds what the model never answers: another column was meant, or other codes."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if task is Task.REGRESSION and not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    ):
        raise BadInput(
            label, "type", f"the model answers numbers and this column holds {kind}; name the column it answers"
        )
    if not classes:
        return
    if pa.types.is_nested(kind) or (encode(pc.unique(column).to_pylist(), classes) == FOREIGN).any():
        known = ", ".join(str(each) for each in classes[:_CLASSES_SHOWN])
        more = f" and {len(classes) - _CLASSES_SHOWN} more" if len(classes) > _CLASSES_SHOWN else ""
        message = f"holds values that are none of the model's classes ({known}{more}); name the column it answers"
        raise BadInput(label, "domain", message)


def fits(contract: Contract, traits: Traits, table: pa.Table) -> Contract:
    """A person's own contract, if the model and the reference can live with it. Raises BadInput where they cannot."""
    for each in contract.names:
        if each not in table.column_names:
            raise BadInput(each, "missing", "the contract has this field, the reference does not")
    if traits.classes and contract.output.classes != traits.classes:
        raise BadInput(
            "contract.output.classes", "domain", "must be the model's own classes, in the order of its scores"
        )
    if traits.task is not None and contract.output.task is not traits.task:
        raise BadInput("contract.output.task", "domain", f"the model is for a {traits.task} task")
    return contract
