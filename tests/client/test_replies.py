"""What the client makes of whatever comes back: an answer, or an error of our own that says what to do."""

import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headgate.client import Client
from headgate.errors import (
    BadInput,
    Forbidden,
    HeadgateError,
    NotFound,
    RateExceeded,
    Unauthenticated,
    Unavailable,
)

Call = Callable[[Client], Any]


class Shop:
    """Gives the same reply to everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        shop = self

        class Counter(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                shop.asked.append((self.command, self.path, dict(self.headers), body))
                self.send_response(shop.status)
                self.send_header("Content-Length", str(len(shop.body)))
                self.end_headers()
                self.wfile.write(shop.body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                return None

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counter)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def says(self, status: int, body: bytes) -> None:
        """What it replies from now on."""
        self.status, self.body = status, body


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    shop = Shop()
    thread = threading.Thread(target=shop.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield shop
    shop.server.shutdown()
    thread.join()
    shop.server.server_close()


@pytest.fixture
def shop(open_shop: Shop) -> Shop:
    open_shop.asked.clear()
    return open_shop


CALLS: dict[str, Call] = {
    "predict": lambda client: client.predict("e", [{"a": 1}]),
    "label": lambda client: client.label("e", [{"id": "x", "label": 1}]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [200, 302, 404, 422, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"x"', b"3", b"null", b"\xff\xfe", b"{", b"{}"])
def test_what_no_headgate_says_is_an_error_of_ours(shop: Shop, call: Call, status: int, body: bytes) -> None:
    shop.says(status, body)
    with Client(shop.url) as client, pytest.raises(HeadgateError) as refused:
        call(client)
    assert isinstance(refused.value, NotFound if (status, body) == (404, b"{}") else Unavailable)
    assert str(status) in str(refused.value) or isinstance(refused.value, NotFound)


@pytest.mark.parametrize("accepted", [b'"x"', b"null", b"[]", b"1.5"])
def test_a_count_that_is_none_is_no_count(shop: Shop, accepted: bytes) -> None:
    shop.says(200, b'{"accepted": %b}' % accepted)
    with Client(shop.url) as client, pytest.raises(Unavailable):
        CALLS["label"](client)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, b'{"field": "request", "rule": "key", "message": "say who you are"}', Unauthenticated),
        (403, b'{"field": "request", "rule": "scope", "message": "not yours"}', Forbidden),
        (429, b'{"field": "request", "rule": "rate", "message": "slower"}', RateExceeded),
        (400, b'{"field": 1, "rule": 2, "message": 3}', BadInput),
        (400, b'{"message": "no field"}', Unavailable),
        (400, b'"just a text"', Unavailable),
        (503, b'{"field": "request", "rule": "full", "message": "wait"}', Unavailable),
    ],
)
def test_each_refusal_is_its_own_kind(
    shop: Shop, call: Call, status: int, error: bytes, kind: type[HeadgateError]
) -> None:
    shop.says(status, b'{"error": %b}' % error)
    with Client(shop.url) as client, pytest.raises(HeadgateError) as refused:
        call(client)
    assert type(refused.value) is kind


def test_what_is_said_goes_out_as_said_over_one_connection(shop: Shop) -> None:
    shop.says(200, b'{"predictions": [{"id": "x"}], "accepted": 1}')
    with Client(f"{shop.url}/models/", project="town", key="hg_key") as client:
        found = client.predict("e/../f", [{"a": 1}], request_id="r", keys=["k"], deadline_ms=7)
        assert found == [{"id": "x"}]
        assert client.label("e", [{"id": "x", "label": 1}]) == 1
    first, second = shop.asked
    assert first[:2] == ("POST", "/models/v1/projects/town/endpoints/e%2F..%2Ff/predict")
    assert first[3] == b'{"rows": [{"a": 1}], "id": "r", "keys": ["k"], "deadline_ms": 7}'
    assert second[:2] == ("POST", "/models/v1/projects/town/endpoints/e/labels")
    assert {each[2]["Authorization"] for each in shop.asked} == {"Bearer hg_key"}


def test_readiness_is_what_the_gateway_says_of_itself(shop: Shop) -> None:
    with Client(f"{shop.url}/models") as client:
        shop.says(200, b"")
        assert client.ready()
        shop.says(503, b"{}")
        assert not client.ready()
    assert {each[:2] for each in shop.asked} == {("GET", "/models/readyz")}


def test_a_client_whose_gateway_went_away_asks_the_next_one() -> None:
    shop = Shop()
    client = Client(shop.url, timeout=5)
    shop.server.server_close()
    assert not client.ready()
    for _ in range(2):
        with pytest.raises(Unavailable, match="Is `headgate up` running"):
            CALLS["predict"](client)
    client.close()
