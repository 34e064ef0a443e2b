"""A whole installation on encrypted ports: callers, the control API, and a certificate that is replaced meanwhile."""

import contextlib
import http.client
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
from tests.access.pems import Authority

from headgate.app.up import gateway_address
from headgate.settings import Home
from headgate.supervisor.parent import die_with_parent
from headgate.supervisor.supervisor import headgate_argv
from headgate.testing.installation import free_ports


@contextlib.contextmanager
def serving(home: Path, ports: list[int], *words: str) -> Iterator[None]:
    """``headgate up`` on `home` until the block ends."""
    flags = [word for name, port in zip(("port", "control-port", "metrics-port", "grpc-port"), ports, strict=True)
             for word in (f"--{name}", str(port))]  # fmt: skip
    with (home.parent / "up.log").open("wb") as log:
        process = subprocess.Popen(
            headgate_argv("up", "--home", str(home), "--workers", "1", *flags, *words),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one call of the kernel, no locks
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def status(port: int, path: str, context: ssl.SSLContext) -> tuple[int, str]:
    """(status, the server's common name); zeros when nobody answers."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
    try:
        connection.request("GET", path)
        assert isinstance(connection.sock, ssl.SSLSocket)
        certificate = connection.sock.getpeercert() or {}
        subject = dict(part[0] for part in certificate["subject"])  # type: ignore[misc] # a tuple of tuples
        return connection.getresponse().status, str(subject["commonName"])
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def grpc_lives(port: int, ca: Path, shows: tuple[Path, Path] | None) -> bool:
    """Whether the inference service answers a caller who trusts `ca` and shows that certificate with its key."""
    cert, key = (None, None) if shows is None else (each.read_bytes() for each in shows)
    made = grpc.ssl_channel_credentials(ca.read_bytes(), key, cert)
    options = [("grpc.ssl_target_name_override", "localhost"), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(f"127.0.0.1:{port}", made, options=options) as channel:
        try:
            return bool(
                channel.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"", timeout=10) == b"\x08\x01"
            )
        except grpc.RpcError:
            return False


def is_served(port: int, path: str, context: ssl.SSLContext, name: str) -> bool:
    return status(port, path, context) == (200, name)


@pytest.mark.parametrize("asks", [False, True], ids=["callers show none", "callers show one"])
def test_both_ports_follow_the_certificate(tmp_path: Path, asks: bool) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.certificate("first", "server")
    home, ports = tmp_path / "h", free_ports(4)
    words = ["--tls-cert", str(cert), "--tls-key", str(key)]
    trusting = ssl.create_default_context(cafile=str(authority.pem))
    if asks:
        words += ["--tls-client-ca", str(authority.pem)]
        trusting.load_cert_chain(*authority.certificate("caller"))
    with serving(home, ports, *words):
        doors = ((ports[0], "/readyz"), (ports[1], "/livez"))
        for port, path in doors:
            until(partial(is_served, port, path, trusting, "first"))
        address = gateway_address(Home(home))
        assert address is not None
        assert address.startswith("https://")
        if asks:
            nobody = ssl.create_default_context(cafile=str(authority.pem))
            assert [status(port, path, nobody)[0] for port, path in doors] == [0, 0]
        call = partial(grpc_lives, ports[3], authority.pem, authority.certificate("caller") if asks else None)
        assert call()
        assert not grpc_lives(ports[3], Authority(tmp_path, "others").pem, None)
        authority.certificate("second", "server")
        assert call()
        for port, path in doors:
            until(partial(is_served, port, path, trusting, "second"), 10.0)
