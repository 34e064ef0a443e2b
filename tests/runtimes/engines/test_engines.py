"""Every engine answers a package as the model itself answered when it was registered."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import RuntimeFailed, TrustRequired
from headgate.registry.importers.importer import Candidate, Imported
from headgate.registry.importers.recognise import importer_of
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, PackageStore, open_package
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.feeds_table import feeds_from_table
from headgate.runtimes.open import open_runtime
from headgate.runtimes.predictor import predict_with
from headgate.testing.conformance_runtime import check_runtime, span
from headgate.testing.scripted import write_contract
from headgate.vocabulary import Task

ROWS = 40
NUMBERS = Contract(
    tuple(Field(name, Kind.NUMBER) for name in ("a", "b", "c")), Output(Task.BINARY, classes=(0, 1), probability=True)
)
MIXED = Contract(
    (
        Field("a", Kind.NUMBER, nullable=True),
        Field("n", Kind.INTEGER),
        Field("flag", Kind.BOOLEAN),
        Field("city", Kind.CATEGORY, nullable=True, domain=("Bern", "Oslo", "Rome")),
    ),
    Output(Task.BINARY, classes=("no", "yes"), probability=True),
)
TEXT = Contract((Field("note", Kind.TEXT),), Output(Task.BINARY, classes=(0, 1), probability=True))

random = np.random.default_rng(3)
NUMBER_TABLE = pa.table({name: random.normal(size=ROWS) for name in "abc"})
MATRIX = np.column_stack([NUMBER_TABLE[name].to_numpy() for name in "abc"])
TARGET = (MATRIX.sum(axis=1) > 0).astype(int)
MIXED_TABLE = pa.table(
    {
        "a": [None if place % 7 == 0 else float(place % 11) for place in range(ROWS)],
        "n": list(range(ROWS)),
        "flag": [place % 3 == 0 for place in range(ROWS)],
        "city": [[None, "Bern", "Oslo", "Rome"][place % 4] for place in range(ROWS)],
    }
)
TEXT_TABLE = pa.table({"note": [["good day", "bad night", ""][place % 3] for place in range(ROWS)]})


def _sklearn_numbers() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(MATRIX, TARGET)


def _sklearn_mixed() -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    columns = ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city"])], remainder="passthrough"
    )
    frame = MIXED_TABLE.to_pandas()
    frame["city"] = frame["city"].astype(object).where(frame["city"].notna(), np.nan)
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5)).fit(
        frame, np.where(np.arange(ROWS) % 5 < 2, "yes", "no")
    )


def _sklearn_text() -> Any:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXT_TABLE["note"].to_pylist(), TARGET)


def _xgboost() -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=5, nthread=1).fit(MATRIX, TARGET)


def _lightgbm() -> Any:
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1, min_child_samples=2).fit(MATRIX, TARGET)


MODELS: dict[str, tuple[Callable[[], Any], Contract, Any]] = {
    "sklearn on numbers": (_sklearn_numbers, NUMBERS, NUMBER_TABLE),
    "sklearn on a frame": (_sklearn_mixed, MIXED, MIXED_TABLE),
    "sklearn on text": (_sklearn_text, TEXT, TEXT_TABLE),
    "xgboost": (_xgboost, NUMBERS, NUMBER_TABLE),
    "lightgbm": (_lightgbm, NUMBERS, NUMBER_TABLE),
}


def imported(name: str) -> tuple[Imported, Contract, Any]:
    make, contract, table = MODELS[name]
    model = make()
    return importer_of(model).build(model, contract, table, trust=True), contract, table


def packed(root: Path, candidate: Candidate, contract: Contract) -> Path:
    def build(folder: Path) -> Manifest:
        write_contract(folder, contract)
        candidate.write(folder)
        return Manifest(
            format=FORMAT,
            engine=candidate.engine,
            artefact=candidate.artefact,
            signature=candidate.signature,
            files={},
            environment={},
            options=dict(candidate.options),
            trusted=candidate.trusted,
        )

    store = PackageStore(root)
    return store.path(store.put(build))


@pytest.mark.parametrize("name", MODELS)
def test_an_engine_answers_as_the_model_itself(name: str, tmp_path: Path) -> None:
    whole, contract, table = imported(name)
    expected = whole.native.predict(table)
    assert expected.scores is not None
    hosted = [each for each in whole.candidates if each.engine is not Engine.ONNX]
    assert hosted
    for candidate in hosted:
        package = packed(tmp_path, candidate, contract)
        found = predict_with(package).predict(table)
        assert found.prediction.tolist() == expected.prediction.tolist()
        assert found.scores is not None
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
        opened = open_package(package)
        plan = compile_feeds(contract, opened.manifest.signature, opened.manifest.options)
        rows = feeds_from_table(plan, table.slice(0, 5))
        check_runtime(lambda opened=opened: open_runtime(opened.path, opened.manifest, opened.contract), rows)  # type: ignore[misc]


def test_rows_and_tables_reach_a_hosted_model_alike(tmp_path: Path) -> None:
    whole, contract, table = imported("sklearn on a frame")
    candidate = next(each for each in whole.candidates if each.engine is Engine.SKLEARN)
    opened = open_package(packed(tmp_path, candidate, contract))
    plan = compile_feeds(contract, opened.manifest.signature, opened.manifest.options)
    rows = [tuple(row.values()) for row in table.to_pylist()]
    runtime = open_runtime(opened.path, opened.manifest, opened.contract)
    by_rows, by_table = runtime.run(plan.from_values(rows)), runtime.run(feeds_from_table(plan, table))
    assert by_rows.prediction.tolist() == by_table.prediction.tolist()
    assert by_rows.scores is not None
    np.testing.assert_array_equal(by_rows.scores, by_table.scores)


def test_a_pickle_nobody_vouched_for_stays_closed(tmp_path: Path) -> None:
    whole, contract, _ = imported("sklearn on numbers")
    pickle = next(each for each in whole.candidates if each.engine is Engine.PICKLE)
    opened = open_package(packed(tmp_path, pickle, contract))
    with pytest.raises(TrustRequired):
        open_runtime(opened.path, msgspec.structs.replace(opened.manifest, trusted=False), contract)


@pytest.mark.parametrize(
    "engine",
    [
        Engine.SKLEARN,
        Engine.XGBOOST,
        Engine.LIGHTGBM,
        *(pytest.param(each, marks=pytest.mark.full) for each in (Engine.TORCH, Engine.KERAS, Engine.TEXT)),
    ],
)
def test_a_file_its_library_cannot_open_is_a_named_failure(engine: Engine, tmp_path: Path) -> None:
    whole, contract, _ = imported("sklearn on numbers")
    signature = whole.candidates[-1].signature
    (tmp_path / "model").write_bytes(b"nothing of the kind")
    (tmp_path / "tokenizer.json").write_text("{}")
    options = {"input": "matrix", "tokenizer": "tokenizer.json"}
    manifest = Manifest(FORMAT, engine, "model", signature, {}, {}, options)
    with pytest.raises(RuntimeFailed, match=f"the {engine} engine cannot open model"):
        open_runtime(tmp_path, manifest, contract)


def write_class(folder: Path, body: str) -> None:
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.py").write_text(f"import numpy as np\n\nclass Mine:\n{body}\n")
    (folder / "model" / "weights.json").write_text("[2.0]")


def python_manifest(contract: Contract, reads: str, *, scores: bool) -> Manifest:
    from headgate.registry.importers.importer import answers, columns

    said = answers(contract, label="prediction")
    signature = Signature(columns(contract, contract.names, "float64"), said.outputs, said.prediction, said.scores)
    assert (signature.scores is not None) == scores
    options = {"class": "Mine", "input": reads}
    return Manifest(FORMAT, Engine.PYTHON, "model/model.py", signature, {}, {}, options, trusted=True)


def test_a_class_may_read_a_table_with_the_types_of_the_contract(tmp_path: Path) -> None:
    write_class(
        tmp_path,
        "    def predict(self, table):\n"
        "        kinds = [str(each.type) for each in table.columns]\n"
        "        assert kinds == ['double', 'int64', 'bool', 'string'], kinds\n"
        "        yes = np.array([city is None for city in table['city'].to_pylist()], float)\n"
        "        return np.column_stack([1 - yes, yes])",
    )
    manifest = python_manifest(MIXED, "table", scores=True)
    runtime = open_runtime(tmp_path, manifest, MIXED)
    feeds = feeds_from_table(compile_feeds(MIXED, manifest.signature, manifest.options), MIXED_TABLE)
    found = runtime.run(feeds)
    assert found.prediction.tolist() == ["yes" if city is None else "no" for city in MIXED_TABLE["city"].to_pylist()]


def test_a_class_may_read_rows_and_its_own_folder(tmp_path: Path) -> None:
    write_class(
        tmp_path,
        "    def __init__(self, folder):\n"
        "        import json\n"
        "        self.factor = json.loads((folder / 'weights.json').read_text())[0]\n"
        "    def predict(self, rows):\n"
        "        return [self.factor * (row['a'] or 0.0) + row['n'] for row in rows]",
    )
    contract = Contract(MIXED.fields, Output(Task.REGRESSION))
    manifest = python_manifest(contract, "rows", scores=False)
    runtime = open_runtime(tmp_path, manifest, contract)
    plan = compile_feeds(contract, manifest.signature, manifest.options)
    found = runtime.run(plan.from_values([(1.5, 3, True, "Bern"), (None, 4, False, None)]))
    assert found.prediction.tolist() == [6.0, 4.0]
    assert sorted(each.name for each in (tmp_path / "model").iterdir()) == ["model.py", "weights.json"]


def test_no_first_row_waits_for_libraries_to_be_imported(tmp_path: Path) -> None:
    write_class(tmp_path, "    def predict(self, rows):\n        return [row['a'] for row in rows]")
    contract = Contract((Field("a", Kind.NUMBER), Field("at", Kind.TIMESTAMP)), Output(Task.REGRESSION))
    manifest = python_manifest(contract, "rows", scores=False)
    (tmp_path / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    write_contract(tmp_path, contract)
    told = subprocess.run([sys.executable, "-c", FIRST_ROW, str(tmp_path)], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == [[7.0], []]


FIRST_ROW = """
import json, sys
from pathlib import Path
import msgspec
from headgate.contracts.text import from_document
from headgate.registry.package import Manifest
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.open import open_runtime

