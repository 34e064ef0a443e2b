"""Only what the server signed is heard, and not much later."""

import json

import pytest

from headgate.errors import BadInput, Unauthenticated
from headgate.tracking.webhook import heard, signed
from headgate.vocabulary import SECOND, Micros

SECRET, AT = "between us alone", 1_700_000_000
BODY = json.dumps(
    {
        "entity": "model_version_alias",
        "action": "created",
        "timestamp": "2023-11-14T22:13:20Z",
        "data": {"name": "late", "alias": "champion", "version": "3"},
    }
).encode()


def headers(body: bytes = BODY, *, key: str = SECRET, at: int = AT) -> dict[str, str]:
    return {
        "X-MLflow-Delivery-Id": "d-1",
        "X-MLflow-Timestamp": str(at),
        "X-MLflow-Signature": signed(key, "d-1", str(at), body),
    }


def now(seconds: int = 0) -> Micros:
    return Micros((AT + seconds) * SECOND)


def test_what_is_signed_is_heard() -> None:
    found = heard(SECRET, {name.lower(): value for name, value in headers().items()}, BODY, now(299))
    assert (found.id, found.what) == ("d-1", "model_version_alias.created")
    assert (found.name, found.alias, found.version) == ("late", "champion", "3")


def test_the_signature_is_a_plain_hmac() -> None:
    # echo -n 'd.1.{}' | openssl dgst -sha256 -hmac s -binary | base64
    assert signed("s", "d", "1", b"{}") == "v1,IU+2+KHu4+2P4cNMuwvd3lx0u3yUZ/KaEHscpFOsm4Y="


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-MLflow-Delivery-Id": ""},
        {"X-MLflow-Delivery-Id": "d-2"},
        {"X-MLflow-Timestamp": str(AT + 1)},
        {"X-MLflow-Timestamp": "soon"},
        {"X-MLflow-Timestamp": "9" * 20},
        {"X-MLflow-Signature": ""},
        {"X-MLflow-Signature": "v1,äöü"},
        {"X-MLflow-Signature": headers(key="another")["X-MLflow-Signature"]},
    ],
)
def test_everything_else_is_not(wrong: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        heard(SECRET, headers() | wrong, BODY, now())


def test_an_old_one_and_another_body_are_not() -> None:
    for moment in (now(301), now(-301)):
        with pytest.raises(Unauthenticated):
            heard(SECRET, headers(), BODY, moment)
    with pytest.raises(Unauthenticated):
        heard(SECRET, headers(), BODY + b" ", now())


def test_a_signed_body_has_to_say_something() -> None:
    for body in (b"", b"[]", b'{"entity": 3}'):
        with pytest.raises(BadInput):
            heard(SECRET, headers(body), body, now())
