"""Rollouts that need all rows at every look: each finds what reading everything would, and reads what is new."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.rollouts.test_following import assert_as_whole, live, raises
from tests.rollouts.worlds import RAMP, Habits, World, ident

from headgate.journal import gathered, news
from headgate.journal.reader import Reader
from headgate.journal.records import Block, Input, Label, Source
from headgate.rollouts.following import Followed
from headgate.rollouts.guards import Guard, Margin, Measure, Unit, usual_guards
from headgate.rollouts.plan import Analysis, Partial, SetWeight
from headgate.vocabulary import PEOPLE, Role, Task

QUERY = "SELECT input_id, assigned AS version, features.amount / 100 AS loss FROM joined JOIN features USING (input_id)"
QUERIED = msgspec.structs.replace(
    RAMP, guards=(Guard(metric=Measure.SQL, margin=Margin(0.1, Unit.PLAIN), query=QUERY, cap=1.0),)
)
BESIDE_PEOPLE = msgspec.structs.replace(
    RAMP,
    steps=(Partial(0.05), Analysis(), SetWeight(1.0)),
    guards=usual_guards(Task.BINARY, labels=False, people=True),
    people=True,
)


class Office(World):
    """People decide every input, a candidate answers it unseen, and now and then the world says what was right."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, BESIDE_PEOPLE)
        self.rollout = msgspec.structs.replace(self.rollout, live=PEOPLE)

    def ask(self) -> None:
        number, at = len(self.asked), self.now
        self.asked.append((number, at))
        truth = "yes" if self.happens(0.6) else "no"
        decided = truth if self.happens(0.9) else "no"
        word = Label(
            ident(10**7 + number), at + 1, at + 1, decided, input_id=ident(number), source=Source.HUMAN, actor="ann"
        )
        beside = self.said(number, Role.SHADOW, 1.0, truth)
        self.write(Block([Input(ident(number), at, (1.0, "north"), f"r{number}", 0)], [beside], [word]))
        if self.happens(0.3):
            self.label(number, at, None, truth)


WORLDS: dict[str, Callable[[Path, int], World]] = {
    "query": lambda folder, seed: World(folder, seed, QUERIED),
    "key": lambda folder, seed: World(folder, seed, RAMP, Habits(by_entity=True)),
    "people": Office,
}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were asked of the journal, reading by reading; reading everything fails."""
    counts: list[int] = []
    unread = news._unread

    def counting(*words: Any) -> Any:
        rows, read = unread(*words)
        counts.append(len(rows))
        return rows, read

    monkeypatch.setattr(news, "_unread", counting)
    monkeypatch.setattr(Reader, "joined", raises)
    monkeypatch.setattr(Reader, "features", raises)
    return counts


@pytest.mark.parametrize("kind", WORLDS)
def test_a_look_reads_no_more_however_long_the_rollout_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    world = WORLDS[kind](tmp_path, 1)
    followed = Followed(world.reader)
    world.wait(6.0)
    by_look = []
    with monkeypatch.context() as patched:
        counts = counted(patched)
        for _ in range(18):
            for _ in range(10):
                world.ask()
            world.wait(1.0)
            counts.clear()
            followed.look(world.rollout, world.scene, world.now)
            by_look.append(sum(counts))
    assert sum(by_look) > 500
    # Ten inputs, their answers and labels; the first looks may have to find out what they need.
    assert max(by_look[10:]) <= 60
    assert len(assert_as_whole(world, followed).sample.pairs) > 80


@pytest.mark.parametrize("kind", WORLDS)
def test_whatever_becomes_of_the_files_it_is_as_if_everything_had_been_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(gathered, "_CHUNKS", 3)
    live(WORLDS[kind](tmp_path, 2), 10)


def test_what_its_writer_took_back_is_read_anew(tmp_path: Path) -> None:
    world = Office(tmp_path, 3)
    world.wait(6.0)
    for _ in range(20):
        world.ask()
    size = world.source.segments()[0].size
    world.ask()
    world.wait(1.0)
    followed = Followed(world.reader)
    before = len(assert_as_whole(world, followed).sample.pairs)
    world.source.cut("here-0", world.sequence, size)
    assert len(assert_as_whole(world, followed).sample.pairs) == before - 1


def test_a_plan_with_other_guards_sees_what_they_need(tmp_path: Path) -> None:
    world = Office(tmp_path, 4)
    world.wait(6.0)
    for _ in range(10):
        world.ask()
    world.wait(1.0)
    followed = Followed(world.reader)
    assert_as_whole(world, followed)
    world.rollout = msgspec.structs.replace(
        world.rollout, plan=msgspec.structs.replace(BESIDE_PEOPLE, guards=QUERIED.guards)
    )
    assert not assert_as_whole(world, followed).sample.broken


def test_a_look_that_fails_leaves_nothing_half_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Office(tmp_path, 5)
    world.wait(6.0)
    followed = Followed(world.reader)
    for _ in range(10):
        world.ask()
    world.wait(1.0)
    assert_as_whole(world, followed)
    for _ in range(10):
        world.ask()
    world.wait(1.0)
    with monkeypatch.context() as broken:
        broken.setattr(gathered, "laid_behind", raises)
        with pytest.raises(OSError, match="no more"):
            followed.look(world.rollout, world.scene, world.now)
    assert len(assert_as_whole(world, followed).sample.pairs) == 20
