"""What an endpoint grants its models reaches their runtime hosts."""

import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from headgate.app.gateway import HOST_SECONDS, await_host
from headgate.app.hosts import LINGER_SECONDS, Hosts, host_socket
from headgate.errors import Unavailable
from headgate.registry.packages import Package, PackageStore
from headgate.runtimes.channel import connect, short_address
from headgate.runtimes.host import CALL_LIMIT
from headgate.settings import Home
from headgate.store.home import create_home
from headgate.testing.memory import MemoryTraffic
from headgate.testing.scripted import linear_package, scripted_package
from headgate.traffic.traffic import Member, Resources, Shadow, Traffic
from headgate.vocabulary import Digest

SHARED = [
    ([Resources()], ("0", CALL_LIMIT)),
    ([Resources(memory_mb=512, call_seconds=2.5)], ("512", 2.5)),
    ([Resources(512, 2.5), Resources(256, 90.0)], ("512", 90.0)),
    ([Resources(512, 2.5), Resources()], ("0", CALL_LIMIT)),
    ([Resources(None, 120.0), Resources(64)], ("0", 120.0)),
]


@pytest.mark.parametrize(("granted", "expected"), SHARED)
def test_a_shared_package_takes_the_largest(
    tmp_path: Path, granted: list[Resources], expected: tuple[str, float]
) -> None:
    home, traffic = create_home(tmp_path / "h"), MemoryTraffic()
    digest = f"sha256:{scripted_package(home.packages).name}"
    for place, each in enumerate(granted):
        members = [Member("m:1", digest, 1.0, proved=True)]
        traffic.swap(Traffic("default", f"e{place}", 1, "m:1", members, "salt", resources=each), 0)
    (child,) = Hosts(home, PackageStore(home.packages), traffic).wanted()
    words = dict(zip(child.argv, child.argv[1:], strict=False))
    assert (words["--memory-mb"], float(words["--call-limit"])) == expected


def test_a_package_that_cannot_be_opened_costs_no_other_its_host(tmp_path: Path) -> None:
    """`up` asks this several times a second; one broken package must not end what serves the others."""
    home, traffic, moment = create_home(tmp_path / "h"), MemoryTraffic(), [0.0]
    good = f"sha256:{scripted_package(home.packages).name}"
    broken = scripted_package(home.packages, value=7.0)
    missing = "sha256:" + "0" * 64
    script = broken / "model" / "script.json"
    kept = script.read_bytes()
    script.write_bytes(b"{}")
    for place, digest in enumerate((missing, f"sha256:{broken.name}", good)):
        members = [Member("m:1", digest, 1.0, proved=True)]
        traffic.swap(Traffic("default", f"e{place}", 1, "m:1", members, "salt"), 0)
    store = PackageStore(home.packages)
    opened: list[str] = []
    opens = store.open

    def watched(digest: Digest) -> Package:
        opened.append(digest)
        return opens(digest)

    store.open = watched  # type: ignore[method-assign]
    hosts = Hosts(home, store, traffic, now=lambda: moment[0])
    assert [each.name for each in hosts.wanted()] == [f"host {good[7:19]}"]
    assert len(hosts.wanted()) == 1
    assert len(opened) == 3, "looking reads all of a package, so it rests a while"
    script.write_bytes(kept)
    moment[0] = 6.0
    assert len(hosts.wanted()) == 2


def test_nobody_waits_for_a_host_that_is_asked_unheard(tmp_path: Path) -> None:
    home, traffic = create_home(tmp_path / "h"), MemoryTraffic()
    digests = [f"sha256:{linear_package(home.packages, 2, bias=bias).name}" for bias in (0.0, 1.0)]

    def weighs(revision: int, weight: float) -> None:
        weights = (1.0 - weight, weight)
        members = [Member(f"m:{at + 1}", digests[at], weights[at], proved=True) for at in range(2)]
        shadows = [Shadow("m:2", 1.0)]
        traffic.swap(Traffic("default", "e", revision, "m:1", members, "salt", shadows), revision - 1)

    hosts = Hosts(home, PackageStore(home.packages), traffic)
    for revision, weight in enumerate((0.0, 0.1, 0.0), 1):
        weighs(revision, weight)
        (child,) = hosts.wanted()
        assert child.unheard == (weight == 0.0)


