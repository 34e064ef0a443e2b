"""What comes in one turn of the loop is heard together at its end, by the rules of what is heard at once."""

from typing import Any, cast

import pytest
from tests.gateway.test_connection import Line, Talk, get, post

from headgate.gateway.http.connection import HEARD_AT_ONCE, Connection


def untold() -> tuple[Talk, list[Any]]:
    """A connection whose turns end when a test says so, and what was asked to be done at their ends."""
    talk, asked = Talk(body_limit=1 << 20), list[Any]()
    talk.wire.soon = asked.append
    return talk, asked


def another(talk: Talk) -> tuple[Connection, Line]:
    """One more connection of the same server."""
    line = Line()
    connection = Connection(talk.wire)
    connection.connection_made(cast(Any, line))
    return connection, line


def test_what_comes_in_one_turn_is_heard_at_its_end_in_order() -> None:
    talk, asked = untold()
    other, _ = another(talk)
    talk.connection.data_received(get(b"GET", b"/a"))
    other.data_received(get(b"GET", b"/b"))
    talk.connection.data_received(get(b"GET", b"/c"))
    assert (talk.asked, len(asked)) == ([], 1), "the end of a turn is asked for once"
    asked[0]()
    assert [each.head.target for each in talk.asked] == [b"/a", b"/b", b"/c"]
    talk.connection.data_received(get(b"GET", b"/d"))
    assert len(asked) == 2


def test_what_is_to_be_done_around_a_turn_is_done_once() -> None:
    talk, asked = untold()
    log: list[str] = []

    def around(hear: Any) -> None:
        log.append("before")
        hear()
        log.append(f"after {len(talk.asked)}")

    talk.wire.around = around
    talk.connection.data_received(get(b"GET", b"/a"))
    asked[0]()
    assert log == ["before", "after 1"]


def test_the_end_of_what_a_caller_sends_comes_behind_it() -> None:
    talk, asked = untold()
    talk.connection.data_received(get(b"GET", b"/a"))
    assert talk.connection.eof_received(), "a reply is owed"
    assert len(talk.asked) == 1
    asked[0]()
    assert len(talk.asked) == 1, "once"


@pytest.mark.parametrize("end", ["sweep", "finish"])
def test_who_just_asked_is_answered_before_it_is_ended(end: str) -> None:
    talk, _ = untold()
    talk.connection.sweep()
    talk.connection.data_received(get(b"GET", b"/a"))
    getattr(talk.connection, end)()
    assert not talk.line.closed
    talk.asked[0].reply(b"<a>")
    assert (talk.line.said, talk.line.closed) == (b"<a>", end == "finish")


def test_who_just_asked_does_not_make_room_for_others() -> None:
    talk, _ = untold()
    talk.wire.connections_limit = 1
    talk.connection.data_received(get(b"GET", b"/a"))
    _, line = another(talk)
    assert (line.said, talk.line.aborted) == (b"<refused 503>", False)


def test_nobody_answers_who_has_left_before_it_was_heard() -> None:
    talk, asked = untold()
    talk.connection.data_received(post(b"/a", b"1"))
    talk.connection.connection_lost(None)
    asked[0]()
    assert talk.asked == []


def test_much_at_once_is_heard_at_once_behind_what_came_before() -> None:
    talk, asked = untold()
    talk.connection.data_received(get(b"GET", b"/a"))
    talk.connection.data_received(post(b"/b", b"x" * HEARD_AT_ONCE))
    assert [each.head.target for each in talk.asked] == [b"/a", b"/b"]
    asked[0]()
    assert len(talk.asked) == 2


def test_a_fault_of_ours_costs_its_connection_and_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    talk, asked = untold()
    other, line = another(talk)
    monkeypatch.setattr(talk.connection, "hear", lambda data: 1 / 0)
    talk.connection.data_received(get(b"GET", b"/a"))
    other.data_received(get(b"GET", b"/b"))
    asked[0]()
    assert (talk.line.aborted, line.aborted) == (True, False)
    assert [each.head.target for each in talk.asked] == [b"/b"]
    assert "a connection was given up" in caplog.text
