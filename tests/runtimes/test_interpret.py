"""What a model gives back is read as its contract promises, and every break of the promise has a name."""

from typing import Any

import numpy as np
import pytest

from headgate.contracts.contract import Contract, Output
from headgate.errors import BadConfiguration, RuntimeFailed
from headgate.registry.package import ModelOutput, Signature
from headgate.runtimes.interpret import Interpreter
from headgate.vocabulary import Task

GOOD = np.array([[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]], np.float32)


def reader(
    task: Task,
    classes: tuple[str | int | bool, ...] = (),
    *,
    label: bool = True,
    scores: bool = True,
    probability: bool = True,
    options: dict[str, str] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Interpreter:
    outputs = [ModelOutput("label", "int64", [])] * label + [ModelOutput("scores", "float32", [])] * scores
    signature = Signature([], outputs, "label" if label else None, "scores" if scores else None)
    output = Output(task, classes=classes, probability=probability, minimum=minimum, maximum=maximum)
    return Interpreter(signature, Contract((), output), options)


@pytest.mark.parametrize(
    ("classes", "labels", "dtype"),
    [
        ((0, 1), np.array([1, 0, 0]), np.dtype(np.int64)),
        ((0, 1), np.array([[1.0], [0.0], [0.0]], np.float32), np.dtype(np.int64)),
        ((False, True), np.array([1, 0, 0]), np.dtype(np.bool_)),
        (("no", "yes"), np.array(["yes", "no", "no"]), np.dtype(object)),
        (("no", "yes"), np.array(["yes", "no", "no"], object), np.dtype(object)),
    ],
)
def test_the_models_own_label_decides_and_is_a_class_of_the_contract(
    classes: tuple[Any, ...], labels: Any, dtype: Any
) -> None:
    found = reader(Task.BINARY, classes).read([labels, GOOD], 3, 7)
    assert found.prediction.dtype == dtype
    assert found.prediction.tolist() == [classes[1], classes[0], classes[0]]
    assert found.scores is not None
    assert found.scores.dtype == np.float64
    assert found.scores.flags.c_contiguous
    assert found.compute_us == 7
    assert set(found.arrays) == {"label", "scores"}
    assert found.arrays["scores"] is GOOD


def test_without_a_label_the_best_score_decides() -> None:
    found = reader(Task.MULTICLASS, ("a", "b", "c"), label=False, probability=False).read(
        [np.array([[1.0, 5.0, 2.0], [9.0, 5.0, 2.0]])], 2, 0
    )
    assert found.prediction.tolist() == ["b", "a"]


def test_labels_may_be_counted_from_zero() -> None:
    found = reader(Task.BINARY, (10, 20), scores=False, options={"labels": "index"}).read([np.array([1, 0])], 2, 0)
    assert found.prediction.tolist() == [20, 10]
    assert found.scores is None


@pytest.mark.parametrize("column", [np.array([0.25, 0.75]), np.array([[0.25], [0.75]], np.float32)])
def test_one_column_of_a_binary_model_is_the_positive_class(column: Any) -> None:
    found = reader(Task.BINARY, ("no", "yes"), label=False).read([column], 2, 0)
    assert found.scores is not None
    assert found.scores.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert found.prediction.tolist() == ["no", "yes"]


def test_one_column_of_margins_is_mirrored() -> None:
    found = reader(Task.BINARY, (0, 1), label=False, probability=False).read([np.array([-3.0, 2.0])], 2, 0)
    assert found.scores is not None
    assert found.scores.tolist() == [[3.0, -3.0], [-2.0, 2.0]]
    assert found.prediction.tolist() == [0, 1]


def test_scores_given_as_mappings_are_put_in_the_order_of_the_contract() -> None:
    maps = [{"b": 0.75, "a": 0.25}, {"a": 1.0, "b": 0.0}]
    found = reader(Task.BINARY, ("a", "b"), label=False).read([maps], 2, 0)
    assert found.scores is not None
    assert found.scores.tolist() == [[0.25, 0.75], [1.0, 0.0]]


def test_a_number_is_float64_and_one_per_row() -> None:
    found = reader(Task.REGRESSION, scores=False).read([np.array([[1], [2]], np.float32)], 2, 0)
    assert found.prediction.dtype == np.float64
    assert found.prediction.tolist() == [1.0, 2.0]
    assert found.scores is None


def test_tensors_pass_as_they_are() -> None:
    found = reader(Task.TENSOR).read([np.ones((2, 3)), np.full((2, 4, 4), np.nan)], 2, 0)
    assert found.prediction.size == 0
    assert found.arrays["scores"].shape == (2, 4, 4)


def test_probabilities_may_be_off_by_what_float32_leaves_behind() -> None:
    found = reader(Task.BINARY, (0, 1), label=False).read([np.array([[-1e-7, 1.0 + 1e-7]])], 1, 0)
    assert found.prediction.tolist() == [1]


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        (GOOD[:2], "2 rows, asked were 3"),
        (np.array(0.5), "no rows"),
        (np.array([[0.5, 0.5], [np.nan, 0.5], [0.5, 0.5]]), "not finite"),
        (np.array([[0.5, 0.5], [np.inf, 0.5], [0.5, 0.5]]), "not finite"),
        (np.array([[1.5, -0.5], [0.5, 0.5], [0.5, 0.5]]), "outside 0..1"),
        (np.array([[0.9, 0.9], [0.1, 0.1], [0.5, 0.5]]), "sum to one"),
        (np.ones((3, 3)) / 3, "2 classes"),
        (np.array(["a", "b", "c"]), "no numbers"),
        ([{0: 1.0, 1: 0.0}, {0: 1.0}, {0: 1.0}], "lacks a class"),
    ],
)
def test_every_break_of_scores_is_named(scores: Any, says: str) -> None:
    with pytest.raises(RuntimeFailed, match=f"broke its contract: .*{says}"):
        reader(Task.BINARY, (0, 1), label=False).read([scores], 3, 0)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array([0, 1]), "2 rows"),
        (np.array([0, 1, 2]), "does not list"),
        (np.array([0.0, np.nan, 1.0]), "does not list"),
        (np.array([[0, 1], [0, 1], [0, 1]]), "more than one label"),
    ],
)
def test_every_break_of_labels_is_named(labels: Any, says: str) -> None:
    with pytest.raises(RuntimeFailed, match=f"broke its contract: .*{says}"):
        reader(Task.BINARY, (0, 1)).read([labels, GOOD], 3, 0)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (np.array([1.0]), "1 rows"),
        (np.array([np.nan, 1.0]), "not finite"),
        (np.array([-np.inf, 1.0]), "not finite"),
        (np.array([-0.1, 1.0]), "outside its bounds"),
        (np.array([5.1, 1.0]), "outside its bounds"),
        (np.array([[1.0, 2.0], [1.0, 2.0]]), "more than one number"),
    ],
)
def test_every_break_of_numbers_is_named(numbers: Any, says: str) -> None:
    with pytest.raises(RuntimeFailed, match=f"broke its contract: .*{says}"):
        reader(Task.REGRESSION, scores=False, minimum=0.0, maximum=5.0).read([numbers], 2, 0)


