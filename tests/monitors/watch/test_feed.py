"""Every hour's inputs are handed over once, with what callers were answered, whenever anybody asks for them."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.monitors.watch.worlds import END, MONDAY, OTHER, SOURCE, VERSION, World, ident, story

from headgate.journal.records import Answer, Block, Input
from headgate.monitors.watch.feed import AnswerFeed, Source
from headgate.vocabulary import DAY, HOUR, SECOND, Micros, Role

LAG = 60 * SECOND


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, [])


def asked(number: int, at: int, request: str = "", *, role: Role | None = Role.LIVE) -> Block:
    block = Block([Input(ident(number), at, (1.0,), request or f"r{number}", 0)], [], [])
    if role is not None:
        block.answers.append(Answer(ident(number), VERSION, VERSION, role, 1.0, "yes", [0.2, 0.8], 300, 900))
    return block


def numbers(feed: AnswerFeed, until: int) -> list[int]:
    return [int(each.replace("-", ""), 16) for each in feed.take(Micros(until))["input_id"].to_pylist()]


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(1, 4 * 24 - 1), max_size=6), st.data())
def test_however_often_it_is_asked_and_begun_anew_the_rows_are_the_same(
    seed: int, hours: set[int], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole = World(Path(one), story(seed))
        whole.until(Micros(END + LAG))
        expected = AnswerFeed(whole.reader, SOURCE, MONDAY).take(END).to_pylist()
        world = World(Path(other), story(seed))
        feed, found = AnswerFeed(world.reader, SOURCE, MONDAY), []
        for hour in [*sorted(hours), 4 * 24]:
            until = Micros(MONDAY + hour * HOUR)
            world.until(Micros(until + LAG))
            if data.draw(st.booleans()):
                world.seal(compact=data.draw(st.booleans()))
            found += feed.take(until).to_pylist()
            assert feed.late == 0
            if data.draw(st.booleans()):
                feed = AnswerFeed(world.reader, SOURCE, until)
        assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_it_says_what_the_reader_says_of_each_day(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, story(seed))
    world.until(Micros(END + LAG))
    rows = AnswerFeed(world.reader, SOURCE, MONDAY).take(END)
    at = np.array(rows["at"].cast("int64").to_pylist())
    for start in range(MONDAY, END, DAY):
        day, columns = {"start": Micros(start), "end": Micros(start + DAY)}, rows.column_names
        joined = world.reader.joined("default", "late", **day, roles=SOURCE.roles, columns=columns)
        mine = rows.filter((at >= start) & (at < start + DAY)).to_pylist()
        # An input that only a shadow answered is none of the reader's; to its caller it was an error.
        answered = [each for each in mine if each["role"] or each["refusal_rule"]]
        assert [each | {"label": None} for each in joined.to_pylist()] == answered


def test_what_is_asked_again_counts_once_within_a_day_and_the_next(world: World) -> None:
    noon = MONDAY + 12 * HOUR
    for number, at in enumerate((noon, noon + HOUR, noon + 30 * HOUR, noon + 75 * HOUR)):
        world.write(asked(number, at, "again"))
    world.write(asked(9, noon + 2 * HOUR, "other"))
    feed = AnswerFeed(world.reader, SOURCE, MONDAY)
    assert numbers(feed, noon + HOUR) == [0]
    assert numbers(feed, END) == [9, 3], "the one of the fourth day is a question of its own"


def test_an_hour_that_is_not_over_waits(world: World) -> None:
    world.write(asked(0, MONDAY + 90 * 60 * SECOND))
    feed = AnswerFeed(world.reader, SOURCE, MONDAY)
    assert (numbers(feed, MONDAY + HOUR), feed.waits) == ([], True)
    assert (numbers(feed, MONDAY + 2 * HOUR), feed.waits) == ([0], False)


def test_what_comes_too_late_is_counted_and_handed_to_nobody(world: World) -> None:
    feed = AnswerFeed(world.reader, SOURCE, MONDAY)
    world.write(asked(0, MONDAY + 1))
    assert numbers(feed, MONDAY + HOUR) == [0]
    world.write(asked(1, MONDAY + 2))
    assert (numbers(feed, MONDAY + 2 * HOUR), feed.late) == ([], 1)


def test_a_caller_nobody_answered_is_told_and_what_people_decide_is_not(world: World) -> None:
    for number, role in enumerate((Role.LIVE, None, Role.SHADOW, Role.HUMAN)):
        world.write(asked(number, MONDAY + number, role=role))
    table = AnswerFeed(world.reader, SOURCE, MONDAY).take(Micros(MONDAY + HOUR))
    assert table["role"].to_pylist() == ["live", None, None]


def test_of_a_version_beside_people_only_its_own_inputs_are_told(world: World) -> None:
    beside = Source("default", "late", (Role.SHADOW, Role.SUGGESTION), VERSION)
    world.write(asked(0, MONDAY + 1, role=Role.SHADOW))
    world.write(asked(1, MONDAY + 2, role=None))
    other = asked(2, MONDAY + 3, role=None)
    other.answers.append(Answer(ident(2), OTHER, OTHER, Role.SHADOW, 1.0, "no", None, 3, 9))
    world.write(other)
    assert numbers(AnswerFeed(world.reader, beside, MONDAY), MONDAY + HOUR) == [0]


def test_features_come_along_where_they_are_wanted(world: World) -> None:
    world.write(asked(0, MONDAY + 1))
    source = Source("default", "late", SOURCE.roles, features=True)
    table = AnswerFeed(world.reader, source, MONDAY).take(Micros(MONDAY + HOUR))
    assert table["features"].to_pylist() == [{"amount": 1.0}]


def test_what_a_writer_takes_back_is_noticed(world: World) -> None:
    world.write(asked(0, MONDAY + 1))
    size = world.source.segments()[0].size
    world.write(asked(1, MONDAY + 2))
    feed = AnswerFeed(world.reader, SOURCE, MONDAY)
    feed.take(MONDAY)
    world.source.cut("here-0", 1, size)
    feed.take(MONDAY)
    assert feed.cut


@pytest.mark.parametrize("seed", range(2))
def test_day_by_day_with_an_end_the_rows_are_the_same(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, story(seed))
    world.until(Micros(END + LAG))
    expected = AnswerFeed(world.reader, SOURCE, MONDAY).take(END).to_pylist()
    found = []
    for start in range(MONDAY, END, DAY):
        end = Micros(start + DAY)
        feed = AnswerFeed(world.reader, SOURCE, Micros(start), end)
        found += feed.take(end).to_pylist()
        assert not feed.waits, "of days that begin at its end nothing was read"
    assert found == expected


def test_what_was_asked_on_the_day_before_is_known_to_a_feed_that_begins(world: World) -> None:
    """It reads no more of that day than names, and hands none of it over."""
    for number, (hour, request) in enumerate(((-1, "a"), (-23, "b"), (-25, "c"), (1, "a"), (2, "b"), (3, "c"))):
        world.write(asked(number, MONDAY + DAY + hour * HOUR, request))
    assert numbers(AnswerFeed(world.reader, SOURCE, Micros(MONDAY + DAY)), END) == [5]
    world.seal(compact=True)
    assert numbers(AnswerFeed(world.reader, SOURCE, Micros(MONDAY + DAY)), END) == [5]
