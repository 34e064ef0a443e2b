"""Encrypted connections on a real socket: certificates that change, and callers who must show one."""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.access.pems import Authority
from tests.gateway.conftest import SECRET, Caller

from headgate.access.grants import CallerRole
from headgate.access.keys import Key, digest_of, new_key
from headgate.app.certificates import Certificates
from headgate.vocabulary import Micros

BODY = json.dumps({"rows": [{"f0": 0.1, "f1": 0.2, "f2": 0.3}]}).encode()
PREDICT = "/v1/endpoints/e/predict"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def trusting(authority: Authority, shows: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.pem))
    if shows is not None:
        context.load_cert_chain(*shows)
    return context


async def call(town: Any, context: ssl.SSLContext) -> Caller:
    caller = Caller(*await asyncio.open_connection("127.0.0.1", town.port, ssl=context, server_hostname="localhost"))
    town.callers.append(caller)
    return caller


def common_name(caller: Caller) -> str:
    subject = caller.writer.get_extra_info("peercert")["subject"]
    return str(dict(each[0] for each in subject)["commonName"])


def serve_one(town: Any) -> None:
    town.serve_one()


def test_a_new_certificate_serves_new_connections_and_old_ones_go_on(play: Any, authority: Authority) -> None:
    cert, key = authority.certificate("first", "server")
    certificates = Certificates(cert, key)

    async def scene(town: Any) -> None:
        old = await call(town, trusting(authority))
        assert (common_name(old), (await old.ask("POST", PREDICT, BODY)).status) == ("first", 200)
        assert not certificates.look()
        authority.certificate("second", "server")
        assert certificates.look()
        new = await call(town, trusting(authority))
        assert (common_name(new), (await new.ask("POST", PREDICT, BODY)).status) == ("second", 200)
        assert (await old.ask("POST", PREDICT, BODY)).status == 200
        cert.write_text("half a fi")
        assert not certificates.look()
        assert common_name(await call(town, trusting(authority))) == "second"

    play(serve_one, scene, tls=certificates.context)


def test_plain_http_is_not_answered_on_an_encrypted_port(play: Any, authority: Authority) -> None:
    certificates = Certificates(*authority.certificate("server"))

    async def scene(town: Any) -> None:
        caller = await town.call()
        caller.send("GET", "/livez")
        assert not (await caller.ended()).startswith(b"HTTP")
        assert (await (await call(town, trusting(authority))).ask("GET", "/livez")).status == 200

    play(serve_one, scene, tls=certificates.context)


def test_callers_must_show_a_certificate_of_the_authority(play: Any, authority: Authority, tmp_path: Path) -> None:
    certificates = Certificates(*authority.certificate("server"), authority.pem)
    stranger = Authority(tmp_path, "strangers").certificate("till", "stranger")

    async def scene(town: Any) -> None:
        good = await call(town, trusting(authority, authority.certificate("till")))
        assert (await good.ask("POST", PREDICT, BODY)).status == 200
        for shows in (None, stranger):
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await (await call(town, trusting(authority, shows))).ask("GET", "/livez")

    play(serve_one, scene, tls=certificates.context)


def test_another_authority_is_obeyed_by_new_connections(play: Any, authority: Authority, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem.read_bytes())
    certificates = Certificates(*authority.certificate("server"), trusted)
    other = Authority(tmp_path, "others")

    async def scene(town: Any) -> None:
        ours, theirs = authority.certificate("till"), other.certificate("till", "theirs")
        old = await call(town, trusting(authority, ours))
        assert (await old.ask("GET", "/livez")).status == 200
        trusted.write_bytes(other.pem.read_bytes())
        assert certificates.look()
        assert (await (await call(town, trusting(authority, theirs))).ask("GET", "/livez")).status == 200
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await (await call(town, trusting(authority, ours))).ask("GET", "/livez")
        assert (await old.ask("GET", "/livez")).status == 200

    play(serve_one, scene, tls=certificates.context)


def shaken(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends, the client's first, of a connection that stands; raises SSLError when either refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for each in (ours, theirs):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
    theirs.write(b"served")
    assert ours.read(6) == b"served", "and any tickets with it"
    return ours, theirs


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_of_an_authority_taken_away_is_not_taken_up_again(
    authority: Authority, tmp_path: Path, newest: ssl.TLSVersion
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.pem.read_bytes())
    certificates = Certificates(*authority.certificate("server"), trusted)
    client = trusting(authority, authority.certificate("till"))
    client.maximum_version = newest
    stands = None  # whoever lets a connection fall without a word forgets its session
    with suppress(ssl.SSLError):
        stands = shaken(certificates.context, client)
    trusted.write_bytes(Authority(tmp_path, "others").pem.read_bytes())
    assert certificates.look()
    with pytest.raises(ssl.SSLError):
        shaken(certificates.context, client, None if stands is None else stands[0].session)
    assert (stands is None) is (newest is ssl.TLSVersion.TLSv1_2), "whose sessions cannot be kept from being taken up"


def test_a_certificates_name_is_a_keys_name(play: Any, authority: Authority) -> None:
    certificates = Certificates(*authority.certificate("server"), authority.pem)
    id_, text = new_key()
    till = Key(
        id_, "default", "till", digest_of(text, SECRET), (CallerRole.PREDICT,), ("default/e",), Micros(0), rate=0.5,
        burst=1.0,
    )  # fmt: skip

    def prepare(town: Any) -> None:
        town.serve_one()
        town.keys.publish([till])

    async def scene(town: Any) -> None:
        known = await call(town, trusting(authority, authority.certificate("till")))
        unknown = await call(town, trusting(authority, authority.certificate("other")))
        statuses = [(await known.ask("POST", PREDICT, BODY)).status for _ in range(2)]
        assert statuses == [200, 429], "with the key's rights and its rate"
        assert (await unknown.ask("POST", PREDICT, BODY)).status == 401
        assert (await unknown.ask("POST", PREDICT, BODY, f"Authorization: Bearer {text}")).status == 429
        assert (await known.ask("POST", PREDICT, BODY, "Authorization: Bearer hg_x_y")).status == 401

    play(prepare, scene, tls=certificates.context)
