"""Somebody's own class: understood by its source, refused in words whatever it does, never our end."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadInput, NotFound, RuntimeFailed, TrustRequired
from headgate.registry.importers import files, python
from headgate.registry.importers.python import PythonSource
from headgate.registry.ports import Predicted
from headgate.vocabulary import Task

TABLE = pa.table({"a": [1.0, 2.0, 3.0], "other": ["x", "y", "z"]})
FIELDS = (Field("a", Kind.NUMBER),)
TASKS = {
    "binary": Contract(FIELDS, Output(Task.BINARY, classes=(0, 1))),
    "regression": Contract(FIELDS, Output(Task.REGRESSION)),
}


class Hidden:
    """A class whose source is this file."""

    def predict(self, table: pa.Table) -> list[int]:
        return [0] * table.num_rows


def answer(tmp_path: Path, body: str, task: str = "binary") -> Predicted:
    """What a class says whose ``predict`` ends in `body`; its rows are `t`, read as a table."""
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\nclass Mine:\n    def predict(self, t):\n        n = len(t)\n        {body}\n")
    found = python.load(path, None)
    return python.Native(python.instance(found, tmp_path), TASKS[task], python.reading(found)).predict(TABLE)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return None", "one answer per row"),
        ("return 0.5", "one answer per row"),
        ("return {'a': [0] * n}", "one answer per row"),
        ("return (0 for _ in range(n))", "one answer per row"),
        ("return [0]", "gave 1 answers for 3 rows"),
        ("return np.zeros((n, 3))", "3 scores for 2 classes"),
        ("return np.zeros(n, complex)", "complex"),
    ],
)
def test_answers_in_another_shape_are_refused(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        answer(tmp_path, body)


@pytest.mark.parametrize("body", ["return ['a'] * n", "return [object()] * n", "return np.zeros(n, complex)"])
def test_a_regression_answers_numbers(tmp_path: Path, body: str) -> None:
    with pytest.raises(BadInput, match=r"numbers") as refused:
        answer(tmp_path, body, "regression")
    assert refused.value.rule == "type"


@pytest.mark.parametrize("body", ["raise KeyError(3)", "import sys; sys.exit(3)", "return [[1], [1, 2], 3]", "1 / 0"])
def test_a_class_that_fails_says_how(tmp_path: Path, body: str) -> None:
    with pytest.raises(RuntimeFailed, match="failed on the reference rows"):
        answer(tmp_path, body)


def test_it_reads_a_table_or_rows_of_the_contracts_fields_alone(tmp_path: Path) -> None:
    said = answer(tmp_path, "assert t.column_names == ['a']; return t['a']", "regression")
    assert said.prediction.tolist() == [1.0, 2.0, 3.0]
    (tmp_path / "rows.py").write_text("class Mine:\n    def predict(self, rows): return [each['a'] for each in rows]\n")
    found = python.load(tmp_path / "rows.py", "Mine")
    assert python.reading(found) == "rows"
    assert python.Native(found(), TASKS["regression"], "rows").predict(TABLE).prediction.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("source", "name", "says"),
    [
        ("import sys; sys.exit(0)", None, "fails when it is run: SystemExit"),
        ("\x00", None, "fails when it is run"),
        ("def (", None, "fails when it is run: SyntaxError"),
        ("import nowhere_at_all", None, "fails when it is run: ModuleNotFoundError"),
        ("class A:\n    predict = 3\n", None, "exactly one class"),
        ("class A:\n    def predict(self, t): ...\nclass B(A): ...\n", None, "its name be given"),
        ("class A:\n    def predict(self, t): ...\n", "B", "exactly one class"),
        ("class A:\n    __module__ = 'elsewhere'\n    def predict(self, t): ...\n", "A", "exactly one class"),
    ],
)
def test_source_without_the_class_is_refused(tmp_path: Path, source: str, name: str | None, says: str) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(BadInput, match=says):
        python.load(tmp_path / "mine.py", name)
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("init", "given"),
    [
        ("", False),
        ("def __init__(self, folder): self.at = folder", True),
        ("def __init__(self, at=None): self.at = at", False),
    ],
)
def test_a_class_gets_its_folder_when_it_asks_for_one(tmp_path: Path, init: str, given: bool) -> None:
    (tmp_path / "mine.py").write_text(f"class Mine:\n    at = None\n    {init}\n    def predict(self, t): ...\n")
    made = python.instance(python.load(tmp_path / "mine.py", None), tmp_path)
    assert made.at == (tmp_path if given else None)


@pytest.mark.parametrize("init", ["a, b", "*, key"])
def test_a_class_that_cannot_be_made_says_so(tmp_path: Path, init: str) -> None:
    (tmp_path / "mine.py").write_text(
        f"class Mine:\n    def __init__(self, {init}): ...\n    def predict(self, t): ...\n"
    )
    with pytest.raises(BadInput, match="fails when it is made: TypeError"):
        python.instance(python.load(tmp_path / "mine.py", None), tmp_path)
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    def __init__(self): raise SystemExit\n    def predict(self, t): ...\n"
    )
    with pytest.raises(BadInput, match="fails when it is made: SystemExit"):
        python.instance(python.load(tmp_path / "mine.py", None), tmp_path)


def test_a_class_is_known_by_where_its_source_lies() -> None:
    assert python.recognises(Hidden)
    assert not python.recognises(Hidden())
    assert python.source_of(Hidden) == PythonSource(Path(__file__), "Hidden")
    typed_in: Any = type("Typed", (), {"predict": lambda self, table: table, "__module__": "builtins"})
    with pytest.raises(BadInput, match="no source file"):
        python.source_of(typed_in)


def test_a_class_and_its_file_make_the_same_version(
    enter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pd.DataFrame({"a": [0.0, 1.0] * 20, "y": [0, 1] * 20})
    (tmp_path / "mine.py").write_text(
        "class Other:\n    def predict(self, table): return [1] * len(table)\n"
        "class Mine:\n    def predict(self, table): return [int(each > 0.5) for each in table['a'].to_pylist()]\n"
    )
    with pytest.raises(TrustRequired):
        enter(f"{tmp_path / 'mine.py'}:Mine", data)
    done = enter(f"{tmp_path / 'mine.py'}:Mine", data, trust=True)
    module = python.load(tmp_path / "mine.py", "Mine").__module__
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(__file__=str(tmp_path / "mine.py")))
    again = enter(python.load(tmp_path / "mine.py", "Mine"), data, trust=True)
    assert again.digest == done.digest


def test_what_a_path_names_is_opened_by_its_ending(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        files.open_model(str(tmp_path / "no.onnx"))
    with pytest.raises(NotFound):
        files.open_model(f"{tmp_path / 'no.py'}:Mine")
    with pytest.raises(BadInput, match=r"neither model\.onnx and tokenizer\.json nor model\.py"):
        files.open_model(tmp_path)
    (tmp_path / "m.h5").write_bytes(b"")
    with pytest.raises(BadInput, match=r"does not open; it opens .*\.onnx.*\.skops"):
        files.open_model(tmp_path / "m.h5")
    (tmp_path / "model.py").write_text("")
    assert files.open_model(tmp_path) == PythonSource(tmp_path)
    assert files.open_model(str(tmp_path / "model.py")) == PythonSource(tmp_path / "model.py")
    marker = object()
    assert files.open_model(marker) is marker


@pytest.mark.parametrize("ending", [".joblib", ".pkl", ".pickle"])
def test_a_pickle_is_opened_by_who_trusts_it_alone(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"m{ending}"
    path.write_bytes(b"cos\nabort\n")
    with pytest.raises(TrustRequired, match="--trust"):
        files.open_model(path)
    path.write_bytes(b"\x80\x05junk")
    with pytest.raises(BadInput, match="cannot be unpickled here"):
        files.open_model(path, trust=True)
