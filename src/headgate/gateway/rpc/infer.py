"""Inference messages to requests and answers to messages, with typed contents or raw ones.

A reply has the form of its request: stock clients that ask raw read raw answers only, and the other way round.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from headgate.errors import BadInput
from headgate.gateway.ask import Ask
from headgate.gateway.doors.dialect import Question
from headgate.gateway.doors.v2 import told
from headgate.gateway.doors.v2.asked import Infer, Output, Wanted, question_of, wanted_of
from headgate.gateway.doors.v2.binary import DTYPES, elements
from headgate.gateway.doors.v2.tensors import MOST_DIMENSIONS, Elements, Tensor, check_tensors
from headgate.gateway.view import Seat

CONTENTS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Where typed contents have the elements of each datatype; FP16 and BF16 exist in raw contents alone."""


class Wish(msgspec.Struct):
    """What an answer must be like."""

    outputs: Sequence[Wanted]
    raw: bool


def read(request: Any, seat: Seat) -> Question:
    """What a ModelInferRequest asks. Raises BadInput for what is no request of this version."""
    fields = len(seat.served.contract.fields)
    if len(request.inputs) > fields + 1:  # one too many is refused by its name; of all others nothing is made
        raise BadInput("inputs", "size", f"are {len(request.inputs)}, and the contract has {fields} fields")
    raw = list(request.raw_input_contents)
    inputs = [_tensor(each) for each in request.inputs]
    check_tensors(inputs, seat.served.reader)
    if raw:
        _fill_raw(request.inputs, inputs, raw)
    else:
        for tensor, each in zip(inputs, request.inputs, strict=True):
            tensor.elements = _typed(tensor, each.contents)
    outputs = [Output(name=each.name, parameters=_parameters(each.parameters)) for each in request.outputs]
    asked = Infer(inputs=inputs, id=request.id, outputs=outputs, parameters=_parameters(request.parameters))
    wanted = wanted_of(asked, seat)
    for output in wanted:
        output.binary = bool(raw)  # a reply has one form, whatever the parameters of JSON callers say
    question = question_of(asked, seat, wanted)
    question.wanted = Wish(question.wanted, bool(raw))
    return question


def write(reply: Any, ask: Ask, wish: Wish) -> Any:
    """`reply`, an empty ModelInferResponse, with the outputs asked for."""
    reply.model_name = ask.view.traffic.endpoint
    reply.model_version = told.model_version(ask)
    if ask.reading.id is not None:
        reply.id = ask.reading.id
    for name, value in told.parameters(ask).items():
        if isinstance(value, bool):
            reply.parameters[name].bool_param = value
        else:
            reply.parameters[name].string_param = value
    for each in told.outputs(ask, wish.outputs):
        tensor = reply.outputs.add(name=each.name, datatype=each.datatype, shape=each.shape)
        if wish.raw:
            reply.raw_output_contents.append(each.packed())
        else:
            data = [_bytes(item) for item in each.listed()] if each.datatype == "BYTES" else each.listed()
            getattr(tensor.contents, CONTENTS[each.datatype]).extend(data)
    return reply


def _tensor(said: Any) -> Tensor:
    shape = said.shape[: MOST_DIMENSIONS + 1]  # one more than it may have is enough to refuse it
    return Tensor(name=said.name, shape=list(shape), datatype=said.datatype)


def _fill_raw(said: Sequence[Any], inputs: Sequence[Tensor], raw: Sequence[bytes]) -> None:
    if any(each.HasField("contents") for each in said):
        raise BadInput("raw_input_contents", "shape", "cannot be mixed with typed contents; send all of one kind")
    if len(raw) != len(inputs):
        raise BadInput("raw_input_contents", "shape", "expected one entry per input, in their order")
    for tensor, each in zip(inputs, raw, strict=True):
        tensor.elements = elements(tensor, memoryview(each))


def _typed(tensor: Tensor, contents: Any) -> Elements:
    where = CONTENTS.get(tensor.datatype)
    if where is None:
        raise BadInput(tensor.name[:64], "type", "has a datatype this protocol does not know, or only in raw contents")
    if any(field.name != where for field, _ in contents.ListFields()):
        raise BadInput(tensor.name[:64], "type", f"expected its elements in {where} alone")
    data = getattr(contents, where)
    if tensor.datatype == "BYTES":
        texts = np.empty(len(data), dtype=object)
        texts[:] = list(data)
        return texts
    # The wire has 32 bits for what may be 8: what does not fit is refused, not cut.
    wide = np.array(data, DTYPES[_WIDE.get(tensor.datatype, tensor.datatype)])
    found: Elements = wide.astype(DTYPES[tensor.datatype])
    if tensor.datatype in _WIDE and (found != wide).any():
        raise BadInput(tensor.name[:64], "range", f"has an element that is no {tensor.datatype}")
    return found


_WIDE: Final = {"INT8": "INT32", "INT16": "INT32", "UINT8": "UINT32", "UINT16": "UINT32"}


def _parameters(said: Any) -> dict[str, Any]:
    if not said:
        return {}
    chosen = {name: (each, each.WhichOneof("parameter_choice")) for name, each in said.items()}
    return {name: getattr(each, choice) for name, (each, choice) in chosen.items() if choice is not None}


def _bytes(item: Any) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()
