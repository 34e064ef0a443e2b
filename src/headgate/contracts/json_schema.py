"""A contract as JSON Schema (draft 2020-12), for programs that look at a row before they send it.

Called by the door that describes an endpoint. A schema says what is refused, and nothing more: a bound or a set of
categories whose break is only flagged stands in the field's description, because such a row is answered.
"""

from typing import Any, Final

from headgate.contracts.contract import Contract, Field, Kind, OnBreak, Output
from headgate.contracts.explain import EPOCH, INTEGER_HIGH, INTEGER_LOW, MICROSECOND, bounds
from headgate.vocabulary import Task

_TYPES: Final = {
    Kind.NUMBER: "number",
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
}
_SHOWN: Final = 20
"""Categories a description lists."""


def row_schema(contract: Contract) -> dict[str, Any]:
    """What a row of `contract` looks like.

    >>> fee = Field("fee", Kind.NUMBER, unit="EUR", minimum=0, on_range=OnBreak.REJECT)
    >>> schema = row_schema(Contract((fee, Field("plan", Kind.CATEGORY, nullable=True, domain=("a", "b")))))
    >>> schema["properties"]["fee"]
    {'type': 'number', 'minimum': 0, 'description': 'In EUR. At least 0.'}
    >>> schema["required"], schema["properties"]["plan"]["description"]
    (['fee'], 'Known: a, b; another is answered and flagged.')
    """
    return {
        "type": "object",
        "properties": {each.name: field_schema(each) for each in contract.fields},
        "required": [each.name for each in contract.fields if not each.nullable],
        "additionalProperties": False,
    }


def field_schema(field: Field) -> dict[str, Any]:
    """What a value of `field` looks like."""
    schema = _value(field)
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    said = " ".join([*([field.description.strip()] if field.description.strip() else []), *_sentences(field)])
    return schema | ({"description": said} if said else {})


def label_schema(output: Output) -> dict[str, Any]:
    """What a label, or a person's decision, looks like.

    >>> label_schema(Output(Task.BINARY, classes=(False, True)))
    {'enum': [False, True]}
    """
    return {"type": "number"} if output.task in (Task.REGRESSION, Task.TENSOR) else {"enum": list(output.classes)}


def prediction_schema(output: Output) -> dict[str, Any]:
    """What an answer looks like."""
    match output.task:
        case Task.TENSOR:
            return {"type": "object", "description": "Arrays by output name."}
        case Task.REGRESSION:
            within = {"minimum": output.minimum, "maximum": output.maximum}
            return {"type": "number"} | {name: each for name, each in within.items() if each is not None}
    return label_schema(output)


def scores_schema(output: Output) -> dict[str, Any]:
    """What the scores beside an answer look like."""
    number = {"type": "number"} | ({"minimum": 0, "maximum": 1} if output.probability else {})
    count = len(output.classes)
    listed = ", ".join(str(each) for each in output.classes[:_SHOWN])
    return {
        "type": "array",
        "items": number,
        "minItems": count,
        "maxItems": count,
        "description": f"One number per class, in this order: {listed}{' and so on' if count > _SHOWN else ''}.",
    }


def _value(field: Field) -> dict[str, Any]:
    match field.kind:
        case Kind.NUMBER | Kind.INTEGER | Kind.BOOLEAN:
            return {"type": _TYPES[field.kind], **_limits(field)}
        case Kind.CATEGORY:
            closed = field.domain and field.on_domain is OnBreak.REJECT
            return {"type": "string"} | ({"enum": list(field.domain or ())} if closed else {})
        case Kind.TEXT:
            # A limit in bytes is one in characters, too; the other way round only the server can tell.
            return {"type": "string"} | ({} if field.max_bytes is None else {"maxLength": field.max_bytes})
        case Kind.TIMESTAMP:
            return {"type": "string", "format": "date-time"}
        case Kind.TENSOR:
            return _nested(field.shape or (None,))
        case Kind.IMAGE:
            longest = {} if field.max_bytes is None else {"maxLength": (field.max_bytes + 2) // 3 * 4}
            return {"type": "string", "contentEncoding": "base64"} | longest


def _limits(field: Field) -> dict[str, Any]:
    low, high = bounds(field) if field.on_range is OnBreak.REJECT else (None, None)
    if field.kind is Kind.INTEGER:
        low = INTEGER_LOW if low is None else max(INTEGER_LOW, low)
        high = INTEGER_HIGH if high is None else min(INTEGER_HIGH, high)
    return {name: each for name, each in (("minimum", low), ("maximum", high)) if each is not None}


def _nested(shape: tuple[int | None, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "number"}
    for length in reversed(shape):
        fixed = {} if length is None else {"minItems": length, "maxItems": length}
        schema = {"type": "array", "items": schema, **fixed}
    return schema


def _sentences(field: Field) -> list[str]:
    found = [f"In {field.unit}."] if field.unit else []
    low, high = (None if each is None else _shown(field, each) for each in bounds(field))
    words = [*([f"at least {low}"] if low else []), *([f"at most {high}"] if high else [])]
    if words:
        text = " and ".join(words)
        flagged = "; another is answered and flagged" if field.on_range is OnBreak.FLAG else ""
        found.append(f"{text[0].upper()}{text[1:]}{flagged}.")
    if field.domain and field.on_domain is OnBreak.FLAG:
        more = f" and {len(field.domain) - _SHOWN} more" if len(field.domain) > _SHOWN else ""
        found.append(f"Known: {', '.join(field.domain[:_SHOWN])}{more}; another is answered and flagged.")
    if field.max_bytes is not None:
        found.append(f"At most {field.max_bytes} bytes.")
    return found


def _shown(field: Field, bound: float) -> str:
    if field.kind is Kind.TIMESTAMP:
        return (EPOCH + bound * MICROSECOND).isoformat()
    return f"{bound:.15g}"
