"""The loop's client of a runtime host, beside a host that says exactly what a test wants."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from headgate.errors import FailureKind, RuntimeFailed
from headgate.runtimes import hosted
from headgate.runtimes.channel import Channel
from headgate.runtimes.failure import failed
from headgate.runtimes.hosted import BACKOFF, OUTSTANDING, HostedPlacement
from headgate.runtimes.ports import Outputs
from headgate.runtimes.wire import PREFIX, Head, Kind, Packed, pack_done, pack_failed

ROWS = {"x": np.array([[1.0], [2.0]])}


def answer(*rows: float) -> Outputs:
    return Outputs(np.array(rows), None, {}, 7)


class Puppet:
    """A host whose every word is a test's; it lives on the same loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.listener.setblocking(False)
        self.channels: list[Channel] = []
        self.heard: list[Any] = []

    async def accepted(self) -> Channel:
        connection, _ = await asyncio.get_running_loop().sock_accept(self.listener)
        self.channels.append(Channel(connection))
        return self.channels[-1]

    async def hear(self, channel: Channel, count: int = 1) -> list[Any]:
        """The next frames of that caller."""
        found: list[Any] = []
        async with asyncio.timeout(10):
            while len(found) < count:
                found += channel.receive()
                await asyncio.sleep(0.001)
        return [each.head for each in found]

    def close(self) -> None:
        self.listener.close()
        for each in self.channels:
            each.close()


