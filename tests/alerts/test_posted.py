"""Notices over real HTTP: taken, refused, late, misled and misconfigured; never a secret in what is said."""

import os
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from tests.access.pems import Authority
from tests.alerts.receiver import Receiver, Reply
from tests.alerts.samples import SECRET, T0, delivery

from headgate.alerts.channels import Secret, Slack, Webhook
from headgate.alerts.couriers.deadline import Deadline
from headgate.alerts.couriers.posted import SlackCourier, WebhookCourier, post
from headgate.alerts.delivery import Answer
from headgate.alerts.signature import verify
from headgate.alerts.told import as_chat, as_json
from headgate.vocabulary import SECOND, Micros


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return Secret(file=str(path))


def posted(url: str, seconds: float = 10.0) -> Answer:
    return post(url, b"{}", {}, T0, seconds=seconds)


def test_a_webhook_gets_a_signed_request(secret: Secret) -> None:
    with Receiver() as receiver:
        courier = WebhookCourier(Webhook(f"{receiver.url}?tenant=a", secret))
        sent = delivery()
        assert courier.carry(sent, T0) == Answer(True, "HTTP 200 from 127.0.0.1")
        [request] = receiver.until(1)
    assert request.path == "/hook?tenant=a"
    assert request.body == as_json(sent)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("headgate/")
    assert verify(SECRET, request.headers, request.body, T0) == sent.id


def test_a_later_try_has_the_same_id_and_body_and_a_new_moment(secret: Secret) -> None:
    with Receiver() as receiver:
        courier = WebhookCourier(Webhook(receiver.url, secret))
        for at in (T0, Micros(T0 + 3600 * SECOND)):
            courier.carry(delivery(), at)
        first, second = receiver.until(2)
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_a_secret_that_is_replaced_signs_the_next_try(secret: Secret) -> None:
    with Receiver() as receiver:
        courier = WebhookCourier(Webhook(receiver.url, secret))
        Path(secret.file or "").write_text("another secret of two dozen bytes")
        courier.carry(delivery(), T0)
        [request] = receiver.until(1)
    assert verify("another secret of two dozen bytes", request.headers, request.body, T0)


def test_a_chat_gets_a_message_at_the_address_that_is_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(Reply(body=b"ok")) as receiver:
        monkeypatch.setenv("HEADGATE_SECRET_CHAT", f"{receiver.url}/T0/B0/xyzzy")
        courier = SlackCourier(Slack(Secret(env="HEADGATE_SECRET_CHAT")))
        assert courier.carry(delivery(), T0).taken
        [request] = receiver.until(1)
    assert (request.path, request.body) == ("/hook/T0/B0/xyzzy", as_chat(delivery()))
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(204), Answer(True, "HTTP 204 from 127.0.0.1")),
        (Reply(500), Answer(False, "HTTP 500 from 127.0.0.1")),
        (Reply(404, body=b"no_service\n"), Answer(False, "HTTP 404 from 127.0.0.1: no_service")),
        (Reply(404, body=b"/T0/B0/xyzzy was not found"), Answer(False, "HTTP 404 from 127.0.0.1")),
        (Reply(410), Answer(False, "HTTP 410 from 127.0.0.1", final=True)),
        (Reply(429, {"Retry-After": "120"}), Answer(False, "HTTP 429 from 127.0.0.1", pause_s=120.0)),
        (Reply(503, {"Retry-After": "soon"}), Answer(False, "HTTP 503 from 127.0.0.1")),
    ],
)
def test_what_a_status_means(reply: Reply, expected: Answer) -> None:
    with Receiver(reply) as receiver:
        assert posted(receiver.url) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with Receiver() as other, Receiver(Reply(status, {"Location": other.url})) as receiver:
        answer = posted(receiver.url)
        assert (answer.taken, answer.final) == (False, False)
        assert "no redirect is followed" in answer.said
        assert other.received == []


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port meanwhile
        answer = posted(f"http://127.0.0.1:{taken.getsockname()[1]}/T0/B0/xyzzy")
    assert answer == Answer(False, "127.0.0.1 could not be reached: connection refused")


def test_a_name_nobody_has() -> None:
    for host in ("no-such-host.invalid", f"{'x' * 64}.invalid"):
        answer = posted(f"https://{host}/T0/B0/xyzzy")
        assert (answer.taken, answer.final) == (False, False)
        assert answer.said.startswith(f"{host} could not be reached: ")
        assert "xyzzy" not in answer.said


def test_who_does_not_answer_is_left_after_the_deadline() -> None:
    held = threading.Event()
    with Receiver(Reply(released=held)) as receiver:
        began = time.monotonic()
        answer = posted(receiver.url, seconds=0.3)
        assert time.monotonic() - began < 5
    assert answer == Answer(False, "127.0.0.1 did not answer within 0.3 s")


