"""What an endpoint grants its models reaches their runtime hosts."""

from pathlib import Path

import pytest

from headgate.app.hosts import Hosts
from headgate.registry.packages import PackageStore
from headgate.runtimes.host import CALL_LIMIT
from headgate.store.home import create_home
from headgate.testing.memory import MemoryTraffic
from headgate.testing.scripted import scripted_package
from headgate.traffic.traffic import Member, Resources, Traffic

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
