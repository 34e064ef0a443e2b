"""A query that somebody else wrote reads the relations it is given, and nothing else."""

from pathlib import Path

import pyarrow as pa
import pytest

from headgate.errors import BadInput
from headgate.journal.labels import ask_locked

NUMBERS = {"numbers": pa.table({"n": [1, 2, 3]})}


def test_it_reads_what_it_is_given() -> None:
    assert ask_locked("SELECT sum(n) AS n FROM numbers", NUMBERS)["n"].to_pylist() == [6]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_text('{file}')",
        "COPY numbers TO '{file}.out'",
        "ATTACH '{file}.db' AS other",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM elsewhere",
        "SELECT * FROM NUMBERS_OUTSIDE",
        "SELEC 1",
        "",
    ],
)
def test_it_reaches_nothing_else(sql: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("a,b\n1,2\n")
    NUMBERS_OUTSIDE = pa.table({"n": [1]})  # noqa: F841, N806 - what a query must not find by itself
    with pytest.raises(BadInput, match="query"):
        ask_locked(sql.format(file=file), NUMBERS)
    assert [each.name for each in tmp_path.iterdir()] == ["secret.csv"]
