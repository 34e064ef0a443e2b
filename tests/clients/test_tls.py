"""Both clients over TLS: whom they believe, and who they are."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.conftest import Make
from tests.clients.weir import reply, whole

from headgate_client import NoReply, Prediction, Retries, Tls

pytestmark = pytest.mark.full

ANSWER = {"predictions": [{"id": "i", "version": "m:1", "prediction": 1}]}
ONCE = Retries(attempts=1)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, as ``both.pem``, ``certificate.pem`` and ``key.pem``."""
    folder = tmp_path_factory.mktemp("papers")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(["openssl", *words, *names, *files], check=True, capture_output=True, timeout=60)
    (folder / "both.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return folder


@contextlib.contextmanager
def served(papers: Path, *, asks_who: bool = False) -> Iterator[str]:
    """The address of a server that has one answer and, where told, asks callers for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(papers / "certificate.pem", papers / "key.pem")
    if asks_who:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(papers / "certificate.pem")
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:  # closed: the test is over
                return
            with caller:
                caller.settimeout(10)
                # A caller that does not believe the certificate, or has none, ends the handshake.
                with contextlib.suppress(OSError), context.wrap_socket(caller, server_side=True) as secure:
                    if whole(secure):
                        secure.sendall(reply(200, ANSWER))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(15)


def test_a_stranger_is_not_believed(make: Make, papers: Path) -> None:
    with served(papers) as url:
        for tls in (None, Tls()):
            with (
                make(url, retries=ONCE, tls=tls, key="s3cret") as client,
                pytest.raises(NoReply, match=r"(?i)certificate"),
            ):
                client.predict("e", [{}])


def test_a_named_authority_is_believed_and_so_is_anybody_when_told(make: Make, papers: Path) -> None:
    with served(papers) as url:
        for tls in (Tls(ca=papers / "certificate.pem"), Tls(verify=False)):
            with make(url, retries=ONCE, tls=tls) as client:
                assert client.predict("e", [{}]).rows == (Prediction("i", "m:1", 1),)


def test_a_certificate_says_who_asks(make: Make, papers: Path) -> None:
    ca = papers / "certificate.pem"
    with served(papers, asks_who=True) as url:
        for tls in (Tls(ca, papers / "both.pem"), Tls(ca, ca, papers / "key.pem")):
            with make(url, retries=ONCE, tls=tls) as client:
                assert client.predict("e", [{}]).is_complete
        with make(url, retries=ONCE, tls=Tls(ca)) as client, pytest.raises(NoReply):
            client.predict("e", [{}])
