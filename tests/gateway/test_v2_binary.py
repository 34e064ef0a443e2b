"""Binary tensors: every datatype, mixed with JSON at will, and no lie about a length is believed."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from headgate.contracts.contract import Contract, Field, Kind
from headgate.contracts.decode import compile_contract
from headgate.errors import BadInput, Violation
from headgate.gateway.doors.v2.binary import DTYPES, elements, packed
from headgate.gateway.doors.v2.tensors import Tensor, read_tensors
from headgate.gateway.reading import Reader
from headgate.traffic.traffic import Member

INFER = "/v2/models/e/infer"
ROWS = np.array([[0.1, 0.2, 0.3], [5.0, 5.0, 5.0]], np.float32)
X = {"name": "x", "shape": [2, 3], "datatype": "FP32"}
BYTES = {"name": "x", "datatype": "BYTES"}


def serve(town: Any) -> None:
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)])


def request(header: dict[str, Any], *raw: bytes, length: int | str | None = None) -> tuple[bytes, str]:
    text = json.dumps(header).encode()
    said = len(text) if length is None else length
    return b"".join((text, *raw)), f"Inference-Header-Content-Length: {said}"


def binary(tensor: dict[str, Any], size: Any) -> dict[str, Any]:
    return {**tensor, "parameters": {"binary_data_size": size}}


def outputs(reply: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of a reply, whichever form each has."""
    length = int(reply.headers.get("inference-header-content-length", len(reply.body)))
    start, found = length, {}
    for each in json.loads(reply.body[:length])["outputs"]:
        if "data" in each:
            array = np.array(each["data"], DTYPES[each["datatype"]])
        else:
            size = each["parameters"]["binary_data_size"]
            array = np.frombuffer(reply.body[start : start + size], DTYPES[each["datatype"]])
            start += size
        found[each["name"]] = array.reshape(each["shape"])
    assert start == len(reply.body)
    return found


def test_the_same_rows_in_every_mixture_of_forms_get_the_same_answer(play: Any) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        whole = request({"inputs": [binary(X, 24)]}, ROWS.tobytes())
        columns = [{"name": f"f{place}", "shape": [2], "datatype": "FP32"} for place in range(3)]
        apart = request({"inputs": [binary(each, 8) for each in columns]}, *(ROWS[:, i].tobytes() for i in range(3)))
        mixed = request(
            {"inputs": [columns[0] | {"data": ROWS[:, 0].tolist()}, *(binary(each, 8) for each in columns[1:])]},
            *(ROWS[:, i].tobytes() for i in (1, 2)),
        )
        said = [outputs(await caller.post(INFER, {"inputs": [X | {"data": ROWS.tolist()}]}))]
        for body, header in (whole, apart, mixed):
            said.append(outputs(await caller.ask("POST", INFER, body, header)))
        for each in said[1:]:
            np.testing.assert_array_equal(each["scores"], said[0]["scores"])
            np.testing.assert_array_equal(each["prediction"], said[0]["prediction"])
        assert len(town.journal.answers) == 8
        assert len({each.features for each in town.journal.inputs}) == 2

    play(serve, scene)


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("scores", [None, False, True])
def test_each_output_comes_in_the_form_asked_for(play: Any, everything: bool, scores: bool | None) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        wanted = {"name": "scores"} | ({} if scores is None else {"parameters": {"binary_data": scores}})
        document = {
            "inputs": [X | {"data": ROWS.tolist()}],
            "outputs": [{"name": "prediction"}, wanted],
            "parameters": {"binary_data_output": everything},
        }
        reply = await caller.post(INFER, document)
        length = int(reply.headers.get("inference-header-content-length", len(reply.body)))
        forms = ["data" not in each for each in json.loads(reply.body[:length])["outputs"]]
        assert forms == [everything, everything if scores is None else scores]
        assert ("inference-header-content-length" in reply.headers) == any(forms)
        assert set(outputs(reply)) == {"prediction", "scores"}

    play(serve, scene)


