"""Scoring files: every row answered or refused by name, resumable, complete or absent."""

import errno
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from headgate import durability
from headgate.batch.read import read_chunks
from headgate.batch.score import Scored, score_file
from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.errors import BadConfiguration, BadInput, Conflict, NotFound
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

CONTRACT = Contract(
    (
        Field("x", Kind.NUMBER, minimum=0.0, maximum=1e6, on_range=OnBreak.REJECT),
        Field("name", Kind.TEXT, nullable=True),
    ),
    Output(Task.BINARY, classes=(0, 1), probability=True),
)


class Halving:
    """Says 1 for odd x; counts how many rows it was asked."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.asked = 0
        self._fail_after = fail_after

    def predict(self, table: pa.Table) -> Predicted:
        if self._fail_after is not None and self.asked >= self._fail_after:
            raise KeyboardInterrupt
        self.asked += table.num_rows
        odd = table.column("x").to_numpy() % 2
        return Predicted(odd.astype(np.int64), np.stack([1 - odd, odd], axis=1))


def run(source: Path, target: Path, model: Halving | None = None, chunk_rows: int = 10, digest: str = "d") -> Scored:
    return score_file(
        source,
        target,
        contract=CONTRACT,
        predictor=model or Halving(),
        version="m:1",
        digest=digest,
        chunk_rows=chunk_rows,
    )


def rows(count: int) -> pa.Table:
    return pa.table({"x": np.arange(count, dtype=np.float64), "name": [f"n{i}" for i in range(count)]})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    pq.write_table(rows(47), tmp_path / "in.parquet", row_group_size=7)
    return tmp_path / "in.parquet"


def test_every_row_is_answered_in_order(source: Path, tmp_path: Path) -> None:
    assert run(source, tmp_path / "out.parquet") == Scored(47, 47, 0, 0)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("prediction").to_pylist() == [i % 2 for i in range(47)]
    assert table.column("score_1").to_pylist() == [float(i % 2) for i in range(47)]
    assert table.column("x").to_pylist() == list(range(47))
    assert set(table.column("version").to_pylist()) == {"m:1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("write", [pq.write_table, pacsv.write_csv], ids=["pq", "csv"])
def test_refused_rows_stay_in_with_field_and_rule(
    tmp_path: Path, suffix: str, write: Callable[[pa.Table, Path], None], request: pytest.FixtureRequest
) -> None:
    source = tmp_path / ("in.parquet" if "pq" in request.node.callspec.id else "in.csv")
    table = rows(25).set_column(0, "x", pa.array([-1.0 if i in (3, 12) else float(i) for i in range(25)]))
    write(table, source)
    assert run(source, tmp_path / f"out{suffix}") == Scored(25, 23, 2, 0)
    out = pq.read_table(tmp_path / "out.parquet") if suffix == ".parquet" else pacsv.read_csv(tmp_path / "out.csv")
    rules = out.column("error_rule").to_pylist()
    assert [i for i, rule in enumerate(rules) if rule] == [3, 12]
    assert out.column("error_field").to_pylist()[3] == "x"
    assert out.column("prediction").to_pylist()[4] == 0


def test_a_cell_that_is_not_a_number_refuses_its_row_alone(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,name\n1,a\nmany,b\n3,c\n,d\n")
    assert run(tmp_path / "in.csv", tmp_path / "out.parquet").refused == 2
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column("error_rule").to_pylist() == [None, "type", None, "null"]
    assert out.column("prediction").to_pylist() == [1, None, 1, None]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_without_any_of_the_fields_is_refused_row_by_row(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    table = pa.table({"x;name": [f"{i};n{i}" for i in range(25)]})  # what a comma makes of a file of semicolons
    pq.write_table(table, source) if suffix == ".parquet" else pacsv.write_csv(table, source)
    model = Halving()
    assert run(source, tmp_path / "out.parquet", model) == Scored(25, 0, 25, 0)
    assert model.asked == 0
    out = pq.read_table(tmp_path / "out.parquet")
    assert set(zip(out["error_field"].to_pylist(), out["error_rule"].to_pylist(), strict=True)) == {("x", "missing")}
    assert out["x;name"].to_pylist() == table["x;name"].to_pylist()


def test_a_chunk_of_refused_rows_alone_does_not_change_the_answer_types(tmp_path: Path) -> None:
    table = rows(20).set_column(0, "x", pa.array([-1.0] * 10 + [1.0] * 10))
    pq.write_table(table, tmp_path / "in.parquet")
    assert run(tmp_path / "in.parquet", tmp_path / "out.parquet") == Scored(20, 10, 10, 0)
    assert pq.read_table(tmp_path / "out.parquet").column("prediction").to_pylist() == [None] * 10 + [1] * 10


def test_an_interrupted_run_goes_on_where_it_stopped(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Halving(fail_after=30))
    assert not target.exists()
    model = Halving()
    assert run(source, target, model) == Scored(47, 47, 0, 30)
    assert model.asked == 17
    assert pq.read_table(target).column("prediction").to_pylist() == [i % 2 for i in range(47)]


def test_work_of_another_version_or_file_is_not_taken_up(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Halving(fail_after=30))
    model = Halving()
    assert run(source, target, model, digest="another").resumed_at == 0
    assert model.asked == 47


def test_a_target_that_is_there_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.parquet").write_bytes(b"precious")
    with pytest.raises(Conflict):
        run(source, tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("in.parquet", b"not parquet", "type"),
        ("in.csv", b"", "type"),
        ("in.csv", b"x,name\n", "empty"),
        ("in.xls", b"x", "type"),
        ("in.csv", b"x,prediction\n1,2\n", "conflict"),
    ],
)
def test_a_source_that_cannot_be_scored_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, rule: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as refused:
        run(tmp_path / name, tmp_path / "out.parquet")
    assert refused.value.rule == rule
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("where", ["source", "target"])
def test_a_name_that_is_no_text_is_refused_before_anything_is_answered(
    source: Path, tmp_path: Path, where: str
) -> None:
    odd, model = tmp_path / "caf\udce9.parquet", Halving()
    if where == "source":
        source = source.rename(odd)
    with pytest.raises(BadInput, match="UTF-8") as refused:
        run(source, odd if where == "target" else tmp_path / "out.parquet", model)
    assert (refused.value.field, model.asked) == (where, 0)
    assert list(tmp_path.iterdir()) == [source]


def test_a_source_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        run(tmp_path / "in.csv", tmp_path / "out.parquet")


def test_two_columns_of_one_name_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,x,name\n1,2,a\n")
    with pytest.raises(BadInput, match="x: more than one column"):
        run(tmp_path / "in.csv", tmp_path / "out.csv")
    assert [each.name for each in tmp_path.iterdir()] == ["in.csv"]


def test_a_ragged_file_is_named_without_its_cells(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,name\n1,a\nsecret\n")
    with pytest.raises(BadInput, match="Expected 2 columns, got 1") as refused:
        run(tmp_path / "in.csv", tmp_path / "out.csv")
    assert "secret" not in str(refused.value)


def test_a_target_that_cannot_be_written_is_the_operators_matter(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadConfiguration, match=r"target: .*out\.csv"):
        run(source, tmp_path / "file" / "out.csv")


def test_a_text_of_several_lines_is_one_cell_in_a_file_of_any_size(tmp_path: Path) -> None:
    """Larger than the blocks in which a file is read, so that cells lie across their edges."""
    with (tmp_path / "in.csv").open("w") as file:
        file.write("x,name\n")
        for at in range(40_000):
            file.write(f'{at},"line one of {at}\nline two, ""of"" {at}"\n')
    assert (tmp_path / "in.csv").stat().st_size > 1 << 20
    assert run(tmp_path / "in.csv", tmp_path / "out.parquet", chunk_rows=9_999) == Scored(40_000, 40_000, 0, 0)
    names = pq.read_table(tmp_path / "out.parquet", columns=["name"])["name"]
    assert names[39_999].as_py() == 'line one of 39999\nline two, "of" 39999'


NESTED = [
    pa.array([[1, 2]] * 5),
    pa.array([{"a": 1}] * 5),
    pa.array([b"\xff"] * 5),
    pa.array([b"\xff"] * 5, pa.large_binary()),
]


@pytest.mark.parametrize("column", NESTED, ids=[str(each.type) for each in NESTED])
def test_what_csv_cannot_hold_is_said_before_the_first_row_is_answered(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(rows(5).append_column("more", column), tmp_path / "in.parquet")
    model = Halving()
    with pytest.raises(BadInput, match=r"name a \.parquet") as refused:
        run(tmp_path / "in.parquet", tmp_path / "out.csv", model)
    assert (refused.value.field, refused.value.rule, model.asked) == ("source.more", "type", 0)
    assert [each.name for each in tmp_path.iterdir()] == ["in.parquet"]
    run(tmp_path / "in.parquet", tmp_path / "out.parquet", model)
    assert pq.read_table(tmp_path / "out.parquet")["more"].to_pylist() == column.to_pylist()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("kind", ["dictionary", "view", "large", "decimal", "moment", "null"])
def test_columns_of_every_flat_type_ride_along(tmp_path: Path, suffix: str, kind: str) -> None:
    column = {
        "dictionary": pa.array(["a", "b", None] * 5).dictionary_encode(),
        "view": pa.array(["a", "b", None] * 5, pa.string_view()),
        "large": pa.array(["a", "b", None] * 5, pa.large_string()),
        "decimal": pa.array([1, 2, None] * 5, pa.decimal128(5, 2)),
        "moment": pa.array([1, 2, None] * 5, pa.timestamp("us", "Europe/Berlin")),
        "null": pa.nulls(15),
    }[kind]
    feather.write_feather(rows(15).append_column("more", column), str(tmp_path / "in.arrow"))
    assert run(tmp_path / "in.arrow", tmp_path / f"out{suffix}", chunk_rows=4).answered == 15
    if suffix == ".parquet":
        assert pq.read_table(tmp_path / "out.parquet")["more"].to_pylist() == column.to_pylist()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow", ".feather", ".CSV"])
def test_the_same_rows_get_the_same_answers_whatever_the_file(tmp_path: Path, suffix: str) -> None:
    source, table = tmp_path / f"in{suffix}", rows(23)
    if suffix.lower() == ".csv":
        pacsv.write_csv(table, source)
    elif suffix == ".parquet":
        pq.write_table(table, source, row_group_size=5)
    else:
        feather.write_feather(table, str(source), chunksize=5)
    told: list[tuple[int, int | None]] = []
    done = score_file(
        source,
        tmp_path / "out.parquet",
        contract=CONTRACT,
        predictor=Halving(),
        version="m:1",
        digest="d",
        chunk_rows=10,
        progress=lambda so_far, whole: told.append((so_far, whole)),
    )
    assert done == Scored(23, 23, 0, 0)
    known = 23 if suffix == ".parquet" else None
    assert told == [(10, known), (20, known), (23, known)]
    assert pq.read_table(tmp_path / "out.parquet")["score_1"].to_pylist() == [float(at % 2) for at in range(23)]


def test_a_version_that_answers_tensors_has_no_column_for_them(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="ask a gateway") as refused:
        score_file(
            source,
            tmp_path / "out.parquet",
            contract=Contract(CONTRACT.fields, Output(Task.TENSOR)),
            predictor=Halving(),
            version="m:1",
            digest="d",
        )
    assert (refused.value.field, refused.value.rule) == ("version", "task")


@pytest.mark.parametrize("stop", range(5))
def test_a_run_interrupted_anywhere_ends_as_one_that_was_not(source: Path, tmp_path: Path, stop: int) -> None:
    run(source, tmp_path / "whole.parquet")
    target = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Halving(fail_after=stop * 10))
    assert (tmp_path / "out.parquet.parts").exists() == (stop > 0), "nothing answered, nothing kept"
    assert run(source, target).resumed_at == stop * 10
    assert pq.read_table(target).equals(pq.read_table(tmp_path / "whole.parquet"))
    assert not (tmp_path / "out.parquet.parts").exists()


def test_a_part_that_was_lost_is_answered_again_with_those_behind_it(source: Path, tmp_path: Path) -> None:
    target, parts = tmp_path / "out.parquet", tmp_path / "out.parquet.parts"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Halving(fail_after=40))
    (parts / "00000001.parquet").unlink()
    model = Halving()
    assert run(source, target, model).resumed_at == 10
    assert model.asked == 37
    assert pq.read_table(target)["x"].to_pylist() == list(range(47))


def test_a_source_that_changed_is_begun_anew(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        run(source, target, Halving(fail_after=30))
    pq.write_table(rows(46), source)
    model = Halving()
    assert run(source, target, model) == Scored(46, 46, 0, 0)
    assert model.asked == 46


def test_a_regression_has_no_scores(source: Path, tmp_path: Path) -> None:
    class Doubling:
        def predict(self, table: pa.Table) -> Predicted:
            return Predicted(table.column("x").to_numpy() * 2, None)

    score_file(
        source,
        tmp_path / "out.parquet",
        contract=Contract(CONTRACT.fields, Output(Task.REGRESSION)),
        predictor=Doubling(),
        version="m:1",
        digest="d",
    )
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == ["x", "name", "version", "prediction", "error_field", "error_rule", "error_message"]
    assert table["prediction"].to_pylist() == [2.0 * at for at in range(47)]


def test_a_classifier_without_scores_leaves_their_columns_empty(source: Path, tmp_path: Path) -> None:
    class Plain(Halving):
        def predict(self, table: pa.Table) -> Predicted:
            return Predicted(super().predict(table).prediction, None)

    run(source, tmp_path / "out.parquet", Plain())
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["score_0"].null_count == table["score_1"].null_count == 47
    assert table["prediction"].null_count == 0


def test_a_chunk_none_of_whose_rows_can_be_read_is_refused_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,name\n" + "many,a\n" * 10 + "1,b\n")
    assert run(tmp_path / "in.csv", tmp_path / "out.parquet") == Scored(11, 1, 10, 0)
    assert pq.read_table(tmp_path / "out.parquet")["error_rule"].to_pylist() == ["type"] * 10 + [None]


CELLS = st.sampled_from(["1", "2.5", "-1", "1e9", "nan", "", "many", "NULL", "1,5", "0x1", " 3"])


@settings(max_examples=25)
@given(st.lists(CELLS, min_size=1, max_size=25), st.integers(1, 9))
def test_every_row_of_any_file_is_answered_or_refused_in_its_place(cells: list[str], chunk_rows: int) -> None:
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.parquet"
        source.write_text("x,name\n" + "".join(f'"{cell}",n{at}\n' for at, cell in enumerate(cells)))
        done = run(source, target, chunk_rows=chunk_rows)
        table = pq.read_table(target)
    assert table["name"].to_pylist() == [f"n{at}" for at in range(len(cells))]
    rules, said = table["error_rule"].to_pylist(), table["prediction"].to_pylist()
    assert (done.rows, done.refused) == (len(cells), sum(rule is not None for rule in rules))
    assert [(rule is None) == (answer is not None) for rule, answer in zip(rules, said, strict=True)]
    expected = {"1": None, "2.5": None, "-1": "range", "1e9": "range", "many": "type", "1,5": "type", "0x1": "type"}
    for cell, rule in zip(cells, rules, strict=True):
        assert rule == expected.get(cell, rule)
        assert (rule == "null") == (cell in ("nan", "", "NULL"))


def test_a_disk_that_fills_up_leaves_nothing_under_the_name_and_says_so(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durability, "sync", full)
    with pytest.raises(BadConfiguration, match="no space left on device"):
        run(source, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [source]
    monkeypatch.undo()
    assert run(source, tmp_path / "out.parquet").answered == 47


def test_chunks_of_a_file_that_is_not_there_are_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        next(read_chunks(tmp_path / "no.csv", CONTRACT))
