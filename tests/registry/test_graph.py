"""Repairs of ONNX graphs leave their answers as they were, and what is written behind them is what was meant."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.registry.importers import graph
from headgate.registry.package import ModelInput, ModelOutput
from headgate.vocabulary import Task

few = settings(max_examples=30)
SAID = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-30, 30))


def model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any] | None = None) -> Any:
    made = helper.make_graph(nodes, "g", inputs, outputs, weights or [])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def value(name: str, shape: list[Any], kind: int = TensorProto.DOUBLE) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def run(proto: Any, **arrays: Any) -> list[Any]:
    return list(graph.session(proto.SerializeToString()).run(None, arrays))


@few
@given(SAID)
def test_probabilities_are_what_the_step_in_the_graph_makes_of_raw_answers(said: np.ndarray) -> None:
    decode = graph.decoding(said)
    proto = model([helper.make_node("Identity", ["x"], ["y"])], [value("x", [None, None])], [value("y", [None, None])])
    graph.finish(proto, "y", decode)
    (found,) = run(proto, x=said)
    np.testing.assert_allclose(found, graph.as_probabilities(said, decode), rtol=1e-12, atol=1e-15)
    assert ((found >= 0) & (found <= 1)).all()
    assert decode == "sigmoid" or said.shape[1] == 1 or np.allclose(found.sum(axis=1), 1.0, atol=1e-3)
    assert graph.decoding(found) == "proba", "what is one already is left alone"


@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_raw_answers_far_out_are_zero_or_one_without_a_warning(extreme: float) -> None:
    assert graph.as_probabilities(np.array([[extreme]]), "sigmoid").item() == (extreme > 0)
    two = graph.as_probabilities(np.array([[extreme, 0.0]]), "softmax")
    assert two.tolist() == [[float(extreme > 0), float(extreme < 0)]]


def two_in_two_out() -> Any:
    return model(
        [helper.make_node("Sub", ["p", "q"], ["difference"]), helper.make_node("Add", ["p", "q"], ["sum"])],
        [value("p", [None, 1]), value("q", [None, 1])],
        [value("difference", [None, 1]), value("sum", [None, 1])],
    )


def test_inputs_are_named_in_their_order_and_one_output_stays() -> None:
    proto = two_in_two_out()
    graph.call(proto, ["a", "b"], "answer")
    assert [each.name for each in proto.graph.output] == ["answer"]
    (found,) = run(proto, a=np.array([[5.0]]), b=np.array([[3.0]]))
    assert found.tolist() == [[2.0]]


def test_names_may_be_exchanged() -> None:
    proto = two_in_two_out()
    graph.call_inputs(proto, ["q", "p"])
    found = run(proto, q=np.array([[5.0]]), p=np.array([[3.0]]))
    assert [each.tolist() for each in found] == [[[2.0]], [[8.0]]]


def test_a_map_of_scores_becomes_an_array_of_them() -> None:
    zipped = helper.make_node("ZipMap", ["scores"], ["mapped"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    mapped = helper.make_value_info(
        "mapped", helper.make_sequence_type_proto(helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, [])))
    )
    proto = model(
        [helper.make_node("Identity", ["x"], ["scores"]), zipped], [value("x", [2, 2], TensorProto.FLOAT)], [mapped]
    )
    (found,) = run(graph.tidy(proto), x=np.array([[0.25, 0.75]] * 3, np.float32))
    assert found.tolist() == [[0.25, 0.75]] * 3


def test_a_locale_is_one_every_machine_has() -> None:
    node = helper.make_node("StringNormalizer", ["t"], ["u"], case_change_action="LOWER", locale="xx_YY.KOI8")
    text = value("t", [None], TensorProto.STRING)
    proto = graph.tidy(model([node], [text], [value("u", [None], TensorProto.STRING)]))
    (found,) = run(proto, t=np.array(["ÀB", "c"], object))
    assert found.tolist() == ["àb", "c"]


NUMBER, TEXT, WHOLE, FLAG = "float32", "string", "int64", "bool"


@pytest.mark.parametrize(
    ("outputs", "classes", "expected"),
    [
        ([("label", WHOLE, []), ("scores", NUMBER, [2])], (0, 1), ("label", "scores")),
        ([("scores", NUMBER, [2]), ("label", TEXT, [])], ("a", "b"), ("label", "scores")),
        ([("label", WHOLE, []), ("scores", NUMBER, [2])], ("a", "b"), (None, "scores")),
        ([("label", TEXT, [])], (0, 1), (None, None)),
        ([("label", FLAG, [])], (False, True), (None, None)),
        ([("p", "float64", [1])], (0, 1), (None, "p")),
        ([("p", NUMBER, [])], (0, 1), (None, "p")),
        ([("hidden", NUMBER, [64]), ("p", NUMBER, [None])], (0, 1), (None, "p")),
        ([("attention", NUMBER, [2, 2]), ("p", NUMBER, [3])], ("a", "b", "c"), (None, "p")),
        ([("first", NUMBER, [2]), ("second", NUMBER, [2])], (0, 1), (None, "first")),
        ([("n", WHOLE, []), ("y", NUMBER, [1])], (), ("y", None)),
        ([("n", WHOLE, [])], (), (None, None)),
    ],
)
def test_outputs_are_told_apart_by_type_and_width(
    outputs: list[tuple[str, str, list[int | None]]],
    classes: tuple[Any, ...],
    expected: tuple[str | None, str | None],
) -> None:
    task = (Task.BINARY if len(classes) == 2 else Task.MULTICLASS) if classes else Task.REGRESSION
    contract = Contract((Field("a", Kind.NUMBER),), Output(task, classes=classes))
    assert graph.decide_outputs([ModelOutput(*each) for each in outputs], contract) == expected


def test_outputs_nobody_can_send_are_left_out() -> None:
    half = value("h", [None, 2], TensorProto.FLOAT16)
    proto = model(
        [helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16), helper.make_node("Identity", ["x"], ["y"])],
        [value("x", [None, 2])],
        [half, value("y", [None, 2])],
    )
    contract = Contract((Field("x", Kind.NUMBER),), Output(Task.BINARY, classes=(0, 1)))
    found = graph.signature(proto, [ModelInput("x", "float64", ["x"], [2])], contract)
    assert [each.name for each in found.outputs] == ["y"]
    assert found.scores == "y"
