"""ONNX files, PyTorch modules and programs, and text models with their tokeniser."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
import torch
from onnx import TensorProto, helper
from tokenizers import Tokenizer, models, pre_tokenizers

from headgate.errors import BadInput
from headgate.registry.importers import torch as torch_importer
from headgate.registry.package import Engine
from headgate.vocabulary import Task

NUMBERS = ["a", "b", "c"]


def linear(inputs: dict[str, list[Any]], *, rows: Any = None, classes: int = 2) -> bytes:
    """A graph that sums its inputs and gives `classes` equal scores shifted by the sum."""
    nodes, last = [], ""
    for name in inputs:
        nodes.append(helper.make_node("ReduceSum", [name, "axis"], [f"{name}_sum"], keepdims=1))
        if last:
            nodes.append(helper.make_node("Add", [last, f"{name}_sum"], [f"{name}_all"]))
        last = f"{name}_all" if last else f"{name}_sum"
    nodes += [
        helper.make_node("Mul", [last, "weights"], ["raw"]),
        helper.make_node("Softmax", ["raw"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, *shape]) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [rows, classes])],
        [
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("weights", TensorProto.FLOAT, [1, classes], list(range(classes))),
        ],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


def test_an_onnx_file(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear({"X": [3]}))
    done = enter(path, frame[[*NUMBERS, "y"]])
    assert done.chosen == "the ONNX file itself"
    path.write_bytes(linear({"a": [1], "b": [1]}))
    by_name = enter(path, frame[["a", "b", "y"]])
    assert [each.name for each in by_name.package.manifest.signature.inputs] == ["a", "b"]


def test_a_fixed_batch_is_freed(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(linear({"X": [3]}, rows=1))
    done = enter(tmp_path / "model.onnx", frame[[*NUMBERS, "y"]])
    proto = onnx.load(done.package.path / "model.onnx")
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_without_labels_it_is_a_tensor_model(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(linear({"X": [3]}))
    done = enter(tmp_path / "model.onnx", frame[NUMBERS], label=None)
    assert done.version.task == Task.TENSOR


@pytest.mark.parametrize("content", [b"", b"hello there", b"\x08\x07", b"\x00" * 100])
def test_an_onnx_file_that_is_not_one(enter: Any, frame: pd.DataFrame, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BadInput, match="is not an ONNX file"):
        enter(tmp_path / "model.onnx", frame)


def test_a_truncated_onnx_file(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    whole = linear({"X": [3]})
    for length in range(1, len(whole), 17):
        (tmp_path / "model.onnx").write_bytes(whole[:length])
        with pytest.raises(BadInput, match=r"^model"):
            enter(tmp_path / "model.onnx", frame)


def test_columns_that_do_not_fit(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear({"X": [5]}))
    with pytest.raises(BadInput, match="reads 5 columns, the contract has 3 fields"):
        enter(path, frame[[*NUMBERS, "y"]])
    path.write_bytes(linear({"a": [1], "q": [1]}))
    with pytest.raises(BadInput, match=r"^model\.q"):
        enter(path, frame[["a", "b", "y"]])
    path.write_bytes(linear({"X": [3]}, classes=4))
    with pytest.raises(BadInput, match="one score per class"):
        enter(path, frame[[*NUMBERS, "y"]])


class Net(torch.nn.Module):
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
    class Flat(torch.nn.Module):
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
    with torch_importer.quiet():
        program = torch.export.export(Net(1).eval(), (torch.zeros(3, 3),), dynamic_shapes=({0: batch},))
        torch.export.save(program, tmp_path / "model.pt2")
    done = enter(tmp_path / "model.pt2", frame[NUMBERS].assign(y=frame.a))
    assert done.version.task == Task.REGRESSION
    (tmp_path / "bad.pt2").write_bytes(b"not a program")
    with pytest.raises(BadInput, match="torch"):
        enter(tmp_path / "bad.pt2", frame)


def text_model(folder: Path) -> Path:
    """Counts of known words as scores: an embedding of token ids, masked and summed."""
    folder.mkdir()
    words = {"[UNK]": 0, "red": 1, "blue": 2, "dog": 3, "cat": 4}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106 - a word, not a password
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.5, 0.1], [0.1, 0.5]]
    ints = [
        helper.make_tensor_value_info(each, TensorProto.INT64, ["b", "s"]) for each in ("input_ids", "attention_mask")
    ]
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["each"]),
        helper.make_node("Unsqueeze", ["attention_mask", "last"], ["wide"]),
        helper.make_node("Cast", ["wide"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["each", "mask"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["logits"], keepdims=0),
    ]
    constants = [
        helper.make_tensor("words", TensorProto.FLOAT, [5, 2], [value for row in table for value in row]),
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("middle", TensorProto.INT64, [1], [1]),
    ]
    out = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 2])]
    proto = helper.make_model(
        helper.make_graph(nodes, "text", ints, out, constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    return folder


def test_a_text_model_travels_with_its_tokeniser(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    folder = text_model(tmp_path / "text")
    done = enter(folder, frame[["t", "y"]])
    manifest = done.package.manifest
    assert manifest.engine is Engine.TEXT
    assert {"model.onnx", "tokenizer.json"} <= set(manifest.files)
    assert manifest.options["decode"] == "softmax"
    with pytest.raises(BadInput, match="exactly one text field"):
        enter(folder, frame[["t", "a", "y"]])
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(BadInput, match="tokenizer"):
        enter(folder, frame[["t", "y"]])
