"""Tokens: good ones make callers, and every known way to forge one ends in Unauthenticated."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from tests.access.issuer import RULES, claims, key_set, public_pem, token

from headgate.access.grants import CallerRole, Grant
from headgate.access.oidc import load_rules
from headgate.access.tokens import Tokens
from headgate.errors import BadConfiguration, Unauthenticated
from headgate.vocabulary import Micros

TOKENS = Tokens(load_rules(RULES, "oidc.yaml"), key_set())


def now() -> Micros:
    return Micros(time.time_ns() // 1000)


def part(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def hs256(secret: bytes, kid: str = "rsa") -> str:
    """A token signed with a secret, as an attacker makes it by hand: libraries refuse to."""
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{part(claims())}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def with_header(good: str, **header: Any) -> str:
    return ".".join([part(header), *good.split(".")[1:]])


@pytest.mark.parametrize("id_", ["rsa", "ec", "ed"])
def test_a_good_token_makes_a_caller(id_: str) -> None:
    caller = TOKENS.identify(token(id_), now())
    assert (caller.name, caller.rate) == ("token alice", None)
    assert caller.grants == (Grant((CallerRole.PREDICT, CallerRole.LABEL), ("default/*",)),)
    assert caller.until is not None
    assert 600 < (caller.until - now()) / 1e6 < 640


def test_claims_add_up_and_unknown_ones_allow_nothing() -> None:
    both = TOKENS.identify(token(groups=["readers", "nobody", 7, "callers"]), now()).grants
    assert [each.scopes for each in both] == [("shop/late",), ("default/*",)]
    assert len(TOKENS.identify(token(groups="readers"), now()).grants) == 1
    for groups in (None, [], {}, 7, ["nobody"], {"callers": True}):
        assert TOKENS.identify(token(groups=groups), now()).grants == ()


FORGED: dict[str, Any] = {
    "unsigned": lambda: with_header(token(), alg="none"),
    "unsigned, no signature": lambda: f"{part({'alg': 'none'})}.{part(claims())}.",
    "unsigned, spelled otherwise": lambda: f"{part({'alg': 'nOnE', 'kid': 'rsa'})}.{part(claims())}.",
    "HS256 with the public key": lambda: hs256(public_pem()),
    "HS256 with the public key, stripped": lambda: hs256(public_pem().strip()),
    "HS256 with the key set": lambda: hs256(key_set()),
    "HS256 with nothing": lambda: hs256(b""),
    "RS256 of a stranger": lambda: token("stranger", kid="rsa"),
    "a stranger's own kid": lambda: token("stranger"),
    "no kid where there are several keys": lambda: with_header(token(), alg="RS256"),
    "a kid that is a path": lambda: token(kid="../../etc/passwd"),
    "a key in its own header": lambda: token(
        "stranger", kid="rsa", header={"jwk": json.loads(key_set("stranger"))["keys"][0]}
    ),
    "an address in its header": lambda: token("stranger", kid="rsa", header={"jku": "http://127.0.0.1:9/jwks"}),
    "an algorithm of another key": lambda: with_header(token("ec"), alg="RS256", kid="ec"),
    "an algorithm not listed": lambda: token(algorithm="RS512"),
    "other words": lambda: ".".join([token().split(".")[0], part(claims(groups=["readers"])), token().split(".")[2]]),
    "signature cut": lambda: token()[:-4],
    "signature left out": lambda: token().rpartition(".")[0] + ".",
    "two parts": lambda: ".".join(token().split(".")[:2]),
    "four parts": lambda: token() + ".x",
    "noise": lambda: "a.b.c",
    "nothing": lambda: "",
    "huge": lambda: token(more="x" * 20_000),
    "header no object": lambda: f"{part([1])}.{part(claims())}.AA",
    "kid no text": lambda: with_header(token(), alg="RS256", kid=7),
    "alg no text": lambda: with_header(token(), alg=["RS256"], kid="rsa"),
    "another issuer": lambda: token(iss="https://login.test/"),
    "no issuer": lambda: token(iss=None),
    "another audience": lambda: token(aud="other"),
    "no audience": lambda: token(aud=None),
    "audience among others": lambda: token(aud=["a", "b"]),
    "expired": lambda: token(exp=int(time.time()) - 31),
    "no expiry": lambda: token(exp=None),
    "expiry no number": lambda: token(exp="tomorrow"),
    "expiry true": lambda: token(exp=True),
    "not yet": lambda: token(nbf=int(time.time()) + 60),
    "nobody": lambda: token(sub=None),
    "empty name": lambda: token(sub=""),
    "critical extension": lambda: token(header={"crit": ["x"], "x": 1}),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_bad_token_is_nobodys(how: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        TOKENS.identify(FORGED[how](), now())
    assert "alice" not in str(refused.value)


def test_a_name_cannot_write_into_terminals_and_listings() -> None:
    named = TOKENS.identify(token(sub="a\n\x1b[2Jb\u202e" + "c" * 500), now())
    assert named.name == "token a??[2Jb?" + "c" * 192
    other = TOKENS.identify(token(sub="a\n\x1b[2Jb\u202e" + "c" * 501), now())
    assert named.id != other.id


def test_clocks_may_differ_by_the_leeway() -> None:
    assert TOKENS.identify(token(exp=int(time.time()) - 25), now())
    assert TOKENS.identify(token(nbf=int(time.time()) + 25), now())


def test_one_key_needs_no_kid() -> None:
    alone = Tokens(load_rules(RULES, "oidc.yaml"), key_set("rsa"))
    with pytest.raises(Unauthenticated, match="signature"):
        alone.identify(with_header(token(), alg="RS256", typ="JWT"), now())  # the header is signed too
    assert alone.identify(token(), now())


@pytest.mark.parametrize("jwks", [b"", b"{", b"[]", b"{}", b'{"keys": 7}', b'{"keys": []}', b'{"keys": [7]}'])
def test_what_is_no_key_set_is_said_at_the_start(jwks: bytes) -> None:
    with pytest.raises(BadConfiguration, match="jwks"):
        Tokens(load_rules(RULES, "oidc.yaml"), jwks)


def test_keys_of_other_kinds_and_uses_are_passed_over() -> None:
    listed = json.loads(key_set())["keys"]
    secret = {"kty": "oct", "k": part("secret"), "kid": "oct"}
    wrong = [{"kty": "RSA", "n": "!", "e": "AQAB", "kid": "bad"}, {"kty": "future"}, {**listed[0], "use": "enc"}]
    found = Tokens(load_rules(RULES, "oidc.yaml"), json.dumps({"keys": [secret, *wrong, *listed]}).encode())
    assert found.identify(token(), now())
    with pytest.raises(Unauthenticated):
        found.identify(hs256(b"secret", "oct"), now())
    with pytest.raises(BadConfiguration, match="no key for"):
        Tokens(load_rules(RULES, "oidc.yaml"), json.dumps({"keys": [secret]}).encode())
