"""Encrypted gRPC as Triton's own client speaks it: certificates that change, callers who must show one, and keys."""

import asyncio
import socket
import ssl as tls
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from grpc.experimental import session_cache
from tests.access.pems import Authority
from tests.gateway.conftest import SECRET
from tritonclient.utils import InferenceServerException

from headgate.access.grants import CallerRole
from headgate.access.keys import Key, digest_of, new_key
from headgate.app.certificates import Certificates
from headgate.gateway.rpc.grpcio import ThreadedServer
from headgate.vocabulary import Micros

ROWS = np.array([[0.1, 0.2, 0.3]], np.float32)
LIVE = "/inference.GRPCInferenceService/ServerLive"
NAMED = ("grpc.ssl_target_name_override", "localhost")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def serve_one(town: Any) -> None:
    town.serve_one()


async def asked(
    town: Any, ca: Path, shows: tuple[Path, Path] | None = None, *, ssl: bool = True, key: str = "", calls: int = 1
) -> list[str]:
    """How calls of a client of its own ended: ``OK`` or the name of the status."""

    def run() -> list[str]:
        # Two clients of the same options would share a connection.
        more = {} if shows is None else {"certificate_chain": str(shows[0]), "private_key": str(shows[1])}
        client = triton.InferenceServerClient(
            f"127.0.0.1:{town.gateway.grpc_port}",
            ssl=ssl,
            root_certificates=str(ca),
            channel_args=[NAMED, ("grpc.use_local_subchannel_pool", 1)],
            **more,
        )
        with client:
            return [ended(client, key) for _ in range(calls)]

    return await asyncio.to_thread(run)


def ended(client: Any, key: str) -> str:
    x = triton.InferInput("x", [1, 3], "FP32")
    x.set_data_from_numpy(ROWS)
    headers = {"authorization": f"Bearer {key}"} if key else None
    try:
        client.infer("e", [x], headers=headers, client_timeout=5.0)
    except InferenceServerException as error:
        return str(error.status()).removeprefix("StatusCode.")
    return "OK"


