"""What the journal keeps: one input per row asked, one answer per version that spoke, one label per truth.

Gateways build these on the request path, so they are msgspec structs encoded as msgpack arrays in C.
Order of the fields is the format on disk: append only, never reorder.
"""

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """Who said what turned out to be true."""

    LABEL = "label"
    """The world."""
    HUMAN = "human"
    """A person's decision on the same input."""


Value = str | int | float | bool | None
"""A label, a prediction or a scalar feature."""


class Refusal(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Why a row was not answered."""

    field: str
    rule: str
    message: str


class Input(msgspec.Struct, array_like=True, gc=False):
    """One row somebody asked about."""

    id: bytes
    """16 bytes: a UUIDv7 drawn by the gateway."""
    at: int
    """Event time in microseconds; the moment of arrival unless a replay stated another."""
    features: tuple[object, ...] | None
    """Values in the schema's order; None where capture left the row out or the row was refused."""
    request_id: str
    row: int
    """Position in its request, from 0."""
    entity: str | None = None
    """The caller's key for this row."""
    subject: bytes | None = None
    """Whom the row is about, as an HMAC under the home's secret."""
    flags: tuple[str, ...] = ()
    """``rule:field`` of every rule broken without being refused."""
    refusal: Refusal | None = None


class Answer(msgspec.Struct, array_like=True, gc=False):
    """What one version said of one input."""

    input_id: bytes
    assigned: str
    """The version the input was assigned to; evidence counts this one."""
    answered: str
    """The version that spoke; empty where none did, as for a shadow that failed."""
    role: str
    probability: float
    """Chance that the assigned version was drawn for this input, 0 to 1."""
    prediction: Value | list[Value]
    """None where no version spoke."""
    scores: list[float] | None
    """Classification: one per class, in the contract's order."""
    compute_us: int
    """Time next to the model, for the whole batch the row was in."""
    latency_us: int
    """From the request's last byte to this record; for a shadow from the moment it was handed the row."""
    fallback: str = ""
    """Why the assigned version did not answer; empty when it did."""


class Label(msgspec.Struct, array_like=True, gc=False):
    """What turned out to be true; exactly one way of naming the input is filled in."""

    id: bytes
    """16 bytes: a UUIDv7 drawn when the label came; the later of two revisions wins."""
    received_at: int
    observed_at: int
    """When the truth became known, in microseconds; revisions are ordered by this, then by `id`."""
    value: Value
    input_id: bytes | None = None
    request_id: str | None = None
    row: int = 0
    entity: str | None = None
    entity_at: int | None = None
    source: str = Source.LABEL
    actor: str = ""


class Block(msgspec.Struct, array_like=True, gc=False):
    """Everything one commit says about one endpoint: the payload of one frame."""

    inputs: list[Input] = []
    answers: list[Answer] = []
    labels: list[Label] = []

    @property
    def rows(self) -> int:
        """How many inputs it has."""
        return len(self.inputs)


class SchemaField(msgspec.Struct, array_like=True, frozen=True):
    """A feature as the journal needs to know it."""

    name: str
    kind: str
    sensitivity: str


class Schema(msgspec.Struct, array_like=True, frozen=True):
    """What the blocks of one endpoint mean; written into a segment before the first block that uses it."""

    project: str
    endpoint: str
    contract: str
    """Digest of the contract, so that two versions of an endpoint's contract stay apart."""
    fields: tuple[SchemaField, ...]
    task: str
    label_kind: str
    """``text``, ``integer``, ``number`` or ``boolean``: the type of labels and predictions."""
    classes: tuple[Value, ...] = ()
