"""A contract as a plain document, for JSON in packages and YAML in people's files, and its digest.

Called by the registry, the store and ``yaml_text``. Needs msgspec and the standard library alone, because an edge
device reads contracts too.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output, Sensitivity
from headgate.contracts.explain import EPOCH, MICROSECOND, micros
from headgate.errors import BadConfiguration
from headgate.vocabulary import Digest, Task, readable

T = TypeVar("T")
_AT: Final = re.compile(r" - at `(?:key in )?\$\.?(?P<path>.*)`$")
_RANGED: Final = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.TIMESTAMP})
_SIZED: Final = frozenset({Kind.TEXT, Kind.TENSOR, Kind.IMAGE})


class _FieldText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field as written; bounds of a timestamp are RFC 3339 text."""

    name: str
    kind: Kind
    nullable: bool = False
    unit: str | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    domain: tuple[str, ...] | None = None
    shape: tuple[int | None, ...] | None = None
    max_bytes: int | None = None
    expected_missing: float = 0.0
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    on_range: OnBreak = OnBreak.FLAG
    on_domain: OnBreak = OnBreak.FLAG
    description: str = ""


class _OutputText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    task: Task
    label: str = "label"
    classes: tuple[str | int | bool, ...] = ()
    probability: bool = False
    minimum: float | None = None
    maximum: float | None = None


@readable
class _ContractText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fields: tuple[_FieldText, ...]
    output: _OutputText = _OutputText(Task.TENSOR)


def to_document(contract: Contract) -> dict[str, Any]:
    """`contract` as lists, mappings and scalars, with everything that has its default left out.

    >>> to_document(Contract((Field("distance", Kind.NUMBER, unit="miles", minimum=0.0),)))
    {'fields': [{'name': 'distance', 'kind': 'number', 'unit': 'miles', 'minimum': 0}], 'output': {'task': 'tensor'}}
    """
    fields = [_plain(_write_field(each)) for each in contract.fields]
    return {"fields": fields, "output": _plain(_as_text(_OutputText, contract.output))}


def from_document(document: object, where: str) -> Contract:
    """The contract a document describes.

    Raises BadConfiguration, naming `where` and the key, for an unknown key, a wrong type or a rule that cannot hold.
    """
    written = read_document(document, _ContractText, where)
    fields = tuple(_read_field(each, f"{where}: fields[{i}] ({each.name})") for i, each in enumerate(written.fields))
    if not fields:
        raise BadConfiguration(f"{where}: fields", "names no field; a contract needs at least one")
    for i, each in enumerate(fields):
        if any(each.name == earlier.name for earlier in fields[:i]):
            raise BadConfiguration(f"{where}: fields[{i}].name", f"'{each.name}' is named twice")
        if any(each.name.lower() == earlier.name.lower() for earlier in fields[:i]):
            says = (
                f"'{each.name}' differs from another name in capitals alone, which tables do not tell apart; rename one"
            )
            raise BadConfiguration(f"{where}: fields[{i}].name", says)
    output = Output(**{name: getattr(written.output, name) for name in Output.__dataclass_fields__})
    for message in _output_faults(output):
        raise BadConfiguration(f"{where}: output", message)
    return Contract(fields, output)


def digest(contract: Contract) -> Digest:
    """The content address of `contract`: SHA-256 over its document as JSON with sorted keys and no spaces.

    >>> digest(Contract((Field("distance", Kind.NUMBER),)))[:13]
    'sha256:abbbdb'
    """
    canonical = msgspec.json.encode(to_document(contract), order="sorted")
    return Digest(f"sha256:{hashlib.sha256(canonical).hexdigest()}")