def test_a_signature_that_cannot_be_read_is_refused_before_any_call() -> None:
    with pytest.raises(BadConfiguration, match="neither"):
        reader(Task.BINARY, (0, 1), label=False, scores=False)
    with pytest.raises(BadConfiguration, match="two classes"):
        reader(Task.BINARY, (1,))
    with pytest.raises(BadConfiguration, match="'lost'"):
        Interpreter(Signature([], [], prediction="lost"), Contract((), Output(Task.REGRESSION)))


@pytest.mark.parametrize("rows", [1, 64, 128, 129, 1000])
@pytest.mark.parametrize(
    ("bad", "says"), [(np.nan, "not finite"), (np.inf, "not finite"), (-0.1, "outside 0..1"), (1.1, "outside 0..1")]
)
def test_a_break_is_found_in_the_last_of_any_number_of_rows(rows: int, bad: float, says: str) -> None:
    scores = np.tile(np.array([0.25, 0.75]), (rows, 1))
    assert len(reader(Task.BINARY, (0, 1), label=False).read([scores], rows, 0).prediction) == rows
    scores[-1] = [bad, 1.0 - bad] if np.isfinite(bad) else [0.5, bad]
    with pytest.raises(RuntimeFailed, match=says):
        reader(Task.BINARY, (0, 1), label=False).read([scores], rows, 0)