def test_who_answers_a_byte_now_and_then_is_left_after_the_deadline() -> None:
    """Each byte comes within a socket's own timeout, which begins anew with it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()
        dripping = threading.Thread(target=_drip, args=(server, ended))
        dripping.start()
        began = time.monotonic()
        answer = posted(f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.4)
        took = time.monotonic() - began
        ended.set()
        dripping.join()
    assert answer == Answer(False, "127.0.0.1 did not answer within 0.4 s")
    assert took < 5


def _drip(server: socket.socket, ended: threading.Event) -> None:
    peer, _ = server.accept()
    with peer:
        for byte in b"HTTP/1.1 " + b" " * 10_000:
            try:
                peer.send(bytes([byte]))
            except OSError:
                return
            if ended.wait(0.02):
                return


@pytest.mark.parametrize("said", [b"", b"220 mail.example.com ESMTP\r\n", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_who_speaks_another_protocol_is_told_apart_from_nobody(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        talking = threading.Thread(target=_say, args=(server, said))
        talking.start()
        answer = posted(f"http://127.0.0.1:{server.getsockname()[1]}/")
        talking.join()
    assert not answer.taken
    assert "another protocol" in answer.said or "connection reset" in answer.said


def _say(server: socket.socket, said: bytes) -> None:
    peer, _ = server.accept()
    with peer:
        peer.recv(65536)
        peer.sendall(said)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pems"))


@pytest.fixture(scope="module")
def server_side(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("server"))
    return context


def test_a_certificate_is_verified(
    authority: Authority, server_side: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver(tls=server_side) as receiver:
        url = f"https://localhost:{receiver.port}/hook"
        stranger = posted(url)
        assert not stranger.taken
        assert stranger.said.startswith("the certificate of localhost was not accepted: ")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
        assert posted(url) == Answer(True, "HTTP 200 from localhost")
        elsewhere = posted(f"https://127.0.0.1:{receiver.port}/hook")
        assert not elsewhere.taken
        assert elsewhere.said.startswith("the certificate of 127.0.0.1 was not accepted: ")
        assert len(receiver.received) == 1


def test_a_missing_or_unfit_secret_is_a_failure_that_names_its_place(tmp_path: Path) -> None:
    with Receiver() as receiver:
        for place, content, said in (
            (Secret(file=str(tmp_path / "none")), None, "cannot be read: no such file"),
            (Secret(file=str(tmp_path / "empty")), b"\n", "must hold a secret"),
            (Secret(file=str(tmp_path / "binary")), b"\xff\xfe" * 20, "no UTF-8 text"),
            (Secret(file=str(tmp_path / "large")), b"x" * 5000, "must hold a secret"),
            (Secret(file=str(tmp_path / "short")), b"hunter2", "at least 24 bytes"),
            (Secret(env="HEADGATE_SECRET_THAT_NOBODY_SET"), None, "is not set"),
        ):
            if content is not None:
                Path(place.file or "").write_bytes(content)
            answer = WebhookCourier(Webhook(receiver.url, place)).carry(delivery(), T0)
            assert (answer.taken, answer.final) == (False, False)
            assert said in answer.said
            assert "hunter2" not in answer.said
        assert receiver.received == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "xyzzy",
        "http://example.com/xyzzy",
        "https://u:xyzzy@example.com/",
        "https://exa mple/xyzzy",
        "ftp://a/xyzzy",
    ],
)
def test_an_address_that_may_not_be_used_is_not_repeated(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_SECRET_CHAT", address)
    answer = SlackCourier(Slack(Secret(env="HEADGATE_SECRET_CHAT"))).carry(delivery(), T0)
    assert not answer.taken
    assert "xyzzy" not in answer.said


def test_a_name_server_that_does_not_answer_is_left_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        asked.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    answer = posted("https://example.com/xyzzy", seconds=0.2)
    asked.set()
    assert answer == Answer(False, "example.com did not answer within 0.2 s")


def test_a_pipe_is_no_secret_and_keeps_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    place = Secret(file=str(tmp_path / "pipe"))
    answer = WebhookCourier(Webhook("https://example.com/hook", place)).carry(delivery(), T0)
    assert (answer.taken, "is a pipe" in answer.said) == (False, True)


def test_the_port_of_an_address_in_brackets_is_that_of_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connected(self: Deadline, host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
        asked.append((host, port))
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(Deadline, "connected", connected)
    for url in ("http://[::1]/hook", "http://[::1]:9/hook", "https://[2001:db8::1]/hook"):
        posted(url)
    assert asked == [("::1", 80), ("::1", 9), ("2001:db8::1", 443)]
