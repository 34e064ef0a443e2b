"""An OpenID provider of the tests: keys of its own, its key set, and tokens good and bad."""

import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://login.test"
RULES = f"""
issuer: {ISSUER}
audience: headgate
algorithms: [RS256, ES256, EdDSA]
claims:
  callers: {{roles: [predict, label]}}
  readers: {{roles: [read], scopes: [shop/late]}}
"""


@cache
def signing_keys() -> dict[str, Any]:
    """Private keys by their id."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
        "stranger": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }


_ALGORITHMS: dict[str, tuple[Any, str]] = {
    "rsa": (jwt.algorithms.RSAAlgorithm, "RS256"),
    "ec": (jwt.algorithms.ECAlgorithm, "ES256"),
    "ed": (jwt.algorithms.OKPAlgorithm, "EdDSA"),
    "stranger": (jwt.algorithms.RSAAlgorithm, "RS256"),
}


def key_set(*ids: str) -> bytes:
    """The key set that publishes those keys."""
    listed = []
    for each in ids or ("rsa", "ec", "ed"):
        kind, _ = _ALGORITHMS[each]
        listed.append(kind.to_jwk(signing_keys()[each].public_key(), as_dict=True) | {"kid": each, "use": "sig"})
    return json.dumps({"keys": listed}).encode()


def public_pem(id_: str = "rsa") -> bytes:
    """A public key as everybody can have it."""
    pem: bytes = signing_keys()[id_].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says; a value of None leaves a claim out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": "headgate", "sub": "alice", "exp": now + 600, "iat": now, "groups": ["callers"]}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    id_: str = "rsa",
    *,
    kid: str | None = None,
    header: dict[str, Any] | None = None,
    algorithm: str | None = None,
    **changed: Any,
) -> str:
    """A token signed by one of the keys, with whatever else in its header."""
    headers = {"kid": kid or id_, **(header or {})}
    return jwt.encode(claims(**changed), signing_keys()[id_], algorithm or _ALGORITHMS[id_][1], headers)
