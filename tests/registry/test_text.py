"""Text models with their tokeniser."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from onnx import TensorProto, helper

from headgate.errors import BadInput
from headgate.registry.package import Engine

tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed; `make test-full` installs it")
pytestmark = pytest.mark.full


def text_model(folder: Path) -> Path:
    """Counts of known words as scores: an embedding of token ids, masked and summed."""
    folder.mkdir()
    words = {"[UNK]": 0, "red": 1, "blue": 2, "dog": 3, "cat": 4}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106 - a word, not a password
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
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
