"""What an Arrow column holds, told by its type: the same for every monitor that reads a table."""

from typing import Any

import pyarrow as pa


# Arrow has no types that mypy knows of, so that a type is anything here.
def is_number(kind: Any) -> bool:
    """Whether these are numbers: whole, floating or decimal ones.

    >>> is_number(pa.decimal128(5, 2)), is_number(pa.bool_())
    (True, False)
    """
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: Any) -> bool:
    """Whether these are texts, however they are laid out.

    >>> is_text(pa.string_view()), is_text(pa.binary())
    (True, False)
    """
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())


def plain(kind: Any) -> Any:
    """The type of the values, where a column keeps them in a dictionary.

    >>> plain(pa.dictionary(pa.int8(), pa.string()))
    DataType(string)
    """
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def undone(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with its values themselves, in no dictionary.

    >>> undone(pa.chunked_array([pa.array(["a", "a"]).dictionary_encode()])).type
    DataType(string)
    """
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
