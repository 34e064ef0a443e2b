"""ONNX files as they are: bound to columns, freed of a fixed batch, refused when they are none."""

from pathlib import Path
from typing import Any

import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper

from headgate.errors import BadInput
from headgate.registry.importers import onnxfile
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


def identity(kind: int, shape: list[Any], *, name: str = "X", out: int | None = None) -> bytes:
    """A graph that gives back what it reads, as `out`."""
    out = kind if out is None else out
    node = (
        helper.make_node("Identity", [name], ["y"]) if out == kind else helper.make_node("Cast", [name], ["y"], to=out)
    )
    graph = helper.make_graph(
        [node],
        "same",
        [helper.make_tensor_value_info(name, kind, shape)],
        [helper.make_tensor_value_info("y", out, shape)],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


@pytest.mark.parametrize(
    ("content", "field", "says"),
    [
        (identity(TensorProto.INT32, [None, 2]), "model.X", "element type"),
        (identity(TensorProto.FLOAT16, [None, 2]), "model.X", "element type"),
        (identity(TensorProto.FLOAT, [None, 3]), "model.X", "reads 3 columns, the contract has 2 fields"),
        (identity(TensorProto.FLOAT, [None, 2, 2]), "model.X", "no field of the contract"),
        (identity(TensorProto.FLOAT, [None, 2], out=TensorProto.STRING), "model", "no output with one score per class"),
    ],
    ids=["int32", "float16", "width", "rank", "labels"],
)
def test_a_graph_that_cannot_be_fed_or_read_is_refused_by_the_name_of_its_part(
    enter: Any, frame: pd.DataFrame, tmp_path: Path, *, content: bytes, field: str, says: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BadInput, match=says) as refused:
        enter(tmp_path / "model.onnx", frame[["a", "b", "y"]])
    assert refused.value.field == field


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    proto = onnx.load_model_from_string(linear({"X": [2]}))
    proto.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(BadInput, match="save it as one file"):
        onnxfile.check(proto.SerializeToString())


def test_a_graph_that_mixes_its_rows_up_is_refused(enter: Any, frame: pd.DataFrame, tmp_path: Path) -> None:
    """A mean over the batch has one answer for any number of rows."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["X"], ["scores"], axes=[0], keepdims=1)],
        "mean",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(BadInput, match="1 answers for 3 rows"):
        enter(tmp_path / "model.onnx", frame[["a", "b", "y"]])