def objects(*values: Any) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def test_numpys_scalars_among_objects_become_pythons_own() -> None:
    """pandas leaves them in mixed columns; neither the journal nor a reply can spell them."""
    mixed = objects(np.int64(3), np.float32(0.5), np.str_("x"), np.bool_(True), None, b"raw", [1, 2])
    found = reader(Task.TENSOR, scores=False).read([mixed], 7, 1).arrays["label"]
    assert [type(each) for each in found] == [int, float, str, bool, type(None), bytes, list]
    assert found.tolist() == [3, 0.5, "x", True, None, b"raw", [1, 2]]
    plain = objects("a", 1, None)
    assert reader(Task.TENSOR, scores=False).read([plain], 3, 1).arrays["label"] is plain
    shaped = np.array([[np.int64(1), "a"], [np.int64(2), "b"]], dtype=object)
    assert reader(Task.TENSOR, scores=False).read([shaped], 2, 1).arrays["label"].tolist() == [[1, "a"], [2, "b"]]


def test_labels_of_numpys_kind_are_classes_all_the_same() -> None:
    found = reader(Task.BINARY, (0, 1), scores=False).read([objects(np.int64(1), np.int32(0))], 2, 1)
    assert found.prediction.tolist() == [1, 0]
    texts = reader(Task.BINARY, ("no", "yes"), scores=False).read([objects(np.str_("yes"), "no")], 2, 1)
    assert [type(each) for each in texts.prediction] == [str, str]


@pytest.mark.parametrize("odd", [object(), 1j, np.datetime64("2013-01-01"), {1, 2}])
def test_an_object_no_reply_can_say_breaks_the_contract_by_name(odd: Any) -> None:
    with pytest.raises(RuntimeFailed, match=r"output 'label' holds a \w+, which no reply can say"):
        reader(Task.TENSOR, scores=False).read([objects("fine", odd)], 2, 1)


def test_a_wrong_label_type_no_set_can_hold_breaks_the_contract() -> None:
    with pytest.raises(RuntimeFailed, match="label the contract does not list"):
        reader(Task.BINARY, (0, 1), scores=False).read([objects([1], [0])], 2, 1)


@pytest.mark.parametrize("classes", [(0, 1), (False, True), (3, 1, 2), (0, 2), (-1, 0)])
@pytest.mark.parametrize("rows", [3, 1000])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float32])
def test_a_label_the_contract_does_not_list_is_found_among_any_number(
    classes: tuple[int, ...], rows: int, dtype: Any
) -> None:
    listed = [int(each) for each in classes]
    if min(listed) < 0 and dtype is np.uint8:
        return
    said = np.resize(np.array(listed), rows).astype(dtype)
    task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
    read = reader(task, classes, scores=False).read
    assert read([said], rows, 0).prediction.tolist() == np.resize(np.array(classes), rows).tolist()
    for wrong in {min(listed) - 1, max(listed) + 1, 1 if listed == [0, 2] else 9}:
        if wrong < 0 and dtype is np.uint8:
            continue
        odd = said.copy()
        odd[rows // 2] = wrong
        with pytest.raises(RuntimeFailed, match="a label the contract does not list"):
            read([odd], rows, 0)