folder = Path(sys.argv[1])
manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
contract = from_document(json.loads((folder / "contract.json").read_bytes()), "contract")
runtime = open_runtime(folder, manifest, contract)
feeds = compile_feeds(contract, manifest.signature, manifest.options).from_values([(7.0, 0)])
before = set(sys.modules)
said = runtime.run(feeds).prediction.tolist()
late = {name.partition(".")[0] for name in set(sys.modules) - before} & {"pandas", "pyarrow", "dateutil"}
print(json.dumps([said, sorted(late)]))
"""


@pytest.mark.full
def test_an_exported_program_answers_as_the_module_it_was(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).eval()
    example = torch.from_numpy(MATRIX.astype(np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.export.save(program, tmp_path / "model.pt2")
    inputs = [ModelInput("X", "float32", ["a", "b", "c"], [3])]
    signature = Signature(inputs, [ModelOutput("scores", "float32", [2])], None, "scores")
    manifest = Manifest(FORMAT, Engine.TORCH, "model.pt2", signature, {}, {}, {"decode": "softmax"})
    feeds = feeds_from_table(compile_feeds(NUMBERS, signature), NUMBER_TABLE)
    found = open_runtime(tmp_path, manifest, NUMBERS).run(feeds)
    expected = torch.softmax(module(example), dim=1).detach().numpy()
    assert found.scores is not None
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert found.prediction.tolist() == expected.argmax(axis=1).tolist()
    check_runtime(lambda: open_runtime(tmp_path, manifest, NUMBERS), span(feeds, 0, 5))


@pytest.mark.full
def test_a_text_package_tokenises_in_the_host(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"good": 1, "bad": 2, "day": 3}))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    weights = numpy_helper.from_array(np.array([0.0, 2.0, -2.0, 0.5], np.float32), "weights")
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["each", "mask"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axes"], ["logit"], keepdims=1),
    ]
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, [None, None]) for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("logit", TensorProto.FLOAT, [None, 1])]
    graph = helper.make_graph(nodes, "text", inputs, outputs, [weights, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    signature = Signature(
        [ModelInput("note", "string", ["note"], [1])], [ModelOutput("scores", "float32", [1])], None, "scores"
    )
    options = {
        "tokenizer": "tokenizer.json",
        "max_length": "2",
        "pad_id": "1",
        "inputs": json.dumps(["input_ids", "attention_mask"]),
        "decode": "sigmoid",
    }
    runtime = open_runtime(tmp_path, Manifest(FORMAT, Engine.TEXT, "model.onnx", signature, {}, {}, options), TEXT)
    feeds = {"note": np.array([["good"], ["bad day good"], [""]], dtype=object)}
    found = runtime.run(feeds)
    assert found.scores is not None
    np.testing.assert_allclose(found.scores[:, 1], 1 / (1 + np.exp([-2.0, 1.5, 0.0])), atol=1e-6)
    check_runtime(
        lambda: open_runtime(tmp_path, Manifest(FORMAT, Engine.TEXT, "model.onnx", signature, {}, {}, options), TEXT),
        feeds,
    )
