"""The rules for tokens in a home: read at the start, followed when they change, fetched only when told to."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.access.issuer import RULES, key_set, token

from headgate.app import signingkeys
from headgate.app.identity import FileTokens, asks_who_calls, open_identity
from headgate.app.signingkeys import MOST_BYTES, SigningKeys
from headgate.errors import BadConfiguration, MissingExtra, Unauthenticated
from headgate.settings import Home
from headgate.store.home import create_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = create_home(tmp_path / "h")
    home.keys.mkdir(exist_ok=True)
    return home


def shown(text: str) -> bytes:
    return f"Bearer {text}".encode()


def test_a_home_without_rules_is_open_and_takes_no_tokens(home: Home) -> None:
    assert (open_identity(home).required, asks_who_calls(home)) == (False, False)


def test_rules_close_the_doors(home: Home) -> None:
    (home.keys / "oidc.yaml").write_text(RULES)
    (home.keys / "jwks.json").write_bytes(key_set())
    identity = open_identity(home)
    assert (identity.required, asks_who_calls(home)) == (True, True)
    assert identity.identify(shown(token())).name == "token alice"


def test_signing_keys_are_followed(home: Home) -> None:
    (home.keys / "oidc.yaml").write_text(RULES)
    (home.keys / "jwks.json").write_bytes(key_set("rsa"))
    identity = open_identity(home)
    with pytest.raises(Unauthenticated):
        identity.identify(shown(token("ec")))
    (home.keys / "jwks.json").write_bytes(key_set("ec"))
    assert identity.look()
    assert identity.identify(shown(token("ec"))).name == "token alice"
    with pytest.raises(Unauthenticated):
        identity.identify(shown(token("rsa")))
    (home.keys / "jwks.json").write_text("half a fi")
    identity.look()
    assert identity.identify(shown(token("ec"))), "the last good ones stay in force"
    (home.keys / "oidc.yaml").unlink()
    identity.look()
    assert identity.required


@pytest.mark.parametrize("rules", ["issuer: x", RULES])
def test_rules_that_cannot_be_followed_stop_the_start(home: Home, rules: str) -> None:
    (home.keys / "oidc.yaml").write_text(rules)
    with pytest.raises(BadConfiguration, match=r"oidc\.yaml|jwks\.json"):
        open_identity(home)


def test_a_missing_library_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "headgate.access.tokens", None)
    (home.keys / "oidc.yaml").write_text(RULES)
    with pytest.raises(MissingExtra, match=r"headgate\[auth\]"):
        open_identity(home)


class Provider:
    """Answers with what it is told, and counts."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = key_set(), 200, 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                self.send_response(provider.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(provider.body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


def test_nothing_is_fetched_unless_an_address_is_given(home: Home, provider: Provider) -> None:
    signing = SigningKeys(home.keys)
    assert not signing.turn()
    (home.keys / "oidc.yaml").write_text(RULES)
    assert not signing.turn()
    assert provider.asked == 0


def test_keys_are_fetched_once_in_a_while(home: Home, provider: Provider) -> None:
    (home.keys / "oidc.yaml").write_text(f"{RULES}jwks_url: {provider.url}\n")
    identity = open_identity(home)
    with pytest.raises(Unauthenticated, match="not fetched yet"):
        identity.identify(shown(token()))
    signing = SigningKeys(home.keys)
    assert (signing.turn(), signing.turn(), provider.asked) == (True, False, 1)
    identity.look()
    assert identity.identify(shown(token())).name == "token alice"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (404, b"{}"),
        (302, b""),
        (200, b"no json"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b" " * (MOST_BYTES + 1)),
    ],
)
def test_a_bad_answer_leaves_the_keys_as_they_were(
    home: Home, provider: Provider, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (home.keys / "oidc.yaml").write_text(f"{RULES}jwks_url: {provider.url}\n")
    (home.keys / "jwks.json").write_bytes(key_set())
    provider.status, provider.body = status, body
    signing = SigningKeys(home.keys)
    assert not signing.turn()
    assert "cannot be fetched" in caplog.text
    assert (home.keys / "jwks.json").read_bytes() == key_set()
    assert (signing.turn(), provider.asked) == (False, 1), "and it is left alone for a while"


def test_a_provider_that_says_nothing_is_not_waited_for_long(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import socket

    monkeypatch.setattr(signingkeys, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/jwks"
        (home.keys / "oidc.yaml").write_text(f"{RULES}jwks_url: {url}\n")
        assert not SigningKeys(home.keys).turn()
    assert "cannot be fetched" in caplog.text


def test_rules_that_cannot_be_followed_let_nobody_in(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    tokens = FileTokens(home.keys)
    assert (tokens.read(), tokens.changed()) == (None, False)
    identity = open_identity(home)
    (home.keys / "oidc.yaml").write_text("{")
    assert tokens.changed()
    assert (identity.look(), identity.required) == (True, True)
    assert "is not YAML" in caplog.text
    with pytest.raises(Unauthenticated, match="cannot be followed"):
        identity.identify(shown(token()))
