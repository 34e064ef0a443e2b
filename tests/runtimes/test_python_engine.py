"""Somebody's class answers in service as it did at registration, and so do the last layers of networks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import BadConfiguration, RuntimeFailed, TrustRequired
from headgate.registry.importers import graph
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.runtimes.engines import python
from headgate.runtimes.engines.decode import decoded
from headgate.runtimes.engines.native import NativeRuntime, open_native
from headgate.vocabulary import Task

CONTRACT = Contract((Field("a", Kind.NUMBER),), Output(Task.BINARY, classes=("no", "yes"), probability=True))
INPUT = [ModelInput("a", "float64", ["a"], [1])]
SCORED = Signature(INPUT, [ModelOutput("p", "string", []), ModelOutput("s", "float64", [2])], "p", "s")
SAID = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-800, 800))
FEEDS = {"a": np.array([[0.2], [0.9]])}


@given(SAID, st.sampled_from(["proba", "softmax", "sigmoid"]))
def test_decoding_in_service_is_that_of_registration(said: np.ndarray, how: str) -> None:
    np.testing.assert_allclose(decoded(how, said), graph.as_probabilities(said, how), rtol=1e-12, atol=1e-300)


def test_a_decoding_nobody_knows_is_refused() -> None:
    assert decoded("number", [[[1]], [[2]]]).tolist() == [[1.0], [2.0]]
    with pytest.raises(BadConfiguration, match="update Headgate"):
        decoded("tea leaves", np.zeros((1, 1)))


def opened(folder: Path, source: str, *, trusted: bool = True, signature: Signature = SCORED) -> NativeRuntime:
    (folder / "model.py").write_text(source)
    options = {"class": "Mine", "input": "table"}
    manifest = Manifest(1, Engine.PYTHON, "model.py", signature, {}, {}, options, trusted=trusted)
    return open_native(python.load, folder, manifest, CONTRACT, 1)


def mine(body: str, init: str = "") -> str:
    return f"import numpy as np\nclass Mine:\n    {init}\n    def predict(self, table):\n        {body}\n"


@pytest.mark.parametrize(
    "body",
    [
        "return np.column_stack([1 - table['a'].to_numpy(), table['a'].to_numpy()])",
        "return [[each] for each in table['a'].to_pylist()]",
    ],
)
def test_scores_decide_the_prediction(tmp_path: Path, body: str) -> None:
    said = opened(tmp_path, mine(body)).run(FEEDS)
    assert said.prediction.tolist() == ["no", "yes"]
    assert said.scores is not None
    np.testing.assert_allclose(said.scores[:, -1], [0.2, 0.9])
    assert not (tmp_path / "__pycache__").exists(), "a package stays as it was registered"


def test_it_is_given_its_folder_when_it_asks(tmp_path: Path) -> None:
    init = "def __init__(self, folder): self.bias = float((folder / 'bias.txt').read_text())"
    (tmp_path / "bias.txt").write_text("0.1")
    said = opened(tmp_path, mine("p = table['a'].to_numpy() * 0 + self.bias; return np.column_stack([1 - p, p])", init))
    assert said.run(FEEDS).prediction.tolist() == ["no", "no"]


def test_nothing_runs_without_trust(tmp_path: Path) -> None:
    with pytest.raises(TrustRequired):
        opened(tmp_path, "raise SystemExit('this ran')", trusted=False)


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError('no')",
        "import sys; sys.exit(1)",
        "class Other: ...",
        "class Mine:\n    def __init__(self): 1 / 0",
    ],
)
def test_source_that_cannot_be_opened_here_says_so(tmp_path: Path, source: str) -> None:
    with pytest.raises(RuntimeFailed, match=r"cannot open model\.py"):
        opened(tmp_path, source)


@pytest.mark.parametrize(
    "body", ["return [0.5, 0.5]", "return None", "1 / 0", "raise SystemExit", "return np.zeros((1, 2))"]
)
def test_a_class_that_breaks_its_promise_fails_the_batch_alone(tmp_path: Path, body: str) -> None:
    runtime = opened(
        tmp_path, mine(f"if table['a'][0].as_py() > 0: {body}\n        return np.full((len(table), 2), 0.5)")
    )
    with pytest.raises(RuntimeFailed):
        runtime.run(FEEDS)
    assert runtime.run({"a": -FEEDS["a"]}).prediction.tolist() == ["no", "no"]
    runtime.close()
    runtime.close()
    with pytest.raises(RuntimeFailed, match="closed"):
        runtime.run(FEEDS)
