"""The rules for bearer tokens as an operator writes them: whose tokens are taken, and what their claims allow."""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
import yaml

from headgate.access.grants import CallerRole, Grant, roles_of, scope_of
from headgate.errors import BadConfiguration, BadInput
from headgate.vocabulary import DEFAULT_PROJECT, readable

ASYMMETRIC: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Algorithms that can be named; with all others who can check a token could also make one, or anybody could."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class _Allowed(msgspec.Struct, forbid_unknown_fields=True):
    roles: tuple[str, ...]
    scopes: tuple[str, ...] = ("*",)


@readable
class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``keys/oidc.yaml``."""

    issuer: Annotated[str, msgspec.Meta(min_length=1)]
    """What ``iss`` must be, to the letter."""
    audience: Annotated[str, msgspec.Meta(min_length=1)]
    """What ``aud`` must be or hold."""
    claims: dict[str, _Allowed]
    """What each value of `claim` allows."""
    claim: str = "groups"
    """The claim, a text or a list of texts, that is looked up in `claims`."""
    name: str = "sub"
    """The claim that names the caller in the audit trail."""
    algorithms: tuple[str, ...] = ("RS256",)
    """The only ones a token may be signed with; asymmetric ones alone can be named."""
    leeway: Annotated[int, msgspec.Meta(ge=0, le=300)] = 30
    """Seconds by which clocks may differ."""
    jwks_url: str | None = None
    """Where the signing keys are fetched from, over https; null, and ``jwks.json`` is an operator's to replace."""
    jwks_refresh: Annotated[int, msgspec.Meta(ge=60)] = 3600
    """Seconds between two fetches."""

    def grants(self, values: Any) -> tuple[Grant, ...]:
        """What the values of a token's claim allow together."""
        found = [values] if isinstance(values, str) else values if isinstance(values, list) else []
        known = [self.claims[each] for each in found if isinstance(each, str) and each in self.claims]
        return tuple(_grant(each) for each in known)


def load_rules(text: str, where: str) -> Rules:
    """The rules in YAML text. Raises BadConfiguration naming the key that is wrong."""
    try:
        rules = msgspec.convert(yaml.safe_load(text), Rules)
        for each in rules.claims.values():
            _grant(each)
    except yaml.YAMLError as error:
        raise BadConfiguration(where, "is not YAML") from error
    except (msgspec.ValidationError, BadInput) as error:
        raise BadConfiguration(where, str(error)) from error
    wrong = [each for each in rules.algorithms if each not in ASYMMETRIC]
    if wrong or not rules.algorithms:
        raise BadConfiguration(where, f"algorithms: must be of {', '.join(ASYMMETRIC)}")
    if rules.jwks_url is not None:
        _check_url(rules.jwks_url, where)
    return rules


def _check_url(text: str, where: str) -> None:
    url = urlsplit(text)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        raise BadConfiguration(where, "jwks_url: must be https; who can change the keys on the way can be anybody")


def _grant(allowed: _Allowed) -> Grant:
    scopes = tuple(scope_of(each, DEFAULT_PROJECT) for each in allowed.scopes)
    roles: tuple[CallerRole, ...] = roles_of(allowed.roles)
    return Grant(roles, scopes)
