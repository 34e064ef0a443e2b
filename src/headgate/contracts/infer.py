"""A first contract from reference data, for a person to read and edit.

Called by ``register`` and ``headgate init``. What is guessed, and how, stands at each function; a guess that only
flags may be generous, a guess that refuses may not be made at all, so every range and domain starts as ``flag``.
"""

import math
import re
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from headgate.contracts.contract import Contract, Field, Kind, Sensitivity
from headgate.contracts.infer_output import infer_output
from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.vocabulary import Task

PADDING: Final = 0.1
"""Share of the reference's span by which a range is widened on each side."""
MAX_CATEGORIES: Final = 1000
"""Most distinct strings that still make a domain."""
ALWAYS_CATEGORIES: Final = 20
"""Up to this many distinct single words make a domain even where none repeats."""
LONGEST_CATEGORY: Final = 64
"""Bytes; a column with a longer string is free text."""
_LARGEST_BOUND: Final = 1e300
"""A reference that goes further has no range: padding it would leave the floats."""
SMALLEST_TEXT_LIMIT: Final = 1024
SMALLEST_IMAGE_LIMIT: Final = 65536

_PERSONAL_WORDS: Final = frozenset(
    (
        *("address", "birth", "birthday", "birthdate", "dob", "email", "firstname", "fullname", "iban", "lastname"),
        *("mail", "mobile", "passport", "phone", "ssn", "street", "surname", "telephone"),
    )
)
_OWNERS_OF_NAMES: Final = frozenset(
    (
        *("applicant", "client", "contact", "customer", "employee", "family", "first", "full", "given", "last"),
        *("maiden", "middle", "nick", "patient", "person", "user"),
    )
)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def infer(reference: object, *, label: str | None = None, task: Task | None = None) -> Contract:
    """The contract `reference` suggests; the reference itself keeps it without a flag.

    `reference` is whatever ``tables.as_table`` takes. `label` names the column to predict, which becomes the output
    and is no field; without it the task is ``tensor``. `task` overrules the guess from the label.

    Raises BadInput naming the column that cannot be a field or a label, and what ``as_table`` raises.

    >>> contract = infer(pa.table({"distance": [200.0, 1400.0], "late": [False, True]}), label="late")
    >>> contract.fields[0].kind.value, contract.fields[0].minimum, contract.fields[0].maximum
    ('number', 80.0, 1520.0)
    >>> contract.output.task.value, contract.output.positive
    ('binary', True)
    """
    table = as_table(reference)
    output = infer_output(table, label=label, task=task)
    fields = tuple(_field(name, table[name]) for name in table.column_names if name != label)
    if not fields:
        raise BadInput("reference", "empty", "has no column besides the label")
    return Contract(fields, output)


def _field(name: str, column: pa.ChunkedArray) -> Field:
    missing = column.null_count / len(column)
    sensitivity = sensitivity_of(name)
    rules = _kind_and_rules(name, column)
    if sensitivity is not Sensitivity.PUBLIC and rules["kind"] is Kind.CATEGORY:
        rules = _text_rules(pc.cast(column, pa.string()))  # a domain would write people's values into the contract
    return Field(name=name, nullable=missing > 0, expected_missing=missing, sensitivity=sensitivity, **rules)


def _kind_and_rules(name: str, column: pa.ChunkedArray) -> dict[str, Any]:
    kind = column.type
    if pa.types.is_null(kind):
        raise BadInput(name, "type", "has no value in any row, so its kind cannot be told; drop it or give a value")
    if pa.types.is_boolean(kind):
        return {"kind": Kind.BOOLEAN}
    if pa.types.is_integer(kind):
        return _integer_rules(name, column)
    # A float column of whole numbers stays a number. That is what pandas makes of integers with gaps, what the model
    # was fitted on and what callers with the same frame will send: 3.0, which an integer field refuses.
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return {"kind": Kind.NUMBER} | _range(name, pc.cast(column, pa.float64()), whole=False)
    if pa.types.is_dictionary(kind) and _is_string(kind.value_type):
        return {"kind": Kind.CATEGORY, "domain": _declared(column)}
    if _is_string(kind):
        return _string_rules(column)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return {"kind": Kind.TIMESTAMP}  # without a range: the next row is later than all of the reference
    if _is_list(kind):
        return {"kind": Kind.TENSOR, "shape": _shape(name, column)}
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        longest = pc.max(pc.binary_length(column)).as_py() or 0
        return {"kind": Kind.IMAGE, "max_bytes": _size_limit(longest, SMALLEST_IMAGE_LIMIT)}
    raise BadInput(name, "type", f"columns of type {kind} are no field; make it numbers, text, moments or lists")


def _integer_rules(name: str, column: pa.ChunkedArray) -> dict[str, Any]:
    if (pc.max(column).as_py() or 0) > 2**63 - 1:
        raise BadInput(name, "type", "has whole numbers beyond 63 bits; make it text if it is an identifier")
    return {"kind": Kind.INTEGER} | _range(name, column, whole=True)


