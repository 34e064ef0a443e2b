"""ONNX files as they are: bound to columns, freed of a fixed batch, refused when they are none."""

from pathlib import Path
from typing import Any

import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper

from headgate.errors import BadInput
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
