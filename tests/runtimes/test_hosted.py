"""The runtime host and its clients: whatever a model does in there, callers get an answer or a named failure."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import uvloop

from headgate.errors import FailureKind, RuntimeFailed
from headgate.runtimes.host import NO_MEMORY
from headgate.runtimes.hosted import HostedPlacement, HostedRuntime
from headgate.runtimes.open import host_command
from headgate.runtimes.ports import Outputs
from headgate.testing.conformance_runtime import check_placement, check_runtime
from headgate.testing.scripted import scripted_package

from .conftest import STARTS_WITHIN, Host, HostStarter, echo_feeds, hosting, linear_feeds, opened

T = TypeVar("T")
LOOPS: dict[str, Callable[[Any], Any]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}


def with_placement(socket: Path, body: Callable[[HostedPlacement], Awaitable[T]], **options: Any) -> T:
    async def main() -> T:
        placement = HostedPlacement(socket, **options)
        try:
            await placement.ready(STARTS_WITHIN)
            return await body(placement)
        finally:
            await placement.close()

    return asyncio.run(main())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("shared_from", [1, 1 << 22])
def test_a_hosted_package_keeps_every_promise_of_a_placement(linear_host: Host, loop: str, shared_from: int) -> None:
    def make() -> HostedPlacement:
        return HostedPlacement(linear_host.socket, shared_from=shared_from)

    LOOPS[loop](check_placement(make, linear_feeds(6)))


def test_a_host_called_and_waited_for_keeps_every_promise_of_a_runtime(start_host: HostStarter) -> None:
    host = start_host("echo")
    check_runtime(lambda: HostedRuntime(host.socket), echo_feeds(1.0, 2.0, 3.0, 4.0))


def test_hosted_and_in_process_answers_are_the_same(linear: Path, linear_host: Host) -> None:
    feeds = linear_feeds(300)
    here, client = opened(linear).run(feeds), HostedRuntime(linear_host.socket)
    there = client.run(feeds)
    client.close()
    assert here.prediction.tolist() == there.prediction.tolist()
    assert here.scores is not None
    assert there.scores is not None
    np.testing.assert_array_equal(here.scores, there.scores)
    np.testing.assert_array_equal(here.arrays["probabilities"], there.arrays["probabilities"])


def test_calls_that_wait_together_share_one_call_of_the_model_and_keep_their_rows(start_host: HostStarter) -> None:
    async def body(placement: HostedPlacement) -> list[Outputs]:
        first = asyncio.create_task(placement.run(echo_feeds(0.0)))
        await asyncio.sleep(0.05)  # the model is at work; what comes now waits
        return await asyncio.gather(first, *(placement.run(echo_feeds(*[float(n)] * n)) for n in range(1, 20)))

    host = start_host("slow", seconds=0.3)
    begun = time.monotonic()
    found = with_placement(host.socket, body)
    assert time.monotonic() - begun < 20 * 0.3 / 2  # one after the other they would take 20 x 0.3 s
    for number, outputs in enumerate(found[1:], start=1):
        assert outputs.prediction.tolist() == [float(number)] * number


def test_a_bad_row_fails_its_own_caller_and_nobody_beside_it(start_host: HostStarter) -> None:
    async def body(placement: HostedPlacement) -> list[Outputs | BaseException]:
        firsts = [1.0, -2.0, 3.0, -4.0, 5.0] * 5
        return await asyncio.gather(*(placement.run(echo_feeds(each)) for each in firsts), return_exceptions=True)

    found = with_placement(start_host("failing_on_negative").socket, body)
    for place, each in enumerate(found):
        if place % 5 in (1, 3):
            assert isinstance(each, RuntimeFailed)
            assert "ValueError: scripted to fail on a negative first field" in str(each)
        else:
            assert isinstance(each, Outputs)
            assert each.prediction.tolist() == [[1.0, -2.0, 3.0, -4.0, 5.0][place % 5]]


@pytest.mark.parametrize(
    ("behaviour", "kind", "says"),
    [
        ("failing", FailureKind.RAISED, "the model raised ValueError: scripted to fail"),
        ("wrong_rows", FailureKind.OTHER, "has 1 rows, asked were 2"),
        ("not_finite", FailureKind.OTHER, "is not finite"),
    ],
)
def test_a_model_that_errs_fails_the_call_and_the_host_goes_on(
    start_host: HostStarter, behaviour: str, kind: FailureKind, says: str
) -> None:
    host = start_host(behaviour)
    client = HostedRuntime(host.socket)
    for _ in range(3):
        with pytest.raises(RuntimeFailed, match=says) as caught:
            client.run(echo_feeds(1.0, 2.0))
        assert caught.value.kind is kind
    client.close()
    assert host.process.poll() is None


def test_a_model_that_dies_fails_every_call_under_way_at_once(start_host: HostStarter) -> None:
    async def body(placement: HostedPlacement) -> list[Outputs | BaseException]:
        return await asyncio.gather(*(placement.run(echo_feeds(1.0)) for _ in range(8)), return_exceptions=True)

    host = start_host("dying")
    begun = time.monotonic()
    found = with_placement(host.socket, body)
    assert time.monotonic() - begun < 5.0
    assert all(isinstance(each, RuntimeFailed) for each in found)
    assert host.process.wait(10) == 3


def test_a_model_that_hangs_costs_its_caller_no_more_than_the_budget_and_its_host_the_call_limit(
    start_host: HostStarter,
) -> None:
    host = start_host("hanging", call_limit=1.0)

    async def body(placement: HostedPlacement) -> None:
        begun = time.monotonic()
        with pytest.raises(RuntimeFailed, match=r"did not answer within 0\.1 s"):
            await placement.run(echo_feeds(1.0), budget=0.1)
        assert time.monotonic() - begun < 0.9
        assert placement.under_way == 0

    with_placement(host.socket, body)
    assert host.process.wait(10) == -signal.SIGALRM


def test_a_model_that_leaks_meets_its_limit_and_not_the_machines(start_host: HostStarter) -> None:
    host = start_host("leaking", leak_bytes=64 << 20, memory_mb=512)
    client = HostedRuntime(host.socket)
    found = [_said(client) for _ in range(16)]
    client.close()
    answered = found.index(None) if None in found else len(found)
    assert 1 <= answered < 8  # 512 MiB hold no eight hoards of 64


def test_a_model_that_has_used_up_its_memory_is_ended_so_that_another_may_begin(start_host: HostStarter) -> None:
    host = start_host("leaking", leak_bytes=64 << 20, memory_mb=512)
    client = HostedRuntime(host.socket)
    for _ in range(16):
        _said(client)
        if host.process.poll() is not None:
            break
    client.close()
    assert host.process.wait(10) == NO_MEMORY


def _said(client: HostedRuntime) -> float | None:
    try:
        return float(client.run(echo_feeds(1.0)).prediction[0])
    except RuntimeFailed as error:
        return None if "MemoryError" in str(error) or "died" in str(error) else -1.0


def test_after_a_death_calls_fail_fast_and_a_new_host_is_found(tmp_path: Path) -> None:
    package, socket = scripted_package(tmp_path / "packages", "echo"), tmp_path / "s"

    async def main() -> None:
        placement = HostedPlacement(socket)
        with hosting(package, socket) as host:
            assert (await placement.run(echo_feeds(5.0))).prediction.tolist() == [5.0]
            host.process.kill()
            host.process.wait(10)
            begun = time.monotonic()
            for _ in range(20):
                with pytest.raises(RuntimeFailed):
                    await placement.run(echo_feeds(5.0))
            assert time.monotonic() - begun < 1.0
        with hosting(package, socket):
            await placement.ready(STARTS_WITHIN)
            assert (await placement.run(echo_feeds(6.0))).prediction.tolist() == [6.0]
        await placement.close()

    asyncio.run(main())


def test_in_a_pause_nobody_knocks(tmp_path: Path) -> None:
    moments = [0.0]

    async def main() -> None:
        placement = HostedPlacement(tmp_path / "nobody", now=lambda: moments[0])
        for moment in (0.0, 0.01, 0.06, 0.07):
            moments[0] = moment
            with pytest.raises(RuntimeFailed, match="not there yet"):
                await placement.run(echo_feeds(1.0))
        await placement.close()

    asyncio.run(main())


def test_a_caller_that_gave_up_is_not_computed_for(start_host: HostStarter) -> None:
    async def body(placement: HostedPlacement) -> float:
        first = asyncio.create_task(placement.run(echo_feeds(0.0)))
        await asyncio.sleep(0.05)
        # Batches too large to be joined, so that each would take the model a call of its own.
        rows = [1.0] * 900
        abandoned = [asyncio.create_task(placement.run(echo_feeds(*rows))) for _ in range(10)]
        await asyncio.sleep(0.05)
        for each in abandoned:
            each.cancel()
        await first
        begun = time.monotonic()
        await placement.run(echo_feeds(2.0))
        return time.monotonic() - begun

    assert with_placement(start_host("slow", seconds=0.4).socket, body) < 5 * 0.4


def test_a_loop_that_rests_goes_on_when_the_host_answers(start_host: HostStarter) -> None:
    async def body(placement: HostedPlacement) -> float:
        call = asyncio.create_task(placement.run(echo_feeds(1.0)))
        await asyncio.sleep(0)
        assert placement.rest(0.01), "it is still at work"
        begun = time.monotonic()
        assert placement.rest(30)
        rested = time.monotonic() - begun
        await call
        return rested

    assert with_placement(start_host("slow", seconds=0.2).socket, body) < 10


def test_the_socket_appears_with_the_model_ready_and_goes_with_the_host(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / "s.sock"  # longer than the kernel takes
    package = scripted_package(tmp_path / "packages", "echo")
    with hosting(package, deep) as host:
        client = HostedRuntime(deep)
        assert client.run(echo_feeds(3.0)).prediction.tolist() == [3.0]
        client.close()
        assert deep.stat().st_mode & 0o077 == 0
    assert host.process.returncode == 0
    assert not deep.exists()
    assert list(deep.parent.iterdir()) == []


def test_a_host_leaves_its_package_as_it_was(tmp_path: Path) -> None:
    package = scripted_package(tmp_path / "packages", "echo")
    before = sorted(package.rglob("*"))
    with hosting(package, tmp_path / "s"):
        pass
    assert sorted(package.rglob("*")) == before


def test_a_package_that_changed_is_not_served(tmp_path: Path) -> None:
    package = scripted_package(tmp_path / "packages", "echo")
    (package / "model" / "model.py").write_text("print('somebody was here')\n")
    done = subprocess.run(
        host_command(package, tmp_path / "s"), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 65
    assert "model/model.py changed after registration" in done.stderr
    assert "somebody was here" not in done.stdout
    assert not (tmp_path / "s").exists()


def test_a_host_ends_with_its_parent(tmp_path: Path) -> None:
    package, socket = scripted_package(tmp_path / "packages", "hanging"), tmp_path / "s"
    parent = (
        "import sys; from pathlib import Path; from headgate.runtimes.open import spawn_host\n"
        "host = spawn_host(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(host.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", parent, str(package), str(socket)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        client = HostedRuntime(socket, call_timeout=0.2)
        client.ready(STARTS_WITHIN)
        with pytest.raises(RuntimeFailed):  # from here on it hangs in its model
            client.run(echo_feeds(1.0))
        client.close()
        process.kill()
    end = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