@pytest.mark.parametrize("spaces", range(4))
def test_numbers_are_read_wherever_they_begin(play: Any, spaces: int) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        header = {"inputs": [binary(X, 24)], "parameters": {"binary_data_output": True}}
        text = json.dumps(header).encode() + b" " * spaces
        said = outputs(
            await caller.ask("POST", INFER, text + ROWS.tobytes(), f"Inference-Header-Content-Length: {len(text)}")
        )
        plain = outputs(await caller.post(INFER, {"inputs": [X | {"data": ROWS.tolist()}]}))
        np.testing.assert_array_equal(said["scores"], plain["scores"])
        assert [each.features for each in town.journal.inputs] == 2 * list(map(tuple, ROWS.tolist()))

    play(serve, scene)


def test_requests_that_say_the_same_of_other_rows_get_answers_of_their_own(play: Any) -> None:
    """What their replies say of the tensors behind is made once; the rest of a reply is its own."""
    many = np.random.default_rng(5).normal(size=(3, 20, 3)).astype(np.float32)
    tensor = X | {"shape": [20, 3]}

    async def scene(town: Any) -> None:
        caller = await town.call()
        replies = []
        for rows, more in zip(many, ({}, {}, {"id": "mine"}), strict=True):
            header = {"inputs": [binary(tensor, 240)], "parameters": {"binary_data_output": True}, **more}
            replies.append(await caller.ask("POST", INFER, *request(header, rows.tobytes())))
            plain = outputs(await caller.post(INFER, {"inputs": [tensor | {"data": rows.tolist()}]}))
            said = outputs(replies[-1])
            for name in ("prediction", "scores"):
                np.testing.assert_array_equal(said[name], plain[name])
        told = [json.loads(each.body[: int(each.headers["inference-header-content-length"])]) for each in replies]
        assert [each.get("id") for each in told] == [None, None, "mine"]
        assert told[0]["outputs"] == told[1]["outputs"] == told[2]["outputs"]
        assert len({each["parameters"]["headgate_ids"] for each in told}) == 3
        assert len({each["parameters"]["headgate_request_id"] for each in told}) == 3

    play(serve, scene)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length=10_000), "length of JSON"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length="-1"), "length of JSON"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length="x"), "length of JSON"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length=3), "JSON"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes()[:20]), "within the body"),
        (request({"inputs": [binary(X, 20)]}, ROWS.tobytes()), "24"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes() + b"more"), "no tensor announces"),
        (request({"inputs": [binary(X, True)]}, b"1"), "within the body"),
        (request({"inputs": [binary(X, -1)]}, b""), "within the body"),
        (request({"inputs": [binary(X, "24")]}, ROWS.tobytes()), "within the body"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length="1" * 5000), "length of JSON"),
        (request({"inputs": [binary(X, 24)]}, ROWS.tobytes(), length="\u00b2"), "length of JSON"),
        (request({"inputs": [binary(X | {"shape": [1 << 62, 1 << 62]}, 24)]}, ROWS.tobytes()), "rest of the shape"),
        (request({"inputs": [binary(X | {"shape": [2, 10**300]}, 24)]}, ROWS.tobytes()), "rest of the shape"),
        (request({"inputs": [binary(X | {"shape": [2] * 33}, 24)]}, ROWS.tobytes()), "rest of the shape"),
        (request({"inputs": [binary(X | {"shape": [2, *[2**31 - 1] * 31]}, 24)]}, ROWS.tobytes()), "24 bytes where"),
        (request({"inputs": [binary(BYTES | {"shape": [2, 10**9]}, 0)]}), "fewer byte strings"),
        (request({"inputs": [binary(BYTES | {"shape": [10**9]}, 0)]}), "1 to 16384 rows"),
        (request({"inputs": [binary(X | {"shape": [16385, 3], "datatype": "BOOL"}, 49155)]}, bytes(49155)), "16384"),
        (request({"inputs": [binary(X | {"shape": []}, 4)]}, b"1234"), "number of rows"),
        (request({"inputs": [binary(X | {"datatype": "FP8"}, 24)]}, ROWS.tobytes()), "datatype"),
        (request({"inputs": [X]}, b""), "binary_data_size"),
    ],
)
def test_lengths_that_lie_are_named(play: Any, body: tuple[bytes, str], says: str) -> None:
    async def scene(town: Any) -> None:
        caller = await town.call()
        reply = await caller.ask("POST", INFER, *body)
        assert reply.status == 400
        assert says in reply.json["error"]
        assert not town.journal.answers
        assert (await caller.post(INFER, {"inputs": [X | {"data": ROWS.tolist()}]})).status == 200

    play(serve, scene)