def _range(name: str, column: pa.ChunkedArray, *, whole: bool) -> dict[str, float]:
    """The reference's smallest and largest value, each moved outwards by a tenth of their distance.

    Moved no further than to zero, since a count or a length is no less meaningful for never having been 0; then
    rounded outwards to a hundredth of the span's magnitude, whole numbers to whole ones. A constant column says
    nothing about a range and gets none.
    """
    limits = pc.min_max(column).as_py()
    low, high = limits["min"], limits["max"]
    if low is None or low == high:
        return {}
    if not (math.isfinite(low) and math.isfinite(high)):
        raise BadInput(name, "finite", "has infinite values, which no contract allows; replace or drop those rows")
    span = float(high) - float(low)
    if max(abs(low), abs(high)) > _LARGEST_BOUND:
        return {}
    step = 1.0 if whole else 10.0 ** (math.floor(math.log10(span)) - 2)
    padded_low = math.floor((low - PADDING * span) / step) * step if step else low
    padded_high = math.ceil((high + PADDING * span) / step) * step if step else high
    # Dividing and multiplying by the step may lose the last bit, so the reference's own limits have the last word.
    minimum = min(low, max(0.0, padded_low) if low >= 0 else padded_low)
    maximum = max(high, min(0.0, padded_high) if high <= 0 else padded_high)
    return {"minimum": _tidy(minimum, low), "maximum": _tidy(maximum, high)}


def _tidy(bound: float, limit: float) -> float:
    """`bound` without the tail that binary arithmetic leaves, unless that would cross `limit`."""
    short = float(f"{bound:.12g}")
    return short if (short <= limit) == (bound <= limit) and math.isfinite(short) else float(bound)


def _string_rules(column: pa.ChunkedArray) -> dict[str, Any]:
    """A category when strings are short, few (at most 1000) and repeat, twice each on average.

    At most 20 single words need not repeat, because a small sample shows each only once; phrases must.
    """
    distinct = pc.unique(column.drop_null())
    longest = pc.max(pc.binary_length(distinct)).as_py() or 0
    present = len(column) - column.null_count
    phrases = pc.any(pc.match_substring_regex(distinct, r"\S\s+\S")).as_py()
    repeats = len(distinct) <= (present // 2 if phrases else max(ALWAYS_CATEGORIES, present // 2))
    if 0 < len(distinct) <= MAX_CATEGORIES and longest <= LONGEST_CATEGORY and repeats:
        return {"kind": Kind.CATEGORY, "domain": tuple(sorted(distinct.to_pylist()))}
    return _text_rules(distinct)


def _text_rules(column: Any) -> dict[str, Any]:
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    return {"kind": Kind.TEXT, "max_bytes": _size_limit(longest, SMALLEST_TEXT_LIMIT)}


def _declared(column: pa.ChunkedArray) -> tuple[str, ...] | None:
    """Every category the column's type declares, whether a row has it or not; None when that is none."""
    names = {name for chunk in column.chunks for name in chunk.dictionary.to_pylist() if name is not None}
    return tuple(sorted(names)) or None


def _size_limit(longest: int, smallest: int) -> int:
    """The power of two that leaves four times the room of the longest value seen, at least `smallest` bytes."""
    return max(smallest, 1 << (4 * longest - 1).bit_length() if longest else 0)


def _shape(name: str, column: pa.ChunkedArray) -> tuple[int | None, ...]:
    """Lengths level by level; None where rows differ in their first dimension or agree only within a row."""
    shape: list[int | None] = []
    level = column.combine_chunks().drop_null()
    owner = pa.array(range(len(level)))
    while _is_list(level.type):
        if level.null_count:
            raise BadInput(name, "shape", "has a null among its lists; a tensor has all of its numbers")
        lengths = pc.list_value_length(level)
        by_row = pa.table({"owner": owner, "length": lengths}).group_by("owner").aggregate([("length", "min_max")])
        spread = pc.struct_field(by_row["length_min_max"].combine_chunks(), [0])
        largest = pc.struct_field(by_row["length_min_max"].combine_chunks(), [1])
        if not spread.equals(largest):
            raise BadInput(name, "shape", "has lists of different lengths within one row; a tensor is regular")
        distinct = pc.unique(lengths).to_pylist()
        shape.append(distinct[0] if len(distinct) == 1 else None)
        owner = pc.take(owner, pc.list_parent_indices(level))
        level = pc.list_flatten(level)
    if not (pa.types.is_integer(level.type) or pa.types.is_floating(level.type)):
        raise BadInput(name, "type", f"has lists of {level.type}; a tensor holds numbers")
    if level.null_count:
        raise BadInput(name, "shape", "has a null among its numbers; a tensor has all of them")
    if not pc.all(pc.is_finite(pc.cast(level, pa.float64()))).as_py() and len(level):
        raise BadInput(name, "finite", "has NaN or infinity among its numbers, which no contract allows")
    return tuple(shape)


def sensitivity_of(name: str) -> Sensitivity:
    """Personal for a name that says so (a word such as email, phone, surname, birth, or whose name), else public.

    Nothing is inferred from values; whoever keeps the contract decides.

    >>> sensitivity_of("customerName").value, sensitivity_of("product_name").value, sensitivity_of("dest").value
    ('personal', 'public', 'public')
    """
    words = [word.lower() for word in _WORD.findall(name)]
    named = "name" in words and (len(words) == 1 or bool(_OWNERS_OF_NAMES & set(words)))
    return Sensitivity.PERSONAL if named or _PERSONAL_WORDS & set(words) else Sensitivity.PUBLIC


def _is_string(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