def play(tmp_path: Path, scene: Callable[[HostedPlacement, Puppet], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        puppet = Puppet(tmp_path / "host.sock")
        placement = HostedPlacement(puppet.path, **settings)
        try:
            async with asyncio.timeout(20):
                await scene(placement, puppet)
        finally:
            await placement.close()
            await placement.close()
            puppet.close()

    asyncio.run(main())


def test_answers_find_their_calls_in_any_order(tmp_path: Path) -> None:
    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        calls = [asyncio.ensure_future(placement.run(ROWS)) for _ in range(3)]
        channel = await puppet.accepted()
        heads = await puppet.hear(channel, 3)
        assert placement.under_way == 3
        assert [each.kind for each in heads] == [Kind.RUN] * 3
        assert len({each.id for each in heads}) == 3
        for head in reversed(heads):
            channel.send(pack_done(head.id, answer(float(head.id))))
        found = await asyncio.gather(*calls)
        assert [each.prediction.tolist() for each in found] == [[float(each.id)] for each in heads]
        assert placement.under_way == 0
        assert placement.inline is None

    play(tmp_path, scene)


@pytest.mark.parametrize("said", [failed(ValueError("x")), RuntimeFailed("the model raised a hand")])
def test_the_hosts_word_for_a_failure_is_the_callers(tmp_path: Path, said: RuntimeFailed) -> None:
    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        call = asyncio.ensure_future(placement.run(ROWS))
        channel = await puppet.accepted()
        (head,) = await puppet.hear(channel)
        channel.send(pack_failed(head.id, said))
        with pytest.raises(RuntimeFailed, match=str(said)) as heard:
            await call
        assert heard.value.kind is said.kind

    play(tmp_path, scene)


def test_a_budget_is_told_and_kept_and_its_end_is_told_too(tmp_path: Path) -> None:
    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        call = asyncio.ensure_future(placement.run(ROWS, budget=0.05))
        channel = await puppet.accepted()
        (run,) = await puppet.hear(channel)
        assert run.budget_us == 50_000
        with pytest.raises(RuntimeFailed, match=r"within 0\.05 s"):
            await call
        (cancel,) = await puppet.hear(channel)
        assert (cancel.kind, cancel.id) == (Kind.CANCEL, run.id)
        channel.send(pack_done(run.id, answer(1.0)))  # an answer nobody waits for is dropped
        other = asyncio.ensure_future(placement.run(ROWS))
        (run,) = await puppet.hear(channel)
        channel.send(pack_done(run.id, answer(2.0)))
        assert (await other).prediction.tolist() == [2.0]

    play(tmp_path, scene)


def test_a_cancelled_call_is_given_up_at_the_host(tmp_path: Path) -> None:
    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        call = asyncio.ensure_future(placement.run(ROWS))
        channel = await puppet.accepted()
        (run,) = await puppet.hear(channel)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        (cancel,) = await puppet.hear(channel)
        assert (cancel.kind, cancel.id, placement.under_way) == (Kind.CANCEL, run.id, 0)

    play(tmp_path, scene)


@pytest.mark.parametrize("end", [b"", PREFIX.pack(4, 0) + b"junk", PREFIX.pack(2**31, 0)])
def test_a_host_that_dies_or_speaks_nonsense_fails_every_call_under_way(tmp_path: Path, end: bytes) -> None:
    moment = [100.0]

    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        calls = [asyncio.ensure_future(placement.run(ROWS)) for _ in range(3)]
        channel = await puppet.accepted()
        await puppet.hear(channel, 3)
        if end:
            channel._socket.send(end)
        else:
            channel.close()
        for each in calls:
            with pytest.raises(RuntimeFailed, match="died") as lost:
                await each
            assert lost.value.kind is FailureKind.DIED
        with pytest.raises(RuntimeFailed, match="not there yet") as missing:
            await placement.run(ROWS)  # in the pause nobody knocks
        assert missing.value.kind is FailureKind.NOT_THERE
        moment[0] += BACKOFF[0] + 0.001
        again = asyncio.ensure_future(placement.run(ROWS))
        channel = await puppet.accepted()
        (run,) = await puppet.hear(channel)
        channel.send(pack_done(run.id, answer(3.0)))
        assert (await again).prediction.tolist() == [3.0]

    play(tmp_path, scene, now=lambda: moment[0])


def test_an_answer_without_its_arrays_fails_its_call_alone(tmp_path: Path) -> None:
    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        calls = [asyncio.ensure_future(placement.run(ROWS)) for _ in range(2)]
        channel = await puppet.accepted()
        first, second = await puppet.hear(channel, 2)
        head = msgspec.msgpack.encode(Head(first.id, Kind.DONE))
        channel.send(Packed([PREFIX.pack(len(head), 0), head]))
        channel.send(pack_done(second.id, answer(2.0)))
        assert (await calls[1]).prediction.tolist() == [2.0]
        with pytest.raises(RuntimeFailed, match="do not understand"):
            await calls[0]

    play(tmp_path, scene)


def test_pauses_grow_while_nobody_is_there_and_end_with_the_first_answer(tmp_path: Path) -> None:
    moment = [0.0]

    async def main() -> None:
        placement = HostedPlacement(tmp_path / "nobody.sock", now=lambda: moment[0])
        tried = []
        for pause in (*BACKOFF, BACKOFF[-1], BACKOFF[-1]):
            with pytest.raises(RuntimeFailed):
                await placement.run(ROWS)
            tried.append(placement._not_before - moment[0])
            moment[0] += pause - 0.001
            before = placement._failures
            with pytest.raises(RuntimeFailed):
                await placement.run(ROWS)
            assert placement._failures == before, "nobody knocks in a pause"
            moment[0] += 0.002
        assert tried == pytest.approx([*BACKOFF, BACKOFF[-1], BACKOFF[-1]])
        puppet = Puppet(tmp_path / "nobody.sock")
        call = asyncio.ensure_future(placement.run(ROWS))
        channel = await puppet.accepted()
        assert placement._failures == 0
        await puppet.hear(channel)
        await placement.close()
        with pytest.raises(RuntimeFailed, match="closed"):
            await call
        with pytest.raises(RuntimeFailed, match="closed"):
            await placement.run(ROWS)
        puppet.close()

    asyncio.run(main())


def test_more_calls_than_a_host_may_be_asked_fail_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted, "OUTSTANDING", 2)
    assert OUTSTANDING > 2

    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        calls = [asyncio.ensure_future(placement.run(ROWS)) for _ in range(2)]
        channel = await puppet.accepted()
        heads = await puppet.hear(channel, 2)
        with pytest.raises(RuntimeFailed, match="too many"):
            await placement.run(ROWS)
        for head in heads:
            channel.send(pack_done(head.id, answer(1.0)))
        await asyncio.gather(*calls)

    play(tmp_path, scene)


def test_a_batch_larger_than_the_socket_holds_is_written_as_it_is_read(tmp_path: Path) -> None:
    large = {"x": np.arange(600_000.0).reshape(-1, 1)}

    async def scene(placement: HostedPlacement, puppet: Puppet) -> None:
        call = asyncio.ensure_future(placement.run(large))
        channel = await puppet.accepted()
        frames: list[Any] = []
        while not frames:
            frames = channel.receive()
            await asyncio.sleep(0)
        np.testing.assert_array_equal(frames[0].arrays[0], large["x"])
        channel.send(pack_done(frames[0].head.id, answer(1.0)))
        await call
        assert placement._channel is not None
        assert placement._channel.unsent == 0

    play(tmp_path, scene, shared_from=0)


def test_waiting_for_a_host_ends_with_its_patience_or_its_coming(tmp_path: Path) -> None:
    async def main() -> None:
        placement = HostedPlacement(tmp_path / "late.sock")
        with pytest.raises(RuntimeFailed):
            await placement.ready(0.03)
        waiting = asyncio.ensure_future(placement.ready(10))
        await asyncio.sleep(0.03)
        puppet = Puppet(tmp_path / "late.sock")
        await waiting
        await placement.ready(0)
        await placement.close()
        with pytest.raises(RuntimeFailed, match="closed"):
            await placement.ready(10)
        puppet.close()

    asyncio.run(main())
