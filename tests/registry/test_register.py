"""Registration end to end: what is kept, who may run code, and which candidate wins."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.errors import BadInput, IntegrityError, MissingExtra, NotFound, TrustRequired
from headgate.evaluation.report import Report
from headgate.events import EventKind
from headgate.registry.evaluate import evaluate_version
from headgate.registry.package import Engine
from headgate.registry.parity import ParityReport, recheck
from headgate.registry.ports import Predicted, Predictor
from headgate.registry.reference import data_digest, sample
from headgate.registry.register import Registered, Registration, register
from headgate.registry.registry import Registry
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import Task

NUMBERS = ["a", "b", "c"]
SOURCE = """
import pathlib

class Threshold:
    def __init__(self, folder):
        self.limit = float((pathlib.Path(folder) / "limit.txt").read_text())

    def predict(self, rows):
        return [[float(r["a"] <= self.limit), float(r["a"] > self.limit)] for r in rows]
"""


def same_here(done: Registered) -> bool:
    said = recheck(done.package, predict_with)
    return said is not None and said.exact


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(frame[NUMBERS], frame.y)


def test_everything_is_remembered(registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    first = enter(fitted, frame, why="the first", code="commit 1", actor="ada")
    assert first.version.ref == "m:1"
    assert (first.version.code, first.version.why, first.version.engine) == ("commit 1", "the first", "onnx")
    assert first.version.data_digest is not None
    assert first.package == registry.package(first.version)
    assert {"python", "scikit-learn", "numpy", "skl2onnx"} <= set(first.package.manifest.environment)
    card = (first.package.path / "card.md").read_text()
    for expected in ("# m", "the first", "commit 1", first.version.data_digest, "| a | number |", "largest difference"):
        assert expected in card
    import msgspec

    report = msgspec.json.decode((first.package.path / "parity.json").read_bytes(), type=ParityReport)
    assert report.attempts[-1].parity == first.parity
    kept = pyarrow.parquet.read_table(first.package.path / "reference.parquet")
    assert kept.column_names == [*NUMBERS, "y"]
    assert [each.kind for each in registry.history(first.version)] == [EventKind.REGISTERED]
    assert first.events[0].actor == "ada"
    second = enter(HistGradientBoostingClassifier(max_iter=2).fit(frame[NUMBERS], frame.y), frame, parent="m:1")
    assert registry.lineage(second.version) == [second.version, first.version]


def test_the_same_again_is_the_same_version(registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    first = enter(fitted, frame)
    registry.clock.move_to(registry.clock.now() + 60_000_000)  # type: ignore[attr-defined]  # a HeldClock
    again = enter(fitted, frame)
    assert again.version == first.version
    assert again.events == ()
    assert len(registry.packages.digests()) == 1
    assert enter(fitted, frame.iloc[:100]).version.number == 2


def test_a_sample_is_kept_seeded_and_small(frame: pd.DataFrame) -> None:
    large = pa.table({"a": np.arange(20_000.0)})
    assert sample(large).num_rows == 5_000
    assert sample(large).equals(sample(large))
    digest = data_digest(large)
    assert digest == data_digest(pa.concat_tables([large.slice(0, 77), large.slice(77)]))
    assert digest != data_digest(large.slice(1))
    assert digest != data_digest(large.rename_columns(["b"]))


def test_a_persons_contract_is_kept(enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    fields = tuple(Field(each, Kind.NUMBER, unit="m") for each in NUMBERS)
    own = Contract(fields, Output(Task.BINARY, "y", (0, 1), probability=True))
    assert enter(fitted, frame, contract=own).package.contract == own
    turned = Contract(fields, Output(Task.BINARY, "y", (1, 0), probability=True))
    with pytest.raises(BadInput, match="model's own classes"):
        enter(fitted, frame, contract=turned)
    with pytest.raises(BadInput, match=r"^c: "):
        enter(fitted, frame, contract=Contract(fields[:2], own.output))


@pytest.mark.parametrize(
    ("label", "rule"),
    [("word", "domain"), ("number", "domain"), ("list", "domain"), ("nothing", None), ("y", None), ("float", None)],
)
def test_a_label_column_holds_what_the_model_answers(
    enter: Any, fitted: Any, frame: pd.DataFrame, label: str, rule: str | None
) -> None:
    data = frame[NUMBERS].assign(y=frame.y, word="no", number=frame.a, nothing=None)
    data["float"] = frame.y.astype(float)
    data["list"] = pd.Series([[1]] * len(frame))
    if rule is None:
        assert enter(fitted, data, label=label).package.contract.output.label == label
        return
    with pytest.raises(BadInput, match=r"none of the model's classes \(0, 1\)") as refused:
        enter(fitted, data, label=label)
    assert (refused.value.field, refused.value.rule) == (label, rule)


def test_a_regressions_label_column_holds_numbers(enter: Any, frame: pd.DataFrame) -> None:
    data = frame[NUMBERS].assign(y=frame.a, word="no")
    model = Ridge().fit(data[NUMBERS], data.y)
    with pytest.raises(BadInput, match="answers numbers") as refused:
        enter(model, data, label="word")
    assert (refused.value.field, refused.value.rule) == ("word", "type")


@pytest.mark.parametrize(("unknown", "closed"), [("error", True), ("ignore", False)])
def test_categories_the_model_cannot_answer_are_refused_and_others_flagged(
    registry: Registry, enter: Any, frame: pd.DataFrame, unknown: str, closed: bool
) -> None:
    columns = make_column_transformer((OneHotEncoder(handle_unknown=unknown), ["e"]), remainder="passthrough")
    data = frame[["a", "e", "y"]]
    done = enter(make_pipeline(columns, LogisticRegression()).fit(data[["a", "e"]], data.y), data)
    rules = {each.name: each.on_domain is OnBreak.REJECT for each in done.package.contract.fields}
    assert rules == {"a": False, "e": closed}
    assert enter(make_pipeline(columns, LogisticRegression()).fit(data[["a", "e"]], data.y), data).events == ()
    strange = pa.Table.from_pandas(data.assign(e=["new", *data.e[1:]]))
    if closed:
        with pytest.raises(BadInput, match="e: 1 rows have a category"):
            evaluate_version(registry, predict_with, done.version, strange, gates=["auc >= 0"])
    else:
        assert evaluate_version(registry, predict_with, done.version, strange, gates=["auc >= 0"]).evaluation.passed


def test_a_column_of_truth_that_is_not_there_is_named(
    registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame
) -> None:
    version = enter(fitted, frame).version
    rows = pa.Table.from_pandas(frame[NUMBERS].assign(late=frame.y))
    with pytest.raises(BadInput, match=f"y: the rows have no such column, where {version.ref} expects the truth"):
        evaluate_version(registry, predict_with, version, rows)
    with pytest.raises(BadInput, match="none of the model's classes"):
        evaluate_version(registry, predict_with, version, rows.append_column("y", pa.array(["no"] * len(frame))))


def test_bad_names_parents_and_models(enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match=r"^name"):
        enter(fitted, frame, name="My Model")
    with pytest.raises(NotFound):
        enter(fitted, frame, parent="m:7")
    with pytest.raises(NotFound, match="model file"):
        enter("no/such.onnx", frame)
    with pytest.raises(BadInput, match="cannot be registered"):
        enter(3, frame)
    with pytest.raises(BadInput, match="no such column"):
        enter(fitted, frame, label="z")


def test_nothing_is_kept_when_nothing_agrees(registry: Registry, fitted: Any, frame: pd.DataFrame) -> None:
    class Wrong:
        def predict(self, table: pa.Table) -> Predicted:
            scores = np.tile([1.0, 0.0], (table.num_rows, 1))
            return Predicted(np.zeros(table.num_rows, int), scores)

    def runner(package: Path) -> Predictor:
        return Wrong()

    with pytest.raises(BadInput, match="nothing answers as the model itself does"):
        register(registry, runner, fitted, frame, Registration("m", label="y"))
    assert registry.versions() == []
    assert registry.packages.digests() == []


def test_a_pickle_needs_trust(enter: Any, fitted: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(fitted, path)
    with pytest.raises(TrustRequired, match="--trust"):
        enter(path, frame)
    assert enter(path, frame, trust=True).package.manifest.engine is Engine.ONNX


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_an_untrusted_pickle_is_never_opened(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    joblib.dump(Bomb(tmp_path / "exploded"), tmp_path / "model.pkl")
    with pytest.raises(TrustRequired):
        enter(tmp_path / "model.pkl", frame)
    assert not (tmp_path / "exploded").exists()


Shouting = type("Shouting", (LogisticRegression,), {"__module__": __name__, "__doc__": "Somebody's own estimator."})


def test_a_skops_file_lists_what_it_would_construct(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    plain, strange = tmp_path / "plain.skops", tmp_path / "strange.skops"
    skops.io.dump(LogisticRegression().fit(frame[NUMBERS], frame.y), plain)
    skops.io.dump(Shouting().fit(frame[NUMBERS], frame.y), strange)
    assert enter(plain, frame).package.manifest.engine is Engine.ONNX
    with pytest.raises(TrustRequired, match="Shouting"):
        enter(strange, frame)
    assert enter(strange, frame, trust=True).parity.exact
    (tmp_path / "bad.skops").write_bytes(b"PK no")
    with pytest.raises(BadInput, match="not a skops file"):
        enter(tmp_path / "bad.skops", frame)


def test_a_model_with_a_function_needs_trust_to_be_hosted(enter: Any, frame: pd.DataFrame) -> None:
    model = make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()).fit(frame[NUMBERS], frame.y)
    done = enter(model, frame, trust=True)
    assert done.parity.exact
    assert done.package.manifest.engine in (Engine.SKLEARN, Engine.PICKLE)


def test_a_model_that_answers_a_row_by_its_neighbours_is_refused(
    enter: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    """In the gateway a row shares its batch with other callers' rows, or has it alone."""
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    def predict(self, table):\n"
        "        values = table['a'].to_numpy()\n        return values - values.mean()\n"
    )
    data = frame[["a"]].assign(y=frame.a * 1.5)
    with pytest.raises(BadInput, match="asked for one row alone"):
        enter(f"{tmp_path / 'mine.py'}:Mine", data, trust=True)


