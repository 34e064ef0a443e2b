"""Every datatype of the inference protocol into every field that can hold it, by Triton's own clients as they come.

Binary over HTTP (their default), JSON over HTTP, and raw over gRPC: the journal remembers the same of the same row.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import msgspec
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.contracts.text import to_document
from headgate.testing.scripted import numbers_contract
from headgate.traffic.traffic import Member
from headgate.vocabulary import Task

PICTURES = (b"\x89PNG\r\n\x1a\n\x00\xff", b"\xff\xd8\xff\xe0\x00")
FIELDS = (
    Field("whole", Kind.INTEGER),
    Field("truth", Kind.BOOLEAN),
    Field("word", Kind.CATEGORY, domain=("ja", "nein")),
    Field("note", Kind.TEXT),
    Field("face", Kind.IMAGE),
    Field("wave", Kind.TENSOR, shape=(2,)),
)


def texts(*values: str | bytes) -> Any:
    return np.array(values, dtype=object)


PLAIN: dict[str, tuple[str, Any]] = {
    "f0": ("FP32", np.array([0.5, -1.0], np.float32)),
    "f1": ("FP64", np.array([0.25, 2.0])),
    "f2": ("FP32", np.array([0.0, 3.0], np.float32)),
    "whole": ("INT64", np.array([7, -7])),
    "truth": ("BOOL", np.array([True, False])),
    "word": ("BYTES", texts("ja", "nein")),
    "note": ("BYTES", texts("a", "")),
    "face": ("BYTES", texts(*PICTURES)),
    "wave": ("FP64", np.array([[1.0, 2.0], [3.0, 4.0]])),
}
"""Two rows, a tensor per field."""


def integers(datatype: str) -> Any:
    info = np.iinfo(datatype.lower())
    largest = min(info.max, 2**53)  # beyond it a number field could not tell two whole numbers apart
    return np.array([max(info.min, -largest), largest], datatype.lower())


WHOLE = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")
BROKEN = {
    "FP16": np.array([0.5, -2.25], np.float16),
    "FP32": np.array([0.1, -7.5], np.float32),
    "FP64": np.array([0.1, -7.5]),
    "BF16": np.array([1.5, -2.0], ml_dtypes.bfloat16),
}
CASES: list[tuple[str, str, Any]] = [
    *((datatype, field, integers(datatype)) for datatype in WHOLE for field in ("f0", "whole", "wave")),
    *((datatype, field, values) for datatype, values in BROKEN.items() for field in ("f0", "wave")),
    ("BOOL", "truth", np.array([False, True])),
    ("BYTES", "word", texts("nein", "ja")),
    ("BYTES", "word", texts(b"nein", b"ja")),
    ("BYTES", "note", texts("Grüße ☃", "")),
    ("BYTES", "face", texts(*reversed(PICTURES))),
]
JSON_LACKS = frozenset({"BF16"})
"""What the protocol has in binary alone; a picture's bytes are no text either."""


def serve(town: Any) -> None:
    plain = numbers_contract(3, Output(Task.BINARY, classes=(0, 1), probability=True))
    contract = msgspec.json.encode(to_document(Contract((*plain.fields, *FIELDS), plain.output))).decode()
    town.publish([Member("m:1", town.linear(), 1.0, proved=True)], contract=contract)


@contextmanager
def http(town: Any) -> Iterator[Any]:
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{town.port}")
    try:
        yield client
    finally:
        client.close()


@contextmanager
def grpc(town: Any) -> Iterator[Any]:
    with tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{town.gateway.grpc_port}") as client:
        yield client


def tensors(kind: Any, case: tuple[str, str, Any], **more: Any) -> list[Any]:
    datatype, field, values = case
    if field == "wave":
        values = np.stack([values, values[::-1]])
    made = []
    for name, (plain, array) in (PLAIN | {field: (datatype, values)}).items():
        tensor = kind(name, list(array.shape), plain)
        # In JSON a picture has no bytes; it goes in binary beside the others.
        tensor.set_data_from_numpy(array, **({} if name == "face" else more))
        made.append(tensor)
    return made


@pytest.mark.parametrize("case", CASES, ids=[f"{datatype}-{field}" for datatype, field, _ in CASES])
def test_every_datatype_comes_in_every_way(play_rpc: Any, case: tuple[str, str, Any]) -> None:
    async def scene(town: Any) -> None:
        def run() -> list[Any]:
            said = []
            with http(town) as client:
                kind = tritonclient.http.InferInput
                said.append(client.infer("e", tensors(kind, case)))
                if case[0] not in JSON_LACKS:
                    said.append(client.infer("e", tensors(kind, case, binary_data=False)))
                coded = {"request_compression_algorithm": "gzip", "response_compression_algorithm": "deflate"}
                said.append(client.infer("e", tensors(kind, case), **coded))
            with grpc(town) as client:
                kind = tritonclient.grpc.InferInput
                for coding in (None, "gzip", "deflate"):
                    said.append(client.infer("e", tensors(kind, case), compression_algorithm=coding))
            return said

        said = await asyncio.to_thread(run)
        for each in said[1:]:
            for name in ("prediction", "scores"):
                np.testing.assert_array_equal(each.as_numpy(name), said[0].as_numpy(name))
        records = town.journal.inputs
        assert len(records) == 2 * len(said)
        assert all(each.refusal is None for each in records)
        for row in (0, 1):
            assert len({each.features for each in records if each.row == row}) == 1

    play_rpc(serve, scene)


WRONG: list[tuple[str, str, Any]] = [
    ("INT64", "truth", np.array([7, 8])),
    ("BYTES", "whole", texts("one", "two")),
    ("FP32", "word", np.array([0.5, 1.5], np.float32)),
    ("FP64", "whole", np.array([0.5, 1.5])),
]


@pytest.mark.parametrize("case", WRONG, ids=[f"{datatype}-{field}" for datatype, field, _ in WRONG])
def test_a_field_that_cannot_hold_it_is_named_in_every_way(play_rpc: Any, case: tuple[str, str, Any]) -> None:
    async def scene(town: Any) -> None:
        def run() -> set[str]:
            said = set()
            for open_, kind in ((http, tritonclient.http.InferInput), (grpc, tritonclient.grpc.InferInput)):
                with open_(town) as client, pytest.raises(InferenceServerException) as refused:
                    client.infer("e", tensors(kind, case))
                assert refused.value.status() in ("400", "StatusCode.INVALID_ARGUMENT")
                said.add(str(refused.value.message()))
            return said

        (says,) = await asyncio.to_thread(run)
        assert case[1] in says
        assert not town.journal.answers

    play_rpc(serve, scene)
