"""Reference data comes in many forms, and says clearly when it is none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from headgate.contracts.tables import as_table
from headgate.errors import BadInput, NotFound

ROWS = {"distance": [200.0, None, 1400.0], "origin": ["JFK", "LGA", None], "late": [True, False, True]}
TABLE = pa.table(ROWS)


def parquet(path: Path) -> Path:
    pyarrow.parquet.write_table(TABLE, path / "flights.parquet")
    return path / "flights.parquet"


def csv(path: Path) -> Path:
    pyarrow.csv.write_csv(TABLE, path / "flights.csv")
    return path / "flights.csv"


def arrow(path: Path) -> Path:
    with pa.OSFile(str(path / "flights.arrow"), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return path / "flights.arrow"


def feather(path: Path) -> str:
    return str(arrow(path).rename(path / "flights.feather"))


class Stream:
    """Anything that speaks the Arrow stream interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


SOURCES: dict[str, Callable[[Path], object]] = {
    "arrow table": lambda path: TABLE,
    "arrow batch": lambda path: TABLE.to_batches()[0],
    "pandas": lambda path: pd.DataFrame(ROWS),
    "polars": lambda path: pl.DataFrame(ROWS),
    "stream": lambda path: Stream(),
    "parquet": parquet,
    "csv": csv,
    "arrow file": arrow,
    "feather": feather,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_form_gives_the_same_rows(source: Callable[[Path], object], tmp_path: Path) -> None:
    assert as_table(source(tmp_path)).to_pydict() == ROWS


def test_nan_means_missing() -> None:
    assert as_table(pl.DataFrame({"a": [1.0, float("nan")]}))["a"].to_pylist() == [1.0, None]


def test_the_index_of_a_frame_is_no_column() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
    assert as_table(frame).column_names == ["a"]


def test_string_views_become_plain_strings() -> None:
    assert as_table(pa.table({"a": pa.array(["x"], pa.string_view())})).schema.field("a").type == pa.string()


def test_categories_of_views_keep_their_domain() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([1, None]), pa.array(["x", "y"], pa.string_view()))
    table = as_table(pa.table({"a": column}))
    assert table["a"].to_pylist() == ["y", None]
    assert table["a"].chunk(0).dictionary.to_pylist() == ["x", "y"]


def two_of_a_name() -> pa.Table:
    return pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])


BAD: dict[str, tuple[Callable[[], object], str, str]] = {
    "no columns": (lambda: pa.table({}), "reference", "empty"),
    "empty frame": (pd.DataFrame, "reference", "empty"),
    "no rows": (lambda: TABLE.slice(0, 0), "reference", "rows"),
    "no rows in pandas": (lambda: pd.DataFrame(ROWS).iloc[:0], "reference", "rows"),
    "twice in arrow": (two_of_a_name, "reference", "duplicate"),
    "twice in pandas": (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "reference", "duplicate"),
    "once as text, once as number": (lambda: pd.DataFrame([[1, 2]], columns=["1", 1]), "reference", "duplicate"),
    "nameless": (lambda: pa.table({" ": [1]}), "reference", "name"),
    "mixed types": (lambda: pd.DataFrame({"a": [1, "x"]}), "reference", "type"),
    "a list": (lambda: [1, 2], "reference", "format"),
    "nothing": (lambda: None, "reference", "format"),
}


@pytest.mark.parametrize(("make", "field", "rule"), BAD.values(), ids=BAD)
def test_what_is_no_reference_is_refused_by_rule(make: Callable[[], object], field: str, rule: str) -> None:
    with pytest.raises(BadInput) as refused:
        as_table(make())
    assert (refused.value.field, refused.value.rule) == (field, rule)


FILES: dict[str, tuple[str, bytes, str, str]] = {
    "empty csv": ("a.csv", b"", "a.csv", "empty"),
    "header only": ("a.csv", b"a,b\n", "a.csv", "rows"),
    "duplicate header": ("a.csv", b"a,b,a\n1,2,3\n", "a.csv", "duplicate"),
    "ragged": ("a.csv", b"a,b\n1,2,3\n", "a.csv", "unreadable"),
    "latin-1": ("a.csv", b"a,b\n1,M\xfcnchen\n", "b", "utf8"),
    "not parquet": ("a.parquet", b"PAR1 nonsense", "a.parquet", "unreadable"),
    "empty parquet": ("a.parquet", b"", "a.parquet", "empty"),
    "not arrow": ("a.arrow", b"nonsense", "a.arrow", "unreadable"),
    "not feather": ("a.feather", b"nonsense" * 9, "a.feather", "unreadable"),
    "excel": ("a.xlsx", b"PK", "a.xlsx", "format"),
    "no ending": ("flights", b"a\n1\n", "flights", "format"),
}


@pytest.mark.parametrize(("name", "content", "field", "rule"), FILES.values(), ids=FILES)
def test_bad_files_are_refused_by_rule(tmp_path: Path, name: str, content: bytes, field: str, rule: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as refused:
        as_table(tmp_path / name)
    assert (refused.value.field, refused.value.rule) == (field, rule)


def test_duplicate_columns_in_parquet_are_refused_by_rule(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(two_of_a_name(), tmp_path / "a.parquet")
    with pytest.raises(BadInput) as refused:
        as_table(tmp_path / "a.parquet")
    assert (refused.value.rule, refused.value.message) == (
        "duplicate",
        "has more than one column named 'a'; name each once",
    )


@pytest.mark.parametrize("kind", [str, Path])
def test_a_missing_file_is_not_found(tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    with pytest.raises(NotFound):
        as_table(kind(tmp_path / "nowhere.csv"))


def test_a_directory_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(NotFound):
        as_table(tmp_path / "a.csv")


def test_a_text_of_several_lines_is_one_cell_in_a_file_of_any_size(tmp_path: Path) -> None:
    """Larger than the blocks in which a file is read, so that cells lie across their edges."""
    path = tmp_path / "notes.csv"
    path.write_text("x,note\n" + "".join(f'{at},"one of {at}\ntwo, of {at}"\n' for at in range(60_000)))
    assert path.stat().st_size > 1 << 20
    table = as_table(path)
    assert table.num_rows == 60_000
    assert table["note"][59_999].as_py() == "one of 59999\ntwo, of 59999"
