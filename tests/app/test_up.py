"""What `headgate up` refuses before it starts anything, and what it says once it answers."""

import contextlib
import socket
from pathlib import Path

import pytest

from headgate.app.up import _Announcement, _flags, _greeting, _write_addresses, gateway_address, up
from headgate.client import connect
from headgate.errors import BadConfiguration, HomeInUse
from headgate.settings import Home, Settings
from headgate.store.home import claim, create_home
from headgate.store.keyfiles import FileKeys
from headgate.store.reports import FileReports
from headgate.testing.conformance_store import a_key
from headgate.testing.installation import free_ports


def settings(root: Path, **changed: object) -> Settings:
    port, control, metrics = free_ports(3)
    words: dict[str, object] = {"port": port, "control_port": control, "metrics_port": metrics, "workers": 1}
    words["grpc_port"] = 0
    return Settings(Home(root), **{**words, **changed})  # type: ignore[arg-type] # each is a field of Settings


def nothing_said(line: str) -> None:
    raise AssertionError(f"it began: {line}")


def test_two_doors_on_one_port_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="--control-port"):
        up(settings(tmp_path / "h", port=21000, control_port=21000), said=nothing_said)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BadConfiguration, match=r"--metrics-port: .*already in use"):
            up(settings(tmp_path / "h", metrics_port=other.getsockname()[1]), said=nothing_said)


def test_a_taken_port_of_the_other_family_is_named_too(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with contextlib.closing(socket.socket(socket.AF_INET6)) as other:
        other.bind(("::1", 0))
        other.listen()
        with pytest.raises(BadConfiguration, match=r"--metrics-port: .*already in use"):
            up(settings(tmp_path / "h", host="::1", metrics_port=other.getsockname()[1]), said=nothing_said)


def test_local_verbs_find_an_installation_whatever_its_family(tmp_path: Path) -> None:
    home = create_home(tmp_path / "h")
    for host, written in (("::1", "http://[::1]:"), ("127.0.0.1", "http://127.0.0.1:")):
        _write_addresses(home, settings(home.root, host=host))
        address = gateway_address(home)
        assert address is not None
        assert address.startswith(written)
        connect(address)


def test_a_home_has_one_supervisor(tmp_path: Path) -> None:
    home = create_home(tmp_path / "h")
    with claim(home.run / "up.lock"), pytest.raises(HomeInUse):
        up(settings(home.root), said=nothing_said)


def test_readiness_is_said_once_with_what_to_do_next(tmp_path: Path) -> None:
    home, said = create_home(tmp_path / "h"), list[str]()
    announcing = _Announcement(home, settings(home.root), said.append)
    announcing.look()
    assert said == []
    FileReports(home.run / "workers").report("w0", {})
    announcing.look()
    announcing.look()
    assert [line.partition(" ")[0] for line in said] == ["ready", "next,"]
    assert "no endpoint yet" in said[0]
    assert "headgate register" in said[1]


def test_children_of_an_exposed_installation_are_told_that_it_was_said(tmp_path: Path) -> None:
    exposed = settings(tmp_path, host="0.0.0.0", insecure=True)  # noqa: S104 - never listened on
    assert "--insecure" in _flags(exposed)
    assert "--insecure" not in _flags(settings(tmp_path, host="0.0.0.0"))  # noqa: S104 - never listened on


def test_children_are_told_where_the_certificates_are(tmp_path: Path) -> None:
    flags = _flags(settings(tmp_path, tls_cert=Path("c.pem"), tls_client_ca=Path("ca.pem")))
    assert flags[flags.index("--tls-cert") :] == ["--tls-cert", "c.pem", "--tls-client-ca", "ca.pem"]


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"tls_cert": Path("none.pem")}, "--tls-cert"),
        ({"tls_key": Path("k.pem")}, "--tls-key"),
        ({"tls_client_ca": Path("ca.pem")}, "--tls-client-ca"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(tmp_path: Path, changed: dict[str, object], flag: str) -> None:
    with pytest.raises(BadConfiguration, match=flag):
        up(settings(tmp_path / "h", **changed), said=nothing_said)


def test_it_says_in_one_line_who_may_call(tmp_path: Path) -> None:
    home = create_home(tmp_path / "h")

    def said() -> str:
        (line,) = [each for each in _greeting(home, settings(home.root)) if each.startswith("callers")]
        return line

    assert "everybody on this machine may predict, label and read" in said()
    FileKeys(home.keys).publish(lambda: [a_key("k1")])
    assert said().endswith("must show a key or a token")
