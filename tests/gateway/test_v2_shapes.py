"""Shapes that promise more than comes: refused by what they say, before anything is made of it."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.gateway.scenery import served
from tests.gateway.test_rpc_calls import typed

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.decode import compile_contract
from headgate.errors import BadInput
from headgate.gateway.doors.v2.asked import Infer, plain_of
from headgate.gateway.doors.v2.tensors import MOST_DIMENSIONS, Tensor, check_shape, check_tensors, read_tensors
from headgate.gateway.reading import Reader
from headgate.gateway.rpc import infer

MOST = 2**31 - 1
WAVES = Contract((Field("x", Kind.TENSOR, shape=(None, None)),))
READER = Reader(compile_contract(WAVES), rows_limit=4, replay=False)


class Unmultiplied(int):
    """A length that is not to be multiplied: of its like there may be any number, of any number of digits."""

    def __mul__(self, other: Any) -> int:
        raise AssertionError("a shape was multiplied before it was looked at")

    __rmul__ = __mul__


def tensor(shape: list[int], data: Any = (), datatype: str = "FP64") -> Tensor:
    return Tensor(name="x", shape=shape, datatype=datatype, data=list(data) if isinstance(data, tuple) else data)


@pytest.mark.parametrize(
    "shape",
    [
        [],
        [-1],
        [1, -1],
        [Unmultiplied(MOST + 1)],
        [Unmultiplied(10**5000)] * 2,
        [Unmultiplied(2)] * (MOST_DIMENSIONS + 1),
        [Unmultiplied(2)] * 1_000_000,
    ],
    ids=["none", "negative", "negative-later", "long", "digits", "dimensions", "many"],
)
def test_a_shape_no_tensor_has_is_refused_before_it_is_multiplied(shape: list[int]) -> None:
    looks: tuple[Callable[[], object], ...] = (
        lambda: check_shape(tensor(shape)),
        lambda: check_tensors([tensor(shape)], READER),
        lambda: plain_of(Infer(inputs=[tensor(shape)]), WAVES),
    )
    for looked in looks:
        with pytest.raises(BadInput, match="rest of the shape") as refused:
            looked()
        assert (refused.value.field, refused.value.rule) == ("x", "shape")


@pytest.mark.parametrize(
    "shape", [[1], [MOST], [2] * MOST_DIMENSIONS, [MOST] * MOST_DIMENSIONS, [0], [0, MOST], [4, 0]]
)
def test_every_other_shape_is_one(shape: list[int]) -> None:
    check_shape(tensor(shape))


@pytest.mark.parametrize("shape", [[1, MOST, 0], [1, 1000, 1000, 0, 5], [MOST, 0]])
def test_a_shape_of_nothing_is_not_made_into_lists_without_end(shape: list[int]) -> None:
    with pytest.raises(BadInput, match="without an element"):
        check_shape(tensor(shape))


def test_rows_are_counted_before_any_is_made() -> None:
    check_tensors([tensor([4, 2]), tensor([4])], READER)
    check_tensors([tensor([0, 2]), tensor([0])], READER)
    check_tensors([], READER)
    for shape in ([5, 2], [MOST, 1]):
        with pytest.raises(BadInput, match="1 to 4 rows") as refused:
            check_tensors([tensor([4]), tensor(shape)], READER)
        assert (refused.value.field, refused.value.rule) == ("rows", "size")


DEEPEST: Any = 1.5
for _ in range(MOST_DIMENSIONS - 1):
    DEEPEST = [DEEPEST]


@pytest.mark.parametrize(
    ("shape", "data", "rows"),
    [
        ([2, 1, 2], [[[1.0, 2.0]], [[3.0, 4.0]]], [[[1.0, 2.0]], [[3.0, 4.0]]]),
        ([2, 1, 2], [1.0, 2.0, 3.0, 4.0], [[[1.0, 2.0]], [[3.0, 4.0]]]),
        ([2, 1, 2], [[1.0, 2.0], [3.0, 4.0]], [[[1.0, 2.0]], [[3.0, 4.0]]]),
        ([1, 1, 1], 7.0, [[[7.0]]]),
        ([2, 1, 0], [[[]], [[]]], [[[]], [[]]]),
    ],
    ids=["nested", "flat", "half", "bare", "empty"],
)
def test_elements_come_nested_or_not(shape: list[int], data: Any, rows: Any) -> None:
    reading = read_tensors([tensor(shape, data)], READER, WAVES)
    assert [each[0] if isinstance(each, tuple) else each for each in reading.rows] == rows


@pytest.mark.parametrize("datatype", ["FP64", "BYTES"])
@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([2], [[1.0], [2.0]]),
        ([2, 1], [[1.0], 2.0]),
        ([3], [1.0, [2.0, 3.0]]),
        ([1, 1], [[[1.0]]]),
        ([1] * MOST_DIMENSIONS, [DEEPEST, *["a" * 1000] * 1000]),
        ([1] * MOST_DIMENSIONS, [[DEEPEST]]),
    ],
    ids=["deeper", "beside", "within", "deepest", "words", "too-deep"],
)
def test_lists_stand_where_the_shape_has_them(shape: list[int], data: Any, datatype: str) -> None:
    """A text beside a deep list is not taken apart, letter by letter, once for each dimension."""
    with pytest.raises(BadInput, match="lists in places") as refused:
        read_tensors([tensor(shape, data, datatype)], READER, WAVES)
    assert (refused.value.field, refused.value.rule) == ("x", "shape")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"shape": [2] * 100_000}, "rest of the shape"),
        ({"shape": [1 << 62, 1 << 62]}, "rest of the shape"),
        ({"shape": [10**6, 10**3]}, "rows"),
        ({"shape": [1, 10**9]}, "fewer byte strings"),
    ],
    ids=["dimensions", "long", "rows", "strings"],
)
def test_grpc_believes_no_shape_either(more: dict[str, Any], says: str) -> None:
    version: Any = type("Seat", (), {"served": served()})
    for raw in ([b""], []):
        said = {"name": "x", "datatype": "BYTES", **more}
        if not raw and says.startswith("fewer"):
            continue
        with pytest.raises(BadInput, match=says):
            infer.read(typed(said, raw_input_contents=raw), version)
