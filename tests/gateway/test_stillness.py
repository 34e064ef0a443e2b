"""A gateway says that it has come to rest once nothing it was asked is under way: no shadow, no record."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.test_shadow import beside, some_rows, until, with_shadow
from tests.gateway.test_versions import PREDICT, Scripted, nothing

from headgate.gateway.stillness import LOOK_SECONDS, answer_when_still
from headgate.runtimes.ports import Feeds
from headgate.store.stillness import FileStillness

A_WHILE = 10 * LOOK_SECONDS


@pytest.fixture
def stillness(tmp_path: Path) -> FileStillness:
    return FileStillness(tmp_path / "stillness")


async def answered(stillness: FileStillness, asked: int) -> None:
    await until(lambda: stillness.heard() == {"w0": asked})


def test_it_waits_until_shadows_have_answered_what_callers_asked_before(play: Any, stillness: FileStillness) -> None:
    held = asyncio.Event()

    def wait(_: Feeds) -> Any:
        return held.wait()

    async def scene(town: Any) -> None:
        await town.obeyed(1)
        caller = await town.call()
        assert (await caller.post(PREDICT, {"rows": some_rows(3)})).status == 200
        asked = stillness.ask()
        await asyncio.sleep(A_WHILE)
        assert stillness.heard() == {}
        held.set()
        await answered(stillness, asked)
        assert len(beside(town)) == 3

    play(with_shadow(Scripted(wait, 2.0)), scene, stillness=stillness)


def test_it_waits_until_what_was_said_is_on_disk(play: Any, stillness: FileStillness) -> None:
    async def scene(town: Any) -> None:
        await town.obeyed(1)
        town.journal.idle = False
        asked = stillness.ask()
        await asyncio.sleep(A_WHILE)
        assert stillness.heard() == {}
        town.journal.idle = True
        await answered(stillness, asked)

    play(with_shadow(Scripted(nothing, 2.0)), scene, stillness=stillness)


def test_every_question_has_an_answer_of_its_own(play: Any, stillness: FileStillness) -> None:
    async def scene(town: Any) -> None:
        await answered(stillness, stillness.ask())
        await answered(stillness, stillness.ask())

    play(with_shadow(Scripted(nothing, 2.0)), scene, stillness=stillness)


class FullOnce(FileStillness):
    """Its disk is full the first time."""

    refused = 0

    def tell(self, worker: str, asked: int) -> None:
        if not self.refused:
            self.refused += 1
            raise OSError(28, "no space left")
        super().tell(worker, asked)


def test_an_answer_that_could_not_be_given_is_given_later(tmp_path: Path) -> None:
    stillness = FullOnce(tmp_path)

    async def main() -> None:
        asked = stillness.ask()
        answering = asyncio.ensure_future(answer_when_still(stillness, "w0", lambda: True))
        await answered(stillness, asked)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(main())
    assert stillness.refused == 1