def read_document(document: object, kind: type[T], where: str) -> T:
    """`document` as a `kind`, a struct that forbids unknown keys.

    Raises BadConfiguration naming `where` and the path of the key that is wrong.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        found = _AT.search(message)
        path = found["path"] if found else ""
        message = _AT.sub("", message)
        raise BadConfiguration(f"{where}: {path}" if path else where, message[:1].lower() + message[1:]) from error


def _as_text(kind: type[T], value: object, **changed: object) -> T:
    names: tuple[str, ...] = kind.__struct_fields__  # type: ignore[attr-defined] # both texts are structs
    return kind(**{name: getattr(value, name) for name in names} | changed)


def _write_field(field: Field) -> _FieldText:
    write: Callable[[float | None], object] = _moment_text if field.kind is Kind.TIMESTAMP else _number_text
    return _as_text(_FieldText, field, minimum=write(field.minimum), maximum=write(field.maximum))


def _read_field(text: _FieldText, where: str) -> Field:
    read = _moment_bound if text.kind is Kind.TIMESTAMP else _number_bound
    values = {name: getattr(text, name) for name in Field.__dataclass_fields__}
    values["minimum"] = read(text.minimum, f"{where}: minimum")
    values["maximum"] = read(text.maximum, f"{where}: maximum")
    field = Field(**values)
    for key, message in _field_faults(field):
        raise BadConfiguration(f"{where}: {key}", message)
    return field


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    defaults = {each.encode_name: each.default for each in msgspec.structs.fields(struct)}
    document: dict[str, Any] = msgspec.to_builtins(struct)
    return {key: _scalar(value) for key, value in document.items() if value != defaults[key]}


def _scalar(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return _number_text(value) if isinstance(value, float) else value


def _number_text(value: float | None) -> float | int | None:
    # 0 and 0.0 are one number, so they must be one text and one digest.
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _moment_text(value: float | None) -> str | None:
    return None if value is None else (EPOCH + int(value) * MICROSECOND).isoformat().replace("+00:00", "Z")


def _number_bound(value: float | str | None, where: str) -> float | None:
    if isinstance(value, str):
        raise BadConfiguration(where, "expected a number, got a string")
    return value


def _moment_bound(value: float | str | None, where: str) -> float | None:
    if value is None:
        return None
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError as error:
        raise BadConfiguration(where, "expected an RFC 3339 moment such as 2024-01-31T00:00:00Z") from error
    if moment.tzinfo is None:
        raise BadConfiguration(where, "needs an offset, such as Z for UTC")
    return float(micros(moment))


def _field_faults(field: Field) -> Iterator[tuple[str, str]]:
    kind = field.kind.value
    if not field.name:
        yield "name", "must not be empty"
    if (field.minimum is not None or field.maximum is not None) and field.kind not in _RANGED:
        yield "minimum", f"bounds mean nothing for kind '{kind}'; remove them"
    if not all(math.isfinite(each) for each in (field.minimum, field.maximum) if each is not None):
        yield "minimum", "bounds must be finite; leave one out where there is none"
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        yield "minimum", "must not be above maximum"
    if field.domain is not None and field.kind is not Kind.CATEGORY:
        yield "domain", f"means nothing for kind '{kind}'; remove it or say kind: category"
    if field.domain is not None and (not field.domain or len(set(field.domain)) < len(field.domain)):
        yield "domain", "must name at least one category, and none twice"
    if (field.shape is not None) != (field.kind is Kind.TENSOR):
        yield "shape", "is needed for kind 'tensor' and means nothing for any other"
    if field.shape is not None and (not field.shape or any(each is not None and each < 0 for each in field.shape)):
        yield "shape", "must have at least one dimension; each is a length or null for any"
    if field.max_bytes is not None and (field.kind not in _SIZED or field.max_bytes < 1):
        yield "max_bytes", "must be at least 1, and only text, tensor and image have it"
    if not 0.0 <= field.expected_missing <= 1.0:
        yield "expected_missing", "is a share and lies between 0 and 1"
    if field.expected_missing > 0.0 and not field.nullable:
        yield "expected_missing", "a field that is sometimes missing must be nullable"


def _output_faults(output: Output) -> Iterator[str]:
    distinct = len({(type(each), each) for each in output.classes})
    if distinct < len(output.classes):
        yield "classes: none may be named twice"
    if len({type(each) for each in output.classes}) > 1:
        yield "classes: must all be of one type"
    if output.task is Task.BINARY and distinct != 2:
        yield "classes: a binary task has exactly two, the positive one last"
    if output.task is Task.MULTICLASS and distinct < 2:
        yield "classes: a multiclass task has at least two"
    if output.task in (Task.REGRESSION, Task.TENSOR) and (output.classes or output.probability):
        yield f"classes and probability mean nothing for task '{output.task.value}'; remove them"
    if output.task is not Task.REGRESSION and (output.minimum is not None or output.maximum is not None):
        yield "minimum: answers have bounds only for task 'regression'"
    if output.minimum is not None and output.maximum is not None and output.minimum > output.maximum:
        yield "minimum: must not be above maximum"