def test_a_python_class_with_its_files(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(SOURCE)
    (tmp_path / "limit.txt").write_text("0.25")
    with pytest.raises(TrustRequired, match="runs its source"):
        enter(tmp_path, frame)
    done = enter(tmp_path, frame, trust=True)
    assert done.package.manifest.trusted
    assert done.package.manifest.options == {"class": "Threshold", "input": "rows"}
    assert "model/limit.txt" in done.package.manifest.files
    assert done.parity.rows > len(frame), "the jump at its limit was found from outside"
    assert same_here(done)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "exactly one class"),
        ("raise ValueError", "fails when it is run"),
        ("class A:\n  def predict(self, table): return [1]", "1 answers for"),
    ],
)
def test_python_source_that_is_no_model(enter: Any, frame: pd.DataFrame, tmp_path: Path, source: str, why: str) -> None:
    (tmp_path / "model.py").write_text(source)
    with pytest.raises(BadInput, match=why):
        enter(tmp_path / "model.py", frame, trust=True)
    assert not (tmp_path / "__pycache__").exists()


def test_keras_without_keras_names_its_extra(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"")
    with pytest.raises((MissingExtra, BadInput)):
        enter(tmp_path / "model.keras", frame)


def test_recheck_sees_a_machine_that_answers_differently(enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    done = enter(fitted, frame)
    assert same_here(done)

    class Off:
        def __init__(self, package: Path) -> None:
            self.real = predict_with(package)

        def predict(self, table: pa.Table) -> Predicted:
            said = self.real.predict(table)
            assert said.scores is not None
            return Predicted(said.prediction, said.scores + 1e-3)

    said = recheck(done.package, Off)
    assert said is not None
    assert not said.exact


def test_recheck_without_its_rows_says_so(registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    done = enter(fitted, frame)
    registry.packages.bury(done.digest, "reference.parquet", "erasure")
    assert recheck(registry.package(done.version), predict_with) is None


def test_a_package_changed_after_registration_is_not_evaluated(
    registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame
) -> None:
    done = enter(fitted, frame)
    with (done.package.path / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(IntegrityError, match=r"model\.onnx changed after registration"):
        evaluate_version(registry, predict_with, done.version, pa.Table.from_pandas(frame))


def test_evaluation_is_kept_and_proves(registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame)
    first = enter(fitted, frame).version
    done = evaluate_version(registry, predict_with, first, table, gates=["auc >= 0.9"], slices=["e"], actor="ada")
    assert done.evaluation.passed
    assert done.champion is None
    assert registry.proved(first)
    import msgspec

    kept = msgspec.json.decode(registry.evaluations(first)[-1].report, type=Report)
    assert kept.rows == len(frame)
    assert {each.value for each in kept.slices} == {"u", "v", "w"}
    assert registry.history(first)[0].kind is EventKind.EVALUATED
    evaluate_version(registry, predict_with, first, table, gates=["auc >= 0.9999999", "log_loss <= 0.000001"])
    assert not registry.proved(first), "only the latest counts"


def test_the_champion_is_asked_on_the_same_rows(
    registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame
) -> None:
    table = pa.Table.from_pandas(frame)
    first = enter(fitted, frame).version
    registry.set_alias(first.ref, "champion", actor="ada")
    worse = enter(LogisticRegression().fit(frame[["c"]], frame.y), frame).version
    done = evaluate_version(registry, predict_with, worse, table, gates=["auc not worse than champion by 0.01"])
    assert done.champion == first.ref
    assert not done.evaluation.passed
    own = evaluate_version(registry, predict_with, first, table, gates=["auc >= 0.5"])
    assert own.champion is None, "a version is never its own rival"


def test_rows_without_any_label_cannot_be_evaluated(
    registry: Registry, enter: Any, fitted: Any, frame: pd.DataFrame
) -> None:
    version = enter(fitted, frame).version
    with pytest.raises(BadInput, match="no row has a label"):
        evaluate_version(
            registry, predict_with, version, pa.Table.from_pandas(frame.assign(y=pd.Series(dtype="Int64")))
        )
    assert not registry.proved(version)


def test_a_class_that_gives_labels_alone_is_believed(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "class Sign:\n    def predict(self, table):\n        return (table['a'].to_numpy() > 0).astype(int)\n"
    )
    done = enter(tmp_path, frame[["a", "y"]], trust=True)
    assert done.package.contract.output.classes == (0, 1)
    assert not done.package.contract.output.probability
