"""PyTorch modules and exported programs: what is served says what they say, for one row and for many."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from headgate.contracts.tables import as_table
from headgate.errors import BadInput
from headgate.registry.importers.torch import quiet
from headgate.registry.package import Engine
from headgate.runtimes.predictor import predict_with
from headgate.vocabulary import Task

torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make test-full` installs it")
pytestmark = pytest.mark.full
Module: Any = torch.nn.Module
NUMBERS = ["a", "b", "c"]


class Net(Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, width))

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def test_a_module_with_logits_answers_in_probabilities(enter: Any, frame: pd.DataFrame) -> None:
    torch.manual_seed(0)
    done = enter(Net(1), frame[[*NUMBERS, "y"]])
    assert done.package.manifest.engine is Engine.ONNX
    assert done.package.manifest.signature.scores == "scores"


def test_a_module_over_a_tensor_field(enter: Any) -> None:
    class Flat(Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = torch.nn.Linear(6, 3)

        def forward(self, picture: Any) -> Any:
            return self.last(picture.flatten(1))

    random = np.random.default_rng(1)
    table = pa.table({"picture": random.normal(size=(30, 2, 3)).tolist(), "y": [place % 3 for place in range(30)]})
    done = enter(Flat(), table)
    assert done.package.manifest.signature.inputs[0].shape == [2, 3]


def test_an_exported_program(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    batch = torch.export.Dim("batch", min=1, max=4096)
    with quiet():
        program = torch.export.export(Net(1).eval(), (torch.zeros(3, 3),), dynamic_shapes=({0: batch},))
        torch.export.save(program, tmp_path / "model.pt2")
    done = enter(tmp_path / "model.pt2", frame[NUMBERS].assign(y=frame.a))
    assert done.version.task == Task.REGRESSION
    (tmp_path / "bad.pt2").write_bytes(b"not a program")
    with pytest.raises(BadInput, match="torch"):
        enter(tmp_path / "bad.pt2", frame)


class Pair(Module):
    """Reads two fields by name."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, width)

    def forward(self, a: Any, b: Any) -> Any:
        return self.layer(torch.cat([a, b], dim=1))


class Squeezed(Net):
    """Loses the rows of a batch of one."""

    def forward(self, x: Any) -> Any:
        return self.layers(x).squeeze()


@pytest.mark.parametrize("make", [Net, Pair, Squeezed])
@pytest.mark.parametrize(("width", "labels"), [(1, 2), (3, 3)])
def test_the_last_step_keeps_the_batch_free(
    enter: Any, frame: pd.DataFrame, make: Any, width: int, labels: int
) -> None:
    torch.manual_seed(2)
    module = make(width).eval()
    names = ["a", "b"] if make is Pair else NUMBERS
    done = enter(module, frame[names].assign(y=np.arange(len(frame)) % labels))
    assert done.package.manifest.engine is Engine.ONNX
    with torch.no_grad():
        columns = [torch.from_numpy(frame[[each]].to_numpy("float32", copy=True)) for each in names]
        raw = module(*(columns if make is Pair else [torch.cat(columns, 1)])).reshape(len(frame), -1)
        expected = torch.softmax(raw, 1).numpy() if width > 1 else torch.sigmoid(raw).numpy()
    served = predict_with(done.package.path)
    for rows in (1, 64):
        said = served.predict(as_table(frame[:rows])).scores
        assert said is not None
        np.testing.assert_allclose(said[:, -width:], expected[:rows], atol=1e-5)


def test_a_module_in_training_is_served_as_it_infers(enter: Any, frame: pd.DataFrame) -> None:
    layers = [torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5), torch.nn.Linear(3, 1)]
    done = enter(torch.nn.Sequential(*layers).train(), frame[[*NUMBERS, "y"]])
    assert done.parity.exact


def program(module: Any, dimension: Any) -> Any:
    shapes = None if dimension is None else ({0: dimension},)
    with quiet():
        return torch.export.export(module.eval(), (torch.zeros(3, 3),), dynamic_shapes=shapes)


@pytest.mark.parametrize("dimension", [torch.export.Dim("batch"), torch.export.Dim.AUTO])
def test_a_program_with_logits(enter: Any, frame: pd.DataFrame, dimension: Any) -> None:
    done = enter(program(Net(1), dimension), frame[[*NUMBERS, "y"]])
    assert done.chosen == "ONNX, float32 inputs"
    assert len(predict_with(done.package.path).predict(as_table(frame[:1])).prediction) == 1


def test_a_program_of_one_size_is_refused(enter: Any, frame: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match="export a program with a dynamic first dimension"):
        enter(program(Net(1), None), frame[[*NUMBERS, "y"]])


def test_without_an_exporter_the_program_is_hosted(
    enter: Any, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: None)
    module = Net(3)
    done = enter(module, frame[NUMBERS].assign(y=np.arange(len(frame)) % 3))
    assert done.package.manifest.engine is Engine.TORCH
    with torch.no_grad():
        expected = torch.softmax(module(torch.from_numpy(frame[NUMBERS].to_numpy("float32", copy=True))), 1).numpy()
    for rows in (1, 64):
        said = predict_with(done.package.path).predict(as_table(frame[:rows])).scores
        assert said is not None
        np.testing.assert_allclose(said, expected[:rows], atol=1e-5)