@pytest.mark.parametrize("datatype", [each for each in DTYPES if each != "BOOL"])
def test_numbers_of_every_datatype_are_read_as_they_were_written(datatype: str) -> None:
    written = np.array([0, 1, 100, 42], DTYPES[datatype])
    tensor = Tensor(name="x", shape=[2, 2], datatype=datatype)
    assert elements(tensor, memoryview(packed(written, datatype))).tolist() == written.tolist()


def test_truths_and_halves_and_byte_strings_are_read_as_they_were_written() -> None:
    truths = Tensor(name="x", shape=[3], datatype="BOOL")
    assert elements(truths, memoryview(b"\x01\x00\x01")).tolist() == [True, False, True]
    halves = Tensor(name="x", shape=[2], datatype="BF16")
    raw = b"".join(struct.pack("<f", each)[2:] for each in (1.5, -2.0))
    assert elements(halves, memoryview(raw)).tolist() == [1.5, -2.0]
    texts = Tensor(name="x", shape=[3], datatype="BYTES")
    written = ["", "Zürich", "x" * 300]
    assert [each.decode() for each in elements(texts, memoryview(packed(written, "BYTES")))] == written


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x05\0\0\0abc", b"\0\0\0\0\0\0\0\0", b"\xff\xff\xff\xffabc"])
def test_byte_strings_that_do_not_fill_their_tensor_are_refused(raw: bytes) -> None:
    with pytest.raises(BadInput, match="byte string"):
        elements(Tensor(name="x", shape=[1], datatype="BYTES"), memoryview(raw))


@pytest.mark.parametrize("shape", [[10**9], [2**31 - 1] * 32, [3]])
def test_no_more_byte_strings_are_believed_than_may_have_come(shape: list[int]) -> None:
    """Room for a billion of them would be eight gigabytes."""
    tensor = Tensor(name="x", shape=shape, datatype="BYTES")
    with pytest.raises(BadInput, match="fewer byte strings") as refused:
        elements(tensor, memoryview(bytes(11)))
    assert (refused.value.field, refused.value.rule) == ("x", "size")
    assert elements(Tensor(name="x", shape=[2], datatype="BYTES"), memoryview(bytes(8))).tolist() == [b"", b""]


def test_a_field_of_every_kind_comes_in_binary() -> None:
    fields = (
        Field("n", Kind.NUMBER, nullable=True),
        Field("i", Kind.INTEGER),
        Field("b", Kind.BOOLEAN),
        Field("c", Kind.CATEGORY, domain=("ja", "nein")),
        Field("s", Kind.TEXT),
        Field("p", Kind.IMAGE),
        Field("t", Kind.TENSOR, shape=(2,)),
    )
    contract = Contract(fields)
    reader = Reader(compile_contract(contract), rows_limit=10, replay=False)

    def column(name: str, datatype: str, data: Any, shape: list[int]) -> Tensor:
        tensor = Tensor(name=name, shape=shape, datatype=datatype)
        tensor.elements = elements(tensor, memoryview(packed(data, datatype)))
        return tensor

    tensors = [
        column("n", "FP32", [np.nan, 2.0], [2, 1]),
        column("i", "INT16", [7, -7], [2]),
        column("b", "BOOL", [True, False], [2]),
        column("c", "BYTES", ["ja", "nein"], [2]),
        column("s", "BYTES", ["", "x"], [2]),
        column("p", "BYTES", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"], [2]),
        column("t", "FP32", [1, 2, 3, 4], [2, 2]),
    ]
    reading = read_tensors(tensors, reader, contract)
    assert [row for row in reading.rows if isinstance(row, Violation)] == []
    first, second = reading.rows
    assert first == (None, 7, True, "ja", "", b"\x89PNG\r\n\x1a\n", [1.0, 2.0])
    assert second == (2.0, -7, False, "nein", "x", b"\xff\xd8\xff", [3.0, 4.0])
    broken = column("s", "BYTES", [b"\xff", b""], [2])
    with pytest.raises(BadInput, match="UTF-8"):
        read_tensors([*tensors[:4], broken, *tensors[5:]], reader, contract)
