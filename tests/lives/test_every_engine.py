"""Every kind of model from its file to an answer over the wire, each by the words a newcomer types."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from headgate.cli.main import headgate_command
from headgate.testing.installation import Installation

NUMBERS = ["a", "b", "c"]
ROWS = 12
"""Rows asked over the wire."""


@dataclass(frozen=True)
class Made:
    """A model's file, what it was fitted on, and its own probabilities of the second class."""

    model: str
    reference: pd.DataFrame
    expected: Any


def numbers() -> pd.DataFrame:
    random = np.random.default_rng(11)
    found = pd.DataFrame(random.normal(size=(120, 3)), columns=NUMBERS)
    return found.assign(y=(found.a > found.b).astype(int))


def mixed() -> pd.DataFrame:
    found = numbers()[["a", "b", "y"]]
    return found.assign(e=pd.Categorical(np.where(found.y == 1, ["u", "v"] * 60, ["w", "v"] * 60)))[
        ["a", "b", "e", "y"]
    ]


def skops_file(folder: Path) -> Made:
    import skops.io
    from sklearn.linear_model import LogisticRegression

    data = numbers()
    model = LogisticRegression().fit(data[NUMBERS], data.y)
    skops.io.dump(model, folder / "model.skops")
    return Made("model.skops", data, model.predict_proba(data[NUMBERS])[:, 1])


def skops_file_hosted(folder: Path) -> Made:
    import skops.io
    from sklearn.ensemble import HistGradientBoostingClassifier

    data = mixed()
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    model.fit(data[["a", "b", "e"]], data.y)
    skops.io.dump(model, folder / "model.skops")
    return Made("model.skops", data, model.predict_proba(data[["a", "b", "e"]])[:, 1])


def joblib_file(folder: Path) -> Made:
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    data = numbers()
    model = make_pipeline(StandardScaler(), XGBClassifier(n_estimators=3)).fit(data[NUMBERS], data.y)
    joblib.dump(model, folder / "model.joblib")
    return Made("model.joblib", data, model.predict_proba(data[NUMBERS])[:, 1])


def xgboost_file(suffix: str, *, categories: bool = False) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        from xgboost import XGBClassifier

        data = mixed() if categories else numbers()
        fields = data.drop(columns="y")
        model = XGBClassifier(n_estimators=3, enable_categorical=categories).fit(fields, data.y)
        model.save_model(folder / f"model{suffix}")
        return Made(f"model{suffix}", data, model.predict_proba(fields)[:, 1])

    return make


def lightgbm_file(*, categories: bool = False) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        from lightgbm import LGBMClassifier

        data = mixed() if categories else numbers()
        fields = data.drop(columns="y")
        model = LGBMClassifier(n_estimators=3, verbose=-1, min_child_samples=2).fit(fields, data.y)
        model.booster_.save_model(folder / "model.txt")
        return Made("model.txt", data, model.predict_proba(fields)[:, 1])

    return make


def onnx_file(folder: Path) -> Made:
    from onnx import TensorProto, helper

    weights = np.array([2.0, -2.0, 0.5])
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "w"], ["raw"]), helper.make_node("Sigmoid", ["raw"], ["scores"])],
        "line",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [3, 1], weights.tolist())],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    data = numbers()
    return Made("model.onnx", data, 1 / (1 + np.exp(-(data[NUMBERS].to_numpy() @ weights))))


def python_class(folder: Path) -> Made:
    (folder / "mine.py").write_text(
        "import numpy as np\n\nclass Unused:\n    def predict(self, table):\n        return []\n\n"
        "class Mine:\n    def predict(self, rows):\n"
        "        yes = np.array([1.0 if row['a'] > row['b'] else 0.25 for row in rows])\n"
        "        return np.column_stack([1 - yes, yes])\n"
    )
    data = numbers()
    return Made("mine.py:Mine", data, np.where(data.a > data.b, 1.0, 0.25))


