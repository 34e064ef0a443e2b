"""The messages of the open inference protocol and of gRPC's health check, described by hand.

A description and not generated code, because generated code registers its names for the whole process and would
collide with any client's own stubs there; these live in a pool of their own. Numbers and types are the protocol's.
"""

from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

INFERENCE: Final = "inference"
HEALTH: Final = "grpc.health.v1"

_PARAMETERS: Final = "map inference.InferParameter"
_TENSOR: Final = (
    ("name", 1, "string"),
    ("datatype", 2, "string"),
    ("shape", 3, "repeated int64"),
    ("parameters", 4, _PARAMETERS),
    ("contents", 5, "inference.InferTensorContents"),
)
_MODEL: Final = (("name", 1, "string"), ("version", 2, "string"))
_CHANGE: Final = (
    ("repository_name", 1, "string"),
    ("model_name", 2, "string"),
    ("parameters", 3, "map inference.ModelRepositoryParameter"),
)
_TIMED: Final = (
    "success",
    "fail",
    "queue",
    "compute_input",
    "compute_infer",
    "compute_output",
    "cache_hit",
    "cache_miss",
)
# An enumeration on the wire is its number.
_CONFIGURED: Final = (("name", 1, "string"), ("data_type", 2, "int32"))

Fields = tuple[tuple[str, int, str], ...]
DESCRIPTION: Final[dict[str, dict[str, Fields]]] = {
    INFERENCE: {
        "ServerLiveRequest": (),
        "ServerLiveResponse": (("live", 1, "bool"),),
        "ServerReadyRequest": (),
        "ServerReadyResponse": (("ready", 1, "bool"),),
        "ModelReadyRequest": _MODEL,
        "ModelReadyResponse": (("ready", 1, "bool"),),
        "ServerMetadataRequest": (),
        "ServerMetadataResponse": (*_MODEL, ("extensions", 3, "repeated string")),
        "ModelMetadataRequest": _MODEL,
        "ModelMetadataResponse": (
            ("name", 1, "string"),
            ("versions", 2, "repeated string"),
            ("platform", 3, "string"),
            ("inputs", 4, "repeated inference.ModelMetadataResponse.TensorMetadata"),
            ("outputs", 5, "repeated inference.ModelMetadataResponse.TensorMetadata"),
        ),
        "ModelMetadataResponse.TensorMetadata": _TENSOR[:3],
        "InferParameter": (
            ("bool_param", 1, "parameter_choice bool"),
            ("int64_param", 2, "parameter_choice int64"),
            ("string_param", 3, "parameter_choice string"),
            ("double_param", 4, "parameter_choice double"),
            ("uint64_param", 5, "parameter_choice uint64"),
        ),
        "InferTensorContents": (
            ("bool_contents", 1, "repeated bool"),
            ("int_contents", 2, "repeated int32"),
            ("int64_contents", 3, "repeated int64"),
            ("uint_contents", 4, "repeated uint32"),
            ("uint64_contents", 5, "repeated uint64"),
            ("fp32_contents", 6, "repeated float"),
            ("fp64_contents", 7, "repeated double"),
            ("bytes_contents", 8, "repeated bytes"),
        ),
        "ModelInferRequest": (
            ("model_name", 1, "string"),
            ("model_version", 2, "string"),
            ("id", 3, "string"),
            ("parameters", 4, _PARAMETERS),
            ("inputs", 5, "repeated inference.ModelInferRequest.InferInputTensor"),
            ("outputs", 6, "repeated inference.ModelInferRequest.InferRequestedOutputTensor"),
            ("raw_input_contents", 7, "repeated bytes"),
        ),
        "ModelInferRequest.InferInputTensor": _TENSOR,
        "ModelInferRequest.InferRequestedOutputTensor": (("name", 1, "string"), ("parameters", 2, _PARAMETERS)),
        "ModelInferResponse": (
            ("model_name", 1, "string"),
            ("model_version", 2, "string"),
            ("id", 3, "string"),
            ("parameters", 4, _PARAMETERS),
            ("outputs", 5, "repeated inference.ModelInferResponse.InferOutputTensor"),
            ("raw_output_contents", 6, "repeated bytes"),
        ),
        "ModelInferResponse.InferOutputTensor": _TENSOR,
        "RepositoryIndexRequest": (("repository_name", 1, "string"), ("ready", 2, "bool")),
        "RepositoryIndexResponse": (("models", 1, "repeated inference.RepositoryIndexResponse.ModelIndex"),),
        "RepositoryIndexResponse.ModelIndex": (*_MODEL, ("state", 3, "string"), ("reason", 4, "string")),
        "ModelRepositoryParameter": (
            ("bool_param", 1, "parameter_choice bool"),
            ("int64_param", 2, "parameter_choice int64"),
            ("string_param", 3, "parameter_choice string"),
            ("bytes_param", 4, "parameter_choice bytes"),
        ),
        "RepositoryModelLoadRequest": _CHANGE,
        "RepositoryModelLoadResponse": (),
        "RepositoryModelUnloadRequest": _CHANGE,
        "RepositoryModelUnloadResponse": (),
        "ModelInput": (*_CONFIGURED, ("dims", 4, "repeated int64")),
        "ModelOutput": (*_CONFIGURED, ("dims", 3, "repeated int64")),
        "ModelVersionPolicy": (("specific", 3, "policy_choice inference.ModelVersionPolicy.Specific"),),
        "ModelVersionPolicy.Specific": (("versions", 1, "repeated int64"),),
        "ModelConfig": (
            ("name", 1, "string"),
            ("platform", 2, "string"),
            ("version_policy", 3, "inference.ModelVersionPolicy"),
            ("max_batch_size", 4, "int32"),
            ("input", 5, "repeated inference.ModelInput"),
            ("output", 6, "repeated inference.ModelOutput"),
            ("backend", 17, "string"),
        ),
        "ModelConfigRequest": _MODEL,
        "ModelConfigResponse": (("config", 1, "inference.ModelConfig"),),
        "StatisticDuration": (("count", 1, "uint64"), ("ns", 2, "uint64")),
        "InferStatistics": tuple(
            (name, number, "inference.StatisticDuration") for number, name in enumerate(_TIMED, 1)
        ),
        "ModelStatistics": (
            *_MODEL,
            ("last_inference", 3, "uint64"),
            ("inference_count", 4, "uint64"),
            ("execution_count", 5, "uint64"),
            ("inference_stats", 6, "inference.InferStatistics"),
        ),
        "ModelStatisticsRequest": _MODEL,
        "ModelStatisticsResponse": (("model_stats", 1, "repeated inference.ModelStatistics"),),
    },
    HEALTH: {
        "HealthCheckRequest": (("service", 1, "string"),),
        # An enumeration on the wire is its number.
        "HealthCheckResponse": (("status", 1, "int32"),),
    },
}
"""By package and message: name, number and type of every field.

Before the type may stand ``repeated``, ``map``, or the name of the choice the field is one of.
"""

_KINDS: Final = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def message_classes(package: str) -> dict[str, Any]:
    """The message classes of `package`, by name.

    >>> message_classes(HEALTH)["HealthCheckRequest"].FromString(b"").service
    ''
    """
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    made: dict[str, DescriptorProto] = {}
    for name, fields in DESCRIPTION[package].items():
        outer, _, inner = name.rpartition(".")
        made[name] = (made[outer].nested_type if outer else file.message_type).add(name=inner)
        for field in fields:
            _describe(made[name], f".{package}.{name}", *field)
    pool = DescriptorPool()
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in made}


def _describe(message: DescriptorProto, path: str, name: str, number: int, kind: str) -> None:
    how, _, plain = kind.rpartition(" ")
    field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
    if how == "map":
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _describe(entry, "", "key", 1, "string")
        _describe(entry, "", "value", 2, plain)
        how, plain = "repeated", f"{path}.{entry.name}".removeprefix(".")
    if how == "repeated":
        field.label = FieldDescriptorProto.LABEL_REPEATED
    elif how:
        if not message.oneof_decl:
            message.oneof_decl.add(name=how)
        field.oneof_index = 0
    if plain in _KINDS:
        field.type = _KINDS[plain]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{plain}"