def served_name(town: Any, authority: Authority) -> str:
    """The common name in the certificate that a new connection is shown."""

    context = tls.create_default_context(cafile=str(authority.pem))
    context.set_alpn_protocols(["h2"])

    with (
        socket.create_connection(("127.0.0.1", town.gateway.grpc_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        subject: Any = (secure.getpeercert() or {})["subject"]
        return str(dict(part[0] for part in subject)["commonName"])


@pytest.mark.parametrize("together", [False, True], ids=["key beside it", "key in the same file"])
def test_callers_who_know_the_authority_are_answered(
    play_rpc: Any, authority: Authority, tmp_path: Path, together: bool
) -> None:
    cert, key = authority.certificate("server")
    if together:
        cert.write_bytes(key.read_bytes() + cert.read_bytes())
    certificates = Certificates(cert, None if together else key)
    other = Authority(tmp_path, "others")

    async def scene(town: Any) -> None:
        assert await asked(town, authority.pem, calls=2) == ["OK", "OK"]
        assert await asked(town, other.pem) == ["UNAVAILABLE"]
        assert await asked(town, authority.pem, ssl=False) == ["UNAVAILABLE"]
        assert len(town.journal.answers) == 2

    play_rpc(serve_one, scene, pems=certificates.pems)


def test_a_new_certificate_serves_new_connections_and_old_ones_go_on(play_rpc: Any, authority: Authority) -> None:
    cert, key = authority.certificate("first", "server")
    certificates = Certificates(cert, key)

    async def scene(town: Any) -> None:
        made = grpc.ssl_channel_credentials(authority.pem.read_bytes())
        address = f"127.0.0.1:{town.gateway.grpc_port}"
        async with grpc.aio.secure_channel(address, made, options=[NAMED]) as channel:
            live = channel.unary_unary(LIVE)
            assert await live(b"") == b"\x08\x01"
            assert await asyncio.to_thread(served_name, town, authority) == "first"
            authority.certificate("second", "server")
            assert certificates.look()
            assert await asyncio.to_thread(served_name, town, authority) == "second"
            assert await live(b"") == b"\x08\x01"
            cert.write_text("half a fi")
            assert not certificates.look()
            assert await asyncio.to_thread(served_name, town, authority) == "second"
            assert await asked(town, authority.pem) == ["OK"]

    play_rpc(serve_one, scene, pems=certificates.pems)


def test_callers_must_show_a_certificate_of_the_authority(play_rpc: Any, authority: Authority, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem.read_bytes())
    certificates = Certificates(*authority.certificate("server"), trusted)
    others = Authority(tmp_path, "others")
    ours, theirs = authority.certificate("till"), others.certificate("till", "theirs")

    async def scene(town: Any) -> None:
        assert await asked(town, authority.pem, ours) == ["OK"]
        assert await asked(town, authority.pem) == ["UNAVAILABLE"]
        assert await asked(town, authority.pem, theirs) == ["UNAVAILABLE"]
        trusted.write_bytes(others.pem.read_bytes())
        assert certificates.look()
        assert await asked(town, authority.pem, ours) == ["UNAVAILABLE"]
        assert await asked(town, authority.pem, theirs) == ["OK"]

    play_rpc(serve_one, scene, pems=certificates.pems)


def a_till(**more: Any) -> tuple[Key, str]:
    id_, text = new_key()
    roles, scopes = (CallerRole.PREDICT,), ("default/e",)
    return Key(id_, "default", "till", digest_of(text, SECRET), roles, scopes, Micros(0), **more), text


def closed_by(key: Key) -> Callable[[Any], None]:
    def prepare(town: Any) -> None:
        town.serve_one()
        town.keys.publish([key])

    return prepare


def test_a_certificates_name_is_a_keys_name(play_rpc: Any, authority: Authority) -> None:
    certificates = Certificates(*authority.certificate("server"), authority.pem)
    key, text = a_till(rate=0.5, burst=1.0)

    async def scene(town: Any) -> None:
        known, unknown = authority.certificate("till"), authority.certificate("other")
        with_its_rate = await asked(town, authority.pem, known, calls=2)
        assert with_its_rate == ["OK", "RESOURCE_EXHAUSTED"]
        assert await asked(town, authority.pem, unknown) == ["UNAUTHENTICATED"]
        assert await asked(town, authority.pem, unknown, key=text) == ["RESOURCE_EXHAUSTED"]
        assert await asked(town, authority.pem, known, key="hg_x_y") == ["UNAUTHENTICATED"]

    play_rpc(closed_by(key), scene, pems=certificates.pems)


def test_a_name_nobody_asked_for_opens_nothing(play_rpc: Any, authority: Authority) -> None:
    """Callers may show certificates that are not wanted; nobody has verified those."""
    certificates = Certificates(*authority.certificate("server"))
    key, text = a_till()

    async def scene(town: Any) -> None:
        assert await asked(town, authority.pem, authority.certificate("till")) == ["UNAUTHENTICATED"]
        assert await asked(town, authority.pem, key=text) == ["OK"]

    play_rpc(closed_by(key), scene, pems=certificates.pems)


def test_a_session_is_not_resumed_beyond_its_authority(play_rpc: Any, authority: Authority, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem.read_bytes())
    certificates = Certificates(*authority.certificate("server"), trusted)
    chain, key = (each.read_bytes() for each in authority.certificate("till"))

    async def scene(town: Any) -> None:
        made = grpc.ssl_channel_credentials(authority.pem.read_bytes(), key, chain)
        kept = session_cache.ssl_session_cache_lru(8)
        options = [NAMED, ("grpc.use_local_subchannel_pool", 1), ("grpc.ssl_session_cache", kept)]

        async def lives() -> bool:
            address = f"127.0.0.1:{town.gateway.grpc_port}"
            async with grpc.aio.secure_channel(address, made, options=options) as channel:
                try:
                    return bool(await channel.unary_unary(LIVE)(b"", timeout=5) == b"\x08\x01")
                except grpc.aio.AioRpcError:
                    return False

        assert [await lives() for _ in range(3)] == [True] * 3
        trusted.write_bytes(Authority(tmp_path, "others").pem.read_bytes())
        assert certificates.look()
        assert [await lives() for _ in range(3)] == [False] * 3

    play_rpc(serve_one, scene, pems=certificates.pems)


def test_workers_share_an_encrypted_port(play_rpc: Any, authority: Authority) -> None:
    certificates = Certificates(*authority.certificate("server"))

    async def scene(town: Any) -> None:
        port = town.gateway.grpc_port
        other = ThreadedServer("127.0.0.1", port, body_limit=1024, pems=certificates.pems)
        assert other.start(town.gateway._rpc[1]) == port
        assert {(await asked(town, authority.pem))[0] for _ in range(8)} == {"OK"}
        await other.stop(1.0)

    play_rpc(serve_one, scene, pems=certificates.pems)
