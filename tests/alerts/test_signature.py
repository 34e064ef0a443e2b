"""Signed requests: as Standard Webhooks has them, verified here and refused in every other form."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.samples import SECRET, T0

from headgate.alerts.signature import PREFIX, TOLERANCE_S, key_of, sign, verify
from headgate.errors import BadConfiguration, Unauthenticated
from headgate.vocabulary import SECOND, Micros

BODY = b'{"type": "alert.raised"}'


def test_the_signature_is_what_the_specification_says() -> None:
    """Computed here once more by its words, with nothing of the room's own."""
    key = bytes(range(32))
    signature = sign(PREFIX + base64.b64encode(key).decode(), "msg_1", BODY, T0)
    content = b"msg_1." + str(T0 // SECOND).encode() + b"." + BODY
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert signature.headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1372636800",
        "webhook-signature": f"v1,{expected}",
    }


@given(st.binary(max_size=200), st.integers(-TOLERANCE_S, TOLERANCE_S), st.binary(min_size=24, max_size=64))
def test_what_was_signed_is_verified_within_five_minutes(body: bytes, off: int, key: bytes) -> None:
    secret = PREFIX + base64.b64encode(key).decode()
    headers = sign(secret, "id", body, T0).headers
    assert verify(secret, headers, body, Micros(T0 + off * SECOND)) == "id"


@given(st.data())
def test_one_changed_byte_is_noticed(data: st.DataObject) -> None:
    headers = sign(SECRET, "id", BODY, T0).headers
    at = data.draw(st.integers(0, len(BODY) - 1))
    changed = BODY[:at] + bytes([BODY[at] ^ data.draw(st.integers(1, 255))]) + BODY[at + 1 :]
    with pytest.raises(Unauthenticated):
        verify(SECRET, headers, changed, T0)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "other"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(T0 // SECOND + 1)},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,caf\udce9"},
    ],
)
def test_every_header_is_under_the_signature(changed: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        verify(SECRET, {**sign(SECRET, "id", BODY, T0).headers, **changed}, BODY, T0)


def test_an_old_request_and_another_secret_are_refused() -> None:
    headers = sign(SECRET, "id", BODY, T0).headers
    for later in (TOLERANCE_S + 1, -TOLERANCE_S - 1):
        with pytest.raises(Unauthenticated, match="clocks"):
            verify(SECRET, headers, BODY, Micros(T0 + later * SECOND))
    with pytest.raises(Unauthenticated, match="another secret"):
        verify(SECRET + "x", headers, BODY, T0)


def test_a_receiver_may_have_several_signatures_before_it_and_any_spelling_of_headers() -> None:
    headers = sign(SECRET, "id", BODY, T0).headers
    several = {"Webhook-ID": "id", "Webhook-Timestamp": headers["webhook-timestamp"]}
    several["WEBHOOK-SIGNATURE"] = f"v1,AAAA v2,BBBB {headers['webhook-signature']}"
    assert verify(SECRET, several, BODY, T0) == "id"


@pytest.mark.parametrize("secret", ["short", PREFIX + "c2hvcnQ=", PREFIX + "not base64 at all, is it?", ""])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        key_of(secret)
    assert not secret or secret.removeprefix(PREFIX) not in str(refused.value)


def test_white_space_around_a_secret_is_not_part_of_it() -> None:
    assert key_of(f" {SECRET}\n") == key_of(SECRET) == SECRET.encode()
