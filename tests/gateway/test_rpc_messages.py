"""Our description of the messages agrees with the stubs that stock clients bring."""

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from tritonclient.grpc import model_config_pb2, service_pb2

from headgate.gateway.rpc.infer import CONTENTS
from headgate.gateway.rpc.messages import DESCRIPTION, HEALTH, INFERENCE, message_classes
from headgate.gateway.rpc.models import DATA_TYPES

OURS = message_classes(INFERENCE)


def stock(name: str) -> Any:
    found: Any = service_pb2 if hasattr(service_pb2, name.partition(".")[0]) else model_config_pb2
    for part in name.split("."):
        found = getattr(found, part)
    return found


def facts(message: Any) -> dict[str, tuple[Any, ...]]:
    return {
        each.name: (
            each.number,
            # On the wire the value of an enumeration is its number.
            FieldDescriptor.TYPE_INT32 if each.type == FieldDescriptor.TYPE_ENUM else each.type,
            each.is_repeated,
            each.message_type.full_name if each.message_type else None,
            each.containing_oneof.name if each.containing_oneof else None,
        )
        for each in message.DESCRIPTOR.fields
    }


@pytest.mark.parametrize("name", DESCRIPTION[INFERENCE])
def test_fields_have_the_numbers_and_types_of_the_protocol(name: str) -> None:
    ours, theirs = facts(OURS[name]), facts(stock(name))
    assert ours == {field: theirs[field] for field in ours}


@pytest.mark.parametrize("name", ["ModelInferRequest", "ModelInferResponse", "InferParameter", "InferTensorContents"])
def test_no_field_of_an_inference_is_missing(name: str) -> None:
    assert facts(OURS[name]) == facts(stock(name))


def test_what_stock_stubs_write_is_read() -> None:
    name = "ModelInferRequest"
    theirs = stock(name)(model_name="e", id="7", raw_input_contents=[b"\0\1"])
    theirs.parameters["priority"].uint64_param = 1
    theirs.inputs.add(name="x", datatype="FP32", shape=[1, -1]).parameters["p"].double_param = 0.5
    ours = OURS[name].FromString(theirs.SerializeToString())
    assert ours.parameters["priority"].WhichOneof("parameter_choice") == "uint64_param"
    assert (list(ours.inputs[0].shape), ours.inputs[0].parameters["p"].double_param) == ([1, -1], 0.5)
    assert stock(name).FromString(ours.SerializeToString()) == theirs


def test_health_is_a_name_and_a_number() -> None:
    messages = message_classes(HEALTH)
    assert messages["HealthCheckRequest"](service="e").SerializeToString() == b"\x0a\x01e"
    assert messages["HealthCheckResponse"](status=1).SerializeToString() == b"\x08\x01"


def test_typed_contents_exist() -> None:
    assert set(CONTENTS.values()) == set(OURS["InferTensorContents"].DESCRIPTOR.fields_by_name)


def test_datatypes_of_a_configuration_have_the_protocols_numbers() -> None:
    assert dict(model_config_pb2.DataType.items()) == {"TYPE_INVALID": 0, **DATA_TYPES}
