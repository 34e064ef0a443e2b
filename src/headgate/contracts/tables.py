"""Reference data from wherever people keep it, as one Arrow table.

Called by ``infer``, the registry, ``headgate init`` and ``headgate score``. pandas and Polars are recognised
without being imported, so neither has to be installed.
"""

import re
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from headgate.errors import BadInput, NotFound

_ENDINGS: Final = (".arrow", ".csv", ".feather", ".parquet")


def as_table(reference: object) -> pa.Table:
    """`reference` as an Arrow table of at least one row and one column, each column named once.

    Takes an Arrow table or batch, a pandas or Polars frame, anything else that speaks the Arrow stream interface, or
    the path of a .parquet, .csv, .arrow or .feather file. NaN becomes null: in a table both mean a missing value. In
    CSV an unquoted empty cell, NA, NaN or NULL is null too.

    Raises NotFound for a path where nothing is, and BadInput with the rule ``format`` (nothing that is read here),
    ``unreadable``, ``empty``, ``rows``, ``duplicate``, ``name`` or ``type`` (a column of mixed types).

    >>> as_table(pa.table({"distance": [200.0, float("nan")]}))["distance"].null_count
    1
    """
    if isinstance(reference, str | Path):
        path = Path(reference)
        name, table = path.name or str(path), _read_file(path)
    else:
        name, table = "reference", _read_object(reference)
    _refuse_bad_shape(table, name)
    return _normal(table)


def _read_file(path: Path) -> pa.Table:
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise BadInput(
            path.name or str(path),
            "format",
            f"is no file that is read here; its name must end in {', '.join(_ENDINGS)}",
        )
    if not path.is_file():
        raise NotFound("file", str(path))
    if path.stat().st_size == 0:
        raise BadInput(path.name, "empty", "the file holds nothing")
    try:
        return _read_ending(path, ending)
    except (pa.ArrowException, OSError, ValueError) as error:
        ragged = re.search(r"(Row #\d+: )?Expected \d+ columns, got \d+", str(error))
        said = f"is damaged or not {ending.removeprefix('.')} ({ragged[0] if ragged else type(error).__name__})"
        raise BadInput(path.name, "unreadable", said) from error


def _read_ending(path: Path, ending: str) -> pa.Table:
    match ending:
        case ".csv":
            return _read_csv(path)
        case ".parquet":
            # A dataset scan, which read_table makes of it, cannot tell columns of one name apart.
            return pyarrow.parquet.ParquetFile(path).read()
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _read_csv(path: Path) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)  # texts have lines; without it they must fit a block
    table = pyarrow.csv.read_csv(path, parse_options=parse, convert_options=options)
    for column in table.schema:
        if pa.types.is_binary(column.type):
            raise BadInput(column.name, "utf8", "is not UTF-8 text; save the file in that encoding")
    return table


def _read_object(reference: Any) -> pa.Table:
    if isinstance(reference, pa.Table):
        return reference
    if isinstance(reference, pa.RecordBatch):
        return pa.Table.from_batches([reference])
    library = type(reference).__module__.partition(".")[0]
    try:
        if library == "pandas" and hasattr(reference, "columns"):
            _refuse_duplicates([str(each) for each in reference.columns], "reference")
            return pa.Table.from_pandas(reference, preserve_index=False).replace_schema_metadata(None)
        if library == "polars" and hasattr(reference, "to_arrow") and hasattr(reference, "columns"):
            return reference.to_arrow()
        if hasattr(reference, "__arrow_c_stream__"):
            return pa.table(reference)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise BadInput("reference", "type", "has a column of mixed types or of a type tables cannot hold") from error
    raise BadInput(
        "reference",
        "format",
        f"a {type(reference).__name__} is no table; give an Arrow, pandas or Polars table, or the path of a file",
    )


def _refuse_bad_shape(table: pa.Table, name: str) -> None:
    if table.num_columns == 0:
        raise BadInput(name, "empty", "has no columns")
    _refuse_duplicates(table.column_names, name)
    if any(not each.strip() for each in table.column_names):
        raise BadInput(
            name,
            "name",
            "has a column without a name; name it, or leave out the index (pandas: to_csv(..., index=False))",
        )
    if table.num_rows == 0:
        raise BadInput(name, "rows", "has columns but no rows; give at least one")


def _refuse_duplicates(names: list[str], where: str) -> None:
    seen: set[str] = set()
    for each in names:
        if each in seen:
            raise BadInput(where, "duplicate", f"has more than one column named '{each}'; name each once")
        seen.add(each)


def without_views(table: pa.Table) -> pa.Table:
    """`table` with string and byte views, which Arrow can neither take nor filter, as plain strings and bytes.

    >>> without_views(pa.table({"a": pa.array(["x"], pa.string_view())})).schema.field("a").type
    DataType(string)
    """
    for i, column in enumerate(table.schema):
        plain = _without_view(column.type)
        if plain != column.type:
            values = table[column.name]
            chunks = [_without_view_values(chunk, plain) for chunk in values.chunks]
            table = table.set_column(i, column.name, pa.chunked_array(chunks, plain))
    return table


def _without_view(kind: Any) -> Any:
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _without_view(kind.value_type), kind.ordered)
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)


def _without_view_values(chunk: Any, plain: Any) -> Any:
    if not pa.types.is_dictionary(plain):
        return pc.cast(chunk, plain)
    names = pc.cast(chunk.dictionary, plain.value_type)
    return pa.DictionaryArray.from_arrays(chunk.indices, names, ordered=plain.ordered)


def _normal(table: pa.Table) -> pa.Table:
    """Views as plain strings and bytes, NaN as null."""
    table = without_views(table)
    for i, column in enumerate(table.schema):
        if pa.types.is_floating(column.type):
            values = table[column.name]
            missing = pc.is_nan(pc.cast(values, pa.float64()))
            if pc.any(missing).as_py():
                values = pc.if_else(missing, pa.scalar(None, column.type), values)
                table = table.set_column(i, column.name, values)
    return table
