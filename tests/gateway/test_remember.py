"""Acknowledged means remembered: when a caller may have its answer, and what it hears when nothing can be kept."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.scenery import BINARY, a_view, served

from headgate.contracts.contract import Contract, Field, Kind
from headgate.errors import JournalUnavailable
from headgate.gateway.metrics import Slab, SlabCollector
from headgate.gateway.remember import Memory
from headgate.gateway.view import View
from headgate.journal.blobs import BlobRef, LocalBlobs
from headgate.journal.disk import LocalDisk
from headgate.journal.ports import Done
from headgate.journal.records import Block, Input, Schema
from headgate.traffic.traffic import Policy
from headgate.vocabulary import Ack, OnFailure

PICTURES = Contract((Field("face", Kind.IMAGE), Field("n", Kind.NUMBER)), BINARY)


class Diary:
    """A journal that takes blocks when told to and answers when told to."""

    def __init__(self) -> None:
        self.healthy, self.full, self.pressed, self.takes = True, False, False, True
        self.idle = True
        self.kept: list[Block] = []
        self.waiting: list[Done] = []

    def write(self, schema: Schema, block: Block, done: Done | None) -> bool:
        if self.takes:
            self.kept.append(block)
            if done is not None:
                self.waiting.append(done)
        elif done is not None:
            done(JournalUnavailable("full"))
        return self.takes

    def close(self) -> None:
        pass


@pytest.fixture
def slab(tmp_path: Path) -> Iterator[Slab]:
    slab = Slab(tmp_path / "metrics" / "w0.slab")
    yield slab
    slab.close()


def block(*features: Any) -> Block:
    return Block([Input(bytes(16), 0, features or None, "r", 0)])


def play(slab: Slab, scene: Callable[[Memory, Diary, View, list[Any]], Any], **more: Any) -> None:
    """Runs a scene on a loop with a memory, its journal, a view and what was told."""

    async def main() -> None:
        diary = Diary()
        told: list[Any] = []
        memory = Memory(diary, LocalBlobs(LocalDisk(more.pop("home"))) if "home" in more else Any, slab)  # type: ignore[arg-type]
        view = a_view(slab, **more)
        async with asyncio.timeout(10):
            await scene(memory, diary, view, told)

    asyncio.run(main())


def count(folder: Path, sample: str) -> float:
    return sum(
        each.value for family in SlabCollector(folder).collect() for each in family.samples if each.name == sample
    )


def test_a_durable_answer_waits_for_the_disk_and_is_told_on_the_loop(slab: Slab, tmp_path: Path) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        loop_thread = threading.current_thread()
        for name in ("first", "second", "third"):
            memory.keep(
                view,
                view.live.schema,
                block(),
                lambda problem, name=name: told.append((name, problem, threading.current_thread())),  # type: ignore[misc]
            )
        await asyncio.sleep(0.01)
        assert told == []
        disk = threading.Thread(target=lambda: [each(None) for each in diary.waiting])
        disk.start()
        while len(told) < 3:
            await asyncio.sleep(0.001)
        disk.join()
        assert [(name, problem) for name, problem, _ in told] == [("first", None), ("second", None), ("third", None)]
        assert {thread for _, _, thread in told} == {loop_thread}
        assert count(tmp_path / "metrics", "headgate_journal_commit_seconds_count") == 3

    play(slab, scene)


def test_two_threads_that_tell_at_once_wake_the_loop(slab: Slab) -> None:
    diary = Diary()

    class Interrupted(deque[Any]):
        """One thread is stopped right behind its append, and another appends."""

        def append(self, entry: Any) -> None:
            super().append(entry)
            if len(self) == 1:
                diary.waiting.pop()(None)

    async def scene(memory: Memory, found: Diary, view: View, told: list[Any]) -> None:
        nonlocal diary
        diary = found
        for _ in range(2):
            memory.keep(view, view.live.schema, block(), told.append)
        memory._told = Interrupted()
        diary.waiting.pop(0)(None)
        while len(told) < 2:
            await asyncio.sleep(0.001)

    play(slab, scene)


def test_one_that_fails_to_hear_keeps_nobody_else_waiting(slab: Slab) -> None:
    def deaf(_: JournalUnavailable | None) -> None:
        raise ZeroDivisionError("scripted")

    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        for then in (deaf, told.append):
            memory.keep(view, view.live.schema, block(), then)
        for done in diary.waiting:
            done(None)
        while not told:
            await asyncio.sleep(0.001)
        diary.waiting.clear()
        memory.keep(view, view.live.schema, block(), told.append)
        diary.waiting[0](None)
        while len(told) < 2:
            await asyncio.sleep(0.001)

    play(slab, scene)


def test_a_buffered_answer_goes_first_and_its_record_follows_in_order(slab: Slab) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        blocks = [block(), block(), block()]
        for each in blocks:
            memory.keep(view, view.live.schema, each, told.append)
        assert told == [None, None, None]
        assert diary.kept == []
        await asyncio.sleep(0)
        assert [id(each) for each in diary.kept] == [id(each) for each in blocks]
        memory.keep(view, view.live.schema, block(), told.append)
        memory.catch_up()  # the process ends: nothing may stay behind
        assert len(diary.kept) == 4
        await asyncio.sleep(0)
        assert len(diary.kept) == 4

    play(slab, scene, policy=Policy(ack=Ack.BUFFERED))


def test_a_buffered_record_nobody_took_is_counted(slab: Slab, tmp_path: Path) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        diary.takes = False
        memory.keep(view, view.live.schema, block(), told.append)
        await asyncio.sleep(0)
        assert count(tmp_path / "metrics", "headgate_unjournalled_total") == 1

    play(slab, scene, policy=Policy(ack=Ack.BUFFERED))


@pytest.mark.parametrize(("healthy", "full"), [(False, False), (True, True)])
def test_who_is_answered_without_a_record_is_told_so(slab: Slab, healthy: bool, full: bool) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        diary.healthy, diary.full = healthy, full
        memory.keep(view, view.live.schema, block(), told.append)
        assert (told, len(diary.kept)) == ([None], 1), "it takes what it has room for"
        diary.takes = False
        memory.keep(view, view.live.schema, block(), told.append)
        assert [type(each) for each in told[1:]] == [JournalUnavailable]

    play(slab, scene, policy=Policy(ack=Ack.BUFFERED, on_failure=OnFailure.ANSWER))


@pytest.mark.parametrize("ack", Ack)
def test_what_is_to_be_kept_surely_is_kept_or_its_sender_is_told(slab: Slab, ack: Ack) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        for takes in (True, False):
            diary.takes = takes
            memory.keep_surely(view, view.live.schema, Block(), told.append)
            for done in diary.waiting:
                done(None)
            diary.waiting.clear()
            await asyncio.sleep(0.01)
        assert [type(each) for each in told] == [type(None), JournalUnavailable]

    play(slab, scene, policy=Policy(ack=ack, on_failure=OnFailure.ANSWER))


def test_what_nobody_waits_for_comes_behind_what_was_answered(slab: Slab) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        first, second = block(), block()
        memory.keep(view, view.live.schema, first, told.append)
        assert memory.write(view.live.schema, second)
        assert [id(each) for each in diary.kept] == [id(first), id(second)]
        await asyncio.sleep(0)
        assert len(diary.kept) == 2
        diary.takes = False
        assert not memory.write(view.live.schema, block())

    play(slab, scene, policy=Policy(ack=Ack.BUFFERED))


def test_a_durable_answer_whose_block_was_not_taken_hears_why(slab: Slab) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        diary.takes = False
        memory.keep(view, view.live.schema, block(), told.append)
        assert told == [], "on the loop, never from within"
        await asyncio.sleep(0)
        assert [type(each) for each in told] == [JournalUnavailable]

    play(slab, scene)


@pytest.mark.parametrize(
    ("healthy", "full", "says"), [(True, False, ""), (False, False, "free space"), (True, True, "too many")]
)
def test_nothing_is_begun_that_cannot_be_kept(slab: Slab, healthy: bool, full: bool, says: str) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        diary.healthy, diary.full = healthy, full
        assert memory.healthy is healthy
        if says:
            with pytest.raises(JournalUnavailable, match=says):
                memory.check()
        else:
            memory.check()

    play(slab, scene)


@pytest.mark.parametrize("ack", Ack)
def test_a_picture_is_on_disk_before_its_record_is_handed_over(slab: Slab, tmp_path: Path, ack: Ack) -> None:
    async def scene(memory: Memory, diary: Diary, view: View, told: list[Any]) -> None:
        kept = block(b"\x89PNG\r\n\x1a\n", 1.0)
        memory.keep_large(view, view.live, kept, told.append)
        memory.keep_large(view, view.live, block(), told.append)  # a refused row has no features to keep beside
        assert len(diary.kept) + len(memory._behind) == 1
        while len(diary.kept) < 2:
            await asyncio.sleep(0.001)
            for each in diary.waiting:
                each(None)
            diary.waiting.clear()
        assert kept.inputs[0].features is not None
        face, number = kept.inputs[0].features
        assert isinstance(face, BlobRef)
        assert (face.media_type, number) == ("image/png", 1.0)

    play(slab, scene, by={"m:1": served(PICTURES)}, policy=Policy(ack=ack), home=tmp_path)