def test_an_onnx_model_has_a_host_until_it_is_live(tmp_path: Path) -> None:
    home, traffic = create_home(tmp_path / "h"), MemoryTraffic()
    digests = [f"sha256:{linear_package(home.packages, 2, bias=bias).name}" for bias in (0.0, 1.0)]
    members = [Member(f"m:{at + 1}", each, 0.5, proved=True) for at, each in enumerate(digests)]
    traffic.swap(Traffic("default", "e", 1, "m:1", members, "salt"), 0)
    moment = [0.0]
    hosts = Hosts(home, PackageStore(home.packages), traffic, now=lambda: moment[0])
    assert [each.name for each in hosts.wanted()] == [f"host {digests[1][7:19]}"]
    traffic.swap(Traffic("default", "e", 2, "m:2", members, "salt"), 1)
    moment[0] = LINGER_SECONDS
    assert [each.name for each in hosts.wanted()] == [f"host {digests[0][7:19]}"]
    (child,) = hosts.wanted()
    assert child.argv[child.argv.index("--socket") + 1] == str(host_socket(home, digests[0]))
    assert dict(child.environment)["OMP_NUM_THREADS"] == "1"


def test_a_host_stays_until_gateways_have_taken_in_what_became_live(tmp_path: Path) -> None:
    """Until each has loaded the package it asks the host, for callers who wait."""
    home, traffic, moment = create_home(tmp_path / "h"), MemoryTraffic(), [0.0]
    live, candidate = (f"sha256:{linear_package(home.packages, 2, bias=bias).name}" for bias in (0.0, 1.0))
    hosts = Hosts(home, PackageStore(home.packages), traffic, now=lambda: moment[0])

    def publish(members: dict[str, str], lives: str) -> list[str]:
        revision = traffic.read()["default", "e"].revision if traffic.read() else 0
        kept = [Member(name, digest, float(name == lives), proved=True) for name, digest in members.items()]
        traffic.swap(Traffic("default", "e", revision + 1, lives, kept, "salt"), revision)
        return [each.name for each in hosts.wanted()]

    (name,) = publish({"m:1": live, "m:2": candidate}, "m:1")
    moment[0] = 100.0
    assert [each.name for each in hosts.wanted()] == [name]
    assert publish({"m:2": candidate}, "m:2") == [name]
    moment[0] += LINGER_SECONDS - 1
    assert [each.name for each in hosts.wanted()] == [name]
    moment[0] += 2
    assert hosts.wanted() == []
    assert publish({"m:1": live, "m:2": candidate}, "m:1") == [name]
    assert publish({"m:1": live}, "m:1") == [], "what was turned away has none"


def test_sockets_are_in_the_home_however_deep_it_lies(tmp_path: Path) -> None:
    """A folder that everybody may write to could be another user's before it is ours."""
    deep = Home(tmp_path / ("d" * 90) / "h")
    door = host_socket(deep, "sha256:" + "a" * 64)
    assert door == deep.run / "hosts" / f"{'a' * 12}.sock"
    door.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        with short_address(door) as address:
            listener.bind(address)
        listener.listen()
        connect(door).close()


def test_a_gateway_that_is_told_to_end_waits_for_no_host(tmp_path: Path) -> None:
    ending = threading.Event()
    begun = time.monotonic()
    threading.Timer(0.2, ending.set).start()
    with pytest.raises(Unavailable, match="this gateway ends"):
        await_host(tmp_path / "none.sock", ending)
    assert time.monotonic() - begun < HOST_SECONDS / 2
