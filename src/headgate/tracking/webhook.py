"""What a tracking server's webhooks say, once it is sure that the server said it.

MLflow signs as Standard Webhooks do, under headers of its own: HMAC-SHA256 of delivery id, moment and body, in base64
behind ``v1,`` (https://mlflow.org/docs/latest/ml/webhooks/). Its key is the secret's own bytes.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from headgate.alerts.signature import TOLERANCE_S
from headgate.errors import BadInput, Unauthenticated
from headgate.vocabulary import SECOND, Micros, readable


@readable
class _Body(msgspec.Struct):
    entity: str = ""
    action: str = ""
    data: dict[str, Any] = {}


@readable
class Heard(msgspec.Struct, frozen=True):
    """What a webhook says happened; a reason to look, and never what is acted on."""

    id: str
    """The delivery's own, however often it comes."""
    what: str
    """``model_version_alias.created``."""
    name: str = ""
    """The model it happened to."""
    version: str = ""
    alias: str = ""


EVENTS: Final = (
    ("MODEL_VERSION_ALIAS", "CREATED"),
    ("MODEL_VERSION_ALIAS", "DELETED"),
    ("MODEL_VERSION", "CREATED"),
)
"""What there is to hear of."""


def heard(secret: str, headers: Mapping[str, str], body: bytes, now: Micros) -> Heard:
    """What a webhook says that whoever has `secret` signed no longer than five minutes ago.

    `headers` are the request's, their names in any case. Raises Unauthenticated for every other request, BadInput for a
    body that says nothing.
    """
    found = {name.lower(): value for name, value in headers.items()}
    id_, stamp = found.get("x-mlflow-delivery-id", ""), found.get("x-mlflow-timestamp", "")
    if not id_ or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        raise Unauthenticated("the request has no X-MLflow-Delivery-Id, or no X-MLflow-Timestamp in seconds")
    if abs(now // SECOND - int(stamp)) > TOLERANCE_S:
        raise Unauthenticated(f"the request is more than {TOLERANCE_S} s away from now; see that both clocks are right")
    given = found.get("x-mlflow-signature", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, signed(secret, id_, stamp, body).encode()):
        raise Unauthenticated("the request is signed with another secret, or its body is another")
    try:
        said = msgspec.json.decode(body, type=_Body)
    except msgspec.DecodeError as error:
        raise BadInput("body", "type", "must be what MLflow's webhooks say") from error
    words = {key: value for key, value in said.data.items() if isinstance(value, str)}
    return Heard(id_, f"{said.entity}.{said.action}", *(words.get(each, "") for each in ("name", "version", "alias")))


def signed(secret: str, id_: str, stamp: str, body: bytes) -> str:
    """The signature that belongs to a delivery, as its header has it."""
    content = f"{id_}.{stamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(secret.encode(), content, sha256)).decode()}"
