"""Bearer tokens of an OpenID provider: checked against its public keys and the operator's rules.

Needs the extra ``auth``; `app.identity` alone imports it, when there are rules.
"""

import json
from typing import Any, Final

import jwt

from headgate.access.caller import Caller
from headgate.access.oidc import Rules
from headgate.errors import BadConfiguration, Unauthenticated
from headgate.vocabulary import Micros

LONGEST: Final = 16 * 1024
"""Characters of a token that is looked at."""
_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The type of key each family of algorithms signs with."""


class Tokens:
    """Reads the tokens of one issuer."""

    def __init__(self, rules: Rules, jwks: bytes, where: str = "jwks.json") -> None:
        """`jwks` is the provider's JSON Web Key Set. Raises BadConfiguration when it is none or holds no usable key."""
        self._rules = rules
        self._keys = _signing_keys(jwks, rules, where)

    def identify(self, token: str, now: Micros) -> Caller:
        """Whose token it is. Raises Unauthenticated, saying what is wrong with the token but nothing of its words."""
        if len(token) > LONGEST:
            raise Unauthenticated("the token is too long to be one of this issuer")
        try:
            claims = self._claims(token)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated(f"the token is not good here: {_reason(error)}") from error
        until = self._in_time(claims, now)
        name = claims.get(self._rules.name)
        if not isinstance(name, str) or not name:
            raise Unauthenticated(f"the token names nobody: it has no claim '{self._rules.name}'")
        # The name goes into listings and terminals; whose it is, is told by the claim as it came.
        shown = "".join(each if each.isprintable() else "?" for each in name[:200])
        return Caller(f"token {name}", f"token {shown}", self._rules.grants(claims.get(self._rules.claim)), until)

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in self._rules.algorithms:
            raise jwt.InvalidAlgorithmError
        if "crit" in header:
            raise jwt.InvalidTokenError  # it must be refused by who does not know the extension, and none is known here
        kid = header.get("kid")
        for key in self._keys:
            # The type of the key, not the token, says which algorithms it may have signed with.
            fits = key.key_type == _TYPES[algorithm[:2]] and key.algorithm_name in (None, algorithm)
            if fits and (key.key_id == kid if kid is not None else len(self._keys) == 1):
                return self._decoded(token, key, algorithm)
        raise jwt.InvalidKeyError

    def _decoded(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        rules = self._rules
        # Times are compared below, by the clock that was handed in.
        options: Any = {
            "require": ["exp", "iss", "aud"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        }
        claims: dict[str, Any] = jwt.decode(
            token, key.key, algorithms=[algorithm], audience=rules.audience, issuer=rules.issuer, options=options
        )
        return claims

    def _in_time(self, claims: dict[str, Any], now: Micros) -> Micros:
        """When the token stops being good. Raises Unauthenticated outside of its time."""
        moments = {name: claims.get(name) for name in ("exp", "nbf")}
        if any(isinstance(each, bool) or not isinstance(each, int | float | None) for each in moments.values()):
            raise Unauthenticated("the token's exp or nbf is not a moment")
        until = float(moments["exp"] or 0) + self._rules.leeway
        begins = float(moments["nbf"] or 0) - self._rules.leeway
        if not begins <= now / 1e6 < until:
            raise Unauthenticated("the token has expired or is not valid yet; ask the issuer for a new one")
        return Micros(int(min(until, 4e12) * 1e6))


def _signing_keys(jwks: bytes, rules: Rules, where: str) -> list[jwt.PyJWK]:
    try:
        listed = json.loads(jwks)["keys"]
        # One entry the library does not know, of a newer kind, must not take the others away.
        keys = [each for each in map(_key, listed) if each is not None]
    except (ValueError, KeyError, TypeError) as error:
        raise BadConfiguration(where, "is no JSON Web Key Set") from error
    usable = {_TYPES[each[:2]] for each in rules.algorithms}
    found = [each for each in keys if each.key_type in usable]
    if not found:
        raise BadConfiguration(where, f"holds no key for {', '.join(rules.algorithms)}")
    return found


def _key(document: Any) -> jwt.PyJWK | None:
    if not isinstance(document, dict):
        return None
    if document.get("use", "sig") != "sig" or document.get("kty") not in _TYPES.values():
        return None
    try:
        return jwt.PyJWK(document)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _reason(error: Exception) -> str:
    reasons = (
        (jwt.InvalidAudienceError, "it is meant for another audience"),
        (jwt.InvalidIssuerError, "it is of another issuer"),
        (jwt.InvalidAlgorithmError, "it is signed in a way that is not taken here"),
        (jwt.MissingRequiredClaimError, "it lacks exp, iss or aud"),
        (jwt.InvalidSignatureError, "its signature is wrong"),
        (jwt.InvalidKeyError, "it is signed by a key that is not known here"),
    )
    return next((words for kind, words in reasons if isinstance(error, kind)), "it cannot be read")
