"""The rules for tokens, as an operator gets them wrong."""

import pytest
from tests.access.issuer import RULES

from headgate.access.oidc import load_rules
from headgate.errors import BadConfiguration


def test_the_rules_are_read() -> None:
    rules = load_rules(RULES, "oidc.yaml")
    assert (rules.claim, rules.name, rules.leeway, rules.jwks_url) == ("groups", "sub", 30, None)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("algorithms: [HS256]", "algorithms"),
        ("algorithms: [none]", "algorithms"),
        ("algorithms: [RS256, HS512]", "algorithms"),
        ("algorithms: []", "algorithms"),
        ("leeway: 100000", "leeway"),
        ("leeway: -1", "leeway"),
        ("audience: ''", "audience"),
        ("claims: {a: {roles: [root]}}", "role"),
        ("claims: {a: {roles: []}}", "role"),
        ("claims: {a: {roles: [read], scopes: [A]}}", "scope"),
        ("jwks_url: http://login.test/jwks", "https"),
        ("jwks_url: file:///etc/passwd", "https"),
        ("jwks_refresh: 1", "jwks_refresh"),
        ("unknown: 1", "unknown"),
        ("{", "YAML"),
    ],
)
def test_what_is_wrong_is_named(more: str, word: str) -> None:
    kept = [line for line in RULES.strip().splitlines() if not line.startswith(more.partition(":")[0])]
    if more.startswith("claims"):
        kept = [line for line in kept if not line.startswith("  ")]
    with pytest.raises(BadConfiguration, match=word):
        load_rules("\n".join([*kept, more]), "oidc.yaml")


@pytest.mark.parametrize("text", ["", "issuer: x", "[]", "7"])
def test_half_a_file_is_refused(text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"oidc\.yaml"):
        load_rules(text, "oidc.yaml")