def torch_file(folder: Path) -> Made:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make test-full` installs it")
    from headgate.registry.importers.torch import quiet

    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)).eval()
    with quiet():
        shapes = ({0: torch.export.Dim("batch")},)
        torch.export.save(torch.export.export(module, (torch.zeros(3, 3),), dynamic_shapes=shapes), folder / "m.pt2")
        logits = module(torch.tensor(numbers()[NUMBERS].to_numpy("float32", copy=True)))[:, 0].numpy()
    return Made("m.pt2", numbers(), 1 / (1 + np.exp(-logits)))


def keras_file(folder: Path) -> Made:
    pytest.importorskip("h5py", reason="Keras is not installed; `make test-full` installs it")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    from headgate.registry.importers.libraries import import_keras, quiet

    data = numbers()
    with quiet():
        keras = import_keras()
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1, "sigmoid")])
        model.save(folder / "model.keras")
        said = keras.ops.convert_to_numpy(model(data[NUMBERS].to_numpy("float32", copy=True), training=False))
    return Made("model.keras", data, said[:, 0])


def text_folder(folder: Path) -> Made:
    tokenizers = pytest.importorskip("tokenizers", reason="not installed; `make test-full` installs it")
    from onnx import TensorProto, helper

    (folder / "text").mkdir()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"none": 0, "good": 1, "bad": 2}, unk_token="none"))  # noqa: S106 - a word
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "text" / "tokenizer.json"))
    read = [
        helper.make_tensor_value_info(each, TensorProto.INT64, ["b", "s"]) for each in ("input_ids", "attention_mask")
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["each"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["each", "mask"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "last"], ["logit"], keepdims=1),
        ],
        "text",
        read,
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["b", 1])],
        [
            helper.make_tensor("words", TensorProto.FLOAT, [3], [0.0, 2.0, -2.0]),
            helper.make_tensor("last", TensorProto.INT64, [1], [1]),
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "text" / "model.onnx").write_bytes(proto.SerializeToString())
    notes = [("good " * (place % 4) + "bad " * (place % 3) + f"day {place}") for place in range(120)]
    logits = np.array([2.0 * note.count("good") - 2.0 * note.count("bad") for note in notes])
    data = pd.DataFrame({"note": notes, "y": (logits > 0).astype(int)})
    return Made("text", data, 1 / (1 + np.exp(-logits)))


ENGINES: dict[str, tuple[Callable[[Path], Made], str, tuple[str, ...]]] = {
    "skops": (skops_file, "onnx", ()),
    "joblib": (joblib_file, "onnx", ("--trust",)),
    "xgboost-ubj": (xgboost_file(".ubj"), "onnx", ()),
    "xgboost-json": (xgboost_file(".json"), "onnx", ()),
    "lightgbm": (lightgbm_file(), "onnx", ()),
    "onnx": (onnx_file, "onnx", ()),
    "python": (python_class, "python", ("--trust",)),
}
FULL: dict[str, tuple[Callable[[Path], Made], str, tuple[str, ...]]] = {
    "skops-hosted": (skops_file_hosted, "sklearn", ()),
    "xgboost-hosted": (xgboost_file(".ubj", categories=True), "xgboost", ()),
    "lightgbm-hosted": (lightgbm_file(categories=True), "lightgbm", ()),
    "torch": (torch_file, "onnx", ()),
    "keras": (keras_file, "onnx", ()),
    "text": (text_folder, "text", ()),
}
EVERY = [*ENGINES, *(pytest.param(each, marks=pytest.mark.full) for each in FULL)]


def headgate(*words: str) -> str:
    """What a verb printed; the test fails when it fails."""
    done = CliRunner().invoke(headgate_command, list(words), catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0, done.output
    return done.output


def register(name: str, folder: Path, home: Path) -> Made:
    """Make the model's file and register it by the CLI."""
    make, engine, words = (ENGINES | FULL)[name]
    made = make(folder)
    made.reference.to_parquet(folder / "reference.parquet")
    where = ("--reference", str(folder / "reference.parquet"), "--label", "y", "--home", str(home))
    said = json.loads(headgate("register", name, str(folder / made.model), *where, *words, "--json"))
    assert said["engine"] == engine, said["reason"]
    return made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that runs."""
    with Installation(tmp_path_factory.mktemp("town") / "home") as installation:
        yield installation.start()


@pytest.mark.parametrize("name", EVERY)
def test_from_a_file_to_an_answer(name: str, town: Installation, tmp_path: Path) -> None:
    home = town.home.root
    made = register(name, tmp_path, home)
    reference = str(tmp_path / "reference.parquet")
    assert "auc" in headgate("evaluate", f"{name}:1", reference, "--gate", "auc >= 0", "--home", str(home))
    (tmp_path / "endpoint.yaml").write_text(f"endpoint: {name}\nmodel: {name}:1\n")
    headgate("apply", str(tmp_path / "endpoint.yaml"), "--home", str(home))
    town.settled()
    asked = made.reference.drop(columns="y")[:ROWS].to_json(orient="records", double_precision=15)
    said = [json.loads(line) for line in headgate("predict", name, asked, "--url", town.url).splitlines()]
    assert [each["version"] for each in said] == [f"{name}:1"] * ROWS
    scores = [each["scores"][1] for each in said]
    np.testing.assert_allclose(scores, made.expected[:ROWS], atol=2e-5)
    assert [each["prediction"] for each in said] == [int(each > 0.5) for each in made.expected[:ROWS]]


@pytest.mark.parametrize("names", [list(ENGINES), pytest.param([*ENGINES, *FULL], marks=pytest.mark.full)])
def test_doctor_runs_one_model_of_each_kind_again(names: list[str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in names:
        (tmp_path / name).mkdir()
        register(name, tmp_path / name, home)
    said = json.loads(headgate("doctor", "--home", str(home), "--json"))
    good = [each["what"] for each in said["findings"] if each["health"] == "good"]
    for name in names:
        assert f"{name}:1 is whole and answers here as it did when it was registered" in good
