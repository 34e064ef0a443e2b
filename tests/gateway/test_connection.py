"""The wire alone, without a socket: the same bytes mean the same however they are cut, and replies keep their order."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.http import connection
from headgate.gateway.http.connection import HEAD_LIMIT, PIPELINE_LIMIT, Connection
from headgate.gateway.http.exchange import Exchange, Head
from headgate.gateway.http.wire import Refused, Wire
from headgate.gateway.room import Room


class Line:
    """A transport that keeps what was written and does nothing else."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def __init__(self, can_end: bool = True) -> None:
        self.said = b""
        self.can_end = can_end
        self.ended = self.closed = self.aborted = False
        self.reading = True
        self.unsent = 0

    def write(self, data: bytes) -> None:
        assert not any((self.ended, self.closed)), "nothing is written after the end"
        self.said += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return self.can_end

    def write_eof(self) -> None:
        assert self.can_end > self.ended, "ended twice, or where no end can be written"
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = self.closed = True

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True


class Slow(Line):
    """One whose caller reads when it is told to, and whose connection hears of more than eight bytes unread."""

    connection: Connection
    choked = False

    def write(self, data: bytes) -> None:
        super().write(data)
        self.unsent += len(data)
        if self.unsent > 8 and not self.choked:
            self.choked = True
            self.connection.pause_writing()

    def read(self) -> None:
        self.unsent = 0
        if self.choked:
            self.choked = False
            self.connection.resume_writing()


@dataclass
class Talk:
    """One connection and what came of it."""

    body_limit: int = 1000
    heads: dict[bytes, Any] = field(default_factory=dict)
    asked: list[Exchange] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    line: Line = field(default_factory=Line)
    at_once: bool = False
    full: bool = False

    def __post_init__(self) -> None:
        self.wire = Wire(
            self._asked,
            self._refused,
            self.body_limit,
            self.heads,
            Room(0),
            no_room=self._turned_away,
            soon=lambda turn: None,
        )
        self.connection = Connection(self.wire)
        if isinstance(self.line, Slow):
            self.line.connection = self.connection
        self.connection.connection_made(cast(asyncio.Transport, self.line))

    def _asked(self, exchange: Exchange) -> None:
        self.asked.append(exchange)
        body = exchange.body
        if self.at_once:
            exchange.reply(b"<%d>" % len(self.asked))
            exchange.body = body  # which a reply lets go, and tests look at

    def _refused(self, exchange: Exchange, reason: Refused) -> None:
        self.refused.append(reason)
        exchange.reply(b"<refused %d>" % reason.status)

    def _turned_away(self, head: Head) -> bytes | None:
        return b"<full %b>" % head.target if self.full else None

    def hear(self, *pieces: bytes) -> "Talk":
        for piece in pieces:
            self.connection.data_received(piece)
            self.wire.turn()
        return self

    def listens(self) -> bool:
        """Whether the transport may read on."""
        return self.line.reading

    @property
    def meant(self) -> list[tuple[Any, ...]]:
        return [
            (each.head.method, each.head.target, each.body, each.head.keep_alive, dict(each.head.headers))
            for each in self.asked
        ]


def lingers(talk: Talk) -> bool:
    """Whether its caller was told that nothing more comes and may still send what it began."""
    return talk.line.ended and not talk.line.closed and talk.listens()


def post(target: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, b"Host: t", b"Content-Length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body


def chunked(target: bytes, body: bytes, cut: int) -> bytes:
    parts = [each for each in (body[:cut], body[cut:]) if each]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in parts)
    return b"POST %b HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" % target + chunks + b"0\r\n\r\n"


def get(method: bytes, target: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), b"Host: t", *headers, b"", b""])


def test_where_there_is_no_room_a_request_with_a_known_head_goes_no_further() -> None:
    talk = Talk(at_once=True, full=True)
    talk.hear(post(b"/a", b"1"), post(b"/a", b"2"), post(b"/b", b"3"))
    assert talk.line.said == b"<1><full /a><2>", "a head seen for the first time is read as ever"
    assert [each.body for each in talk.asked] == [b"1", b"3"]
    assert talk.connection.requests == 3
    talk.full = False
    assert talk.hear(post(b"/a", b"4")).line.said.endswith(b"<3>")


def test_a_known_head_goes_the_way_that_was_found_for_it_once() -> None:
    talk, found = Talk(), list[tuple[bytes, list[bytes]]]()

    def way(head: Head) -> Any:
        gone: list[bytes] = []
        found.append((head.target, gone))
        return (lambda exchange: gone.append(exchange.body)) if head.target == b"/quick" else None

    talk.wire.way, talk.wire.room = way, Room(1)
    for target in (b"/quick", b"/other"):
        talk.hear(post(target, b"1"), post(target, b"2"), post(target, b"3"))
    assert [(each.head.target, each.body) for each in talk.asked] == [
        (b"/quick", b"1"), (b"/other", b"1"), (b"/other", b"2"), (b"/other", b"3")
    ]  # fmt: skip
    assert found == [(b"/quick", [b"2", b"3"]), (b"/other", [])]


def test_room_that_can_be_made_at_once_is_made_before_anybody_is_refused() -> None:
    talk = Talk(at_once=True, full=True)
    talk.wire.room = Room(1)
    talk.hear(post(b"/a", b"1"))
    talk.wire.room.enter(None, 1)
    talk.wire.relieve = lambda: setattr(talk, "full", False)
    assert talk.hear(post(b"/a", b"2")).line.said == b"<1><2>"


def test_nobody_is_asked_for_a_refusal_while_there_is_room() -> None:
    talk = Talk(at_once=True, full=True)
    talk.wire.room = Room(1)
    assert talk.hear(post(b"/a", b"1"), post(b"/a", b"2")).line.said == b"<1><2>"
    talk.wire.room.enter(None, 1)
    assert talk.hear(post(b"/a", b"3")).line.said == b"<1><2><full /a>"


def test_no_refusal_overtakes_an_answer_that_is_still_to_come() -> None:
    talk = Talk().hear(post(b"/a", b"1"))
    talk.full = True
    talk.hear(post(b"/a", b"2"))
    assert [each.body for each in talk.asked] == [b"1", b"2"]
    for each in talk.asked:
        each.reply(b"<%b>" % each.body)
    assert talk.line.said == b"<1><2>"
    assert talk.hear(post(b"/a", b"3")).line.said == b"<1><2><full /a>"


TARGETS = st.sampled_from([b"/", b"/v1/endpoints/e/predict", b"/v1/endpoints/e/predict?x=1", b"/%C3%A9"])
BODIES = st.binary(max_size=40) | st.sampled_from([b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"{}", b""])
HEADERS = st.sampled_from([(), (b"content-TYPE: text/csv",), (b"Accept: a", b"accept: b"), (b"X-Other: 1",)])


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, tuple[bytes, bytes, bytes]]:
    """The bytes of one request and its method, target and body."""
    target, body, headers = draw(TARGETS), draw(BODIES), draw(HEADERS)
    match draw(st.integers(0, 3)):
        case 0:
            return get(b"GET", target, *headers), (b"GET", target, b"")
        case 1:
            return get(b"HEAD", target, *headers), (b"HEAD", target, b"")
        case 2:
            return chunked(target, body, draw(st.integers(0, len(body)))), (b"POST", target, body)
    return post(target, body, *headers), (b"POST", target, body)


@st.composite
def pieces_of(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    ends = [*cuts, len(data)]
    return [data[start:end] for start, end in zip([0, *cuts], ends, strict=True) if start < end]


@settings(max_examples=200)
@given(data=st.data(), asked=st.lists(requests(), min_size=1, max_size=6))
def test_the_same_bytes_mean_the_same_however_they_are_cut(
    data: st.DataObject, asked: list[tuple[bytes, tuple[bytes, bytes, bytes]]]
) -> None:
    stream = b"".join(each for each, _ in asked)
    heads: dict[bytes, Any] = {}
    by_request = Talk(heads=heads).hear(*(each for each, _ in asked))
    again = Talk(heads=heads).hear(*(each for each, _ in asked))  # now that heads were learned
    in_pieces = Talk(heads=heads).hear(*data.draw(pieces_of(stream)))
    assert [each[:3] for each in by_request.meant] == [meant for _, meant in asked]
    assert by_request.meant == again.meant == in_pieces.meant
    assert by_request.refused == in_pieces.refused == []


@given(order=st.permutations(range(6)), late=st.sets(st.integers(0, 5)))
def test_replies_leave_in_the_order_of_their_requests(order: list[int], late: set[int]) -> None:
    talk = Talk().hear(*(post(b"/%d" % at, b"x") for at in range(6)))
    for at in order:
        talk.asked[at].reply(b"<%d>" % at)
        answered = [each for each in range(6) if talk.asked[each].answer is not None]
        ready = next((at for at in range(6) if at not in answered), 6)
        assert talk.line.said == b"".join(b"<%d>" % each for each in range(ready))
        if at in late:
            talk.asked[at].reply(b"<again>")  # a second reply is none
    assert talk.line.said == b"<0><1><2><3><4><5>"
    assert not talk.line.closed


def test_the_last_reply_closes_where_the_caller_wants_that() -> None:
    talk = Talk().hear(post(b"/a", b"x"), post(b"/b", b"y", b"Connection: close"), post(b"/c", b"z"))
    assert [each.head.target for each in talk.asked] == [b"/a", b"/b"], "nothing is read after the last request"
    talk.asked[1].reply(b"<b>")
    assert (talk.line.said, talk.line.closed) == (b"", False)
    talk.asked[0].reply(b"<a>")
    assert (talk.line.said, talk.line.closed) == (b"<a><b>", True)


def test_a_reply_at_once_to_the_last_request_closes_as_well() -> None:
    talk = Talk(at_once=True).hear(post(b"/b", b"y", b"Connection: close"))
    assert (talk.line.said, talk.line.closed) == (b"<1>", True)


def test_http_1_0_ends_with_its_reply() -> None:
    talk = Talk(at_once=True).hear(b"GET /livez HTTP/1.0\r\n\r\n")
    assert (talk.line.said, talk.line.closed) == (b"<1>", True)


def test_a_caller_with_too_much_unanswered_is_read_no_further() -> None:
    talk = Talk()
    for at in range(PIPELINE_LIMIT):
        assert talk.listens()
        talk.hear(get(b"GET", b"/%d" % at))
    assert not talk.listens()
    talk.asked[1].reply(b"<1>")
    assert not talk.listens(), "its turn has not come"
    talk.asked[0].reply(b"<0>")
    assert talk.listens()


def test_a_caller_that_does_not_read_is_not_read() -> None:
    talk = Talk()
    talk.connection.pause_writing()
    assert not talk.listens()
    talk.connection.resume_writing()
    assert talk.listens()
    for at in range(PIPELINE_LIMIT):
        talk.hear(get(b"GET", b"/%d" % at))
    talk.connection.pause_writing()
    for each in talk.asked:
        each.reply(b".")
    assert not talk.listens(), "everything is answered, and nothing of it read"
    talk.connection.resume_writing()
    assert talk.listens()


def slow(**more: Any) -> tuple[Talk, Slow]:
    line = Slow()
    return Talk(line=line, at_once=True, **more), line


def goes_on(talk: Talk, line: Slow) -> bytes:
    """What the connection says in the turn after its caller has read everything."""
    before = len(line.said)
    line.read()
    talk.wire.turn()
    return line.said[before:]


def test_what_was_read_already_waits_for_a_caller_that_does_not_read() -> None:
    talk, line = slow()
    talk.hear(b"".join(get(b"GET", b"/%d" % at) for at in range(8)))
    assert (line.said, len(talk.asked), talk.listens()) == (b"<1><2><3>", 3, False)
    talk.wire.turn()
    assert len(talk.asked) == 3, "nothing was read meanwhile"
    assert goes_on(talk, line) == b"<4><5><6>"
    assert not talk.listens()
    assert goes_on(talk, line) == b"<7><8>"
    assert talk.listens()
    assert [each.head.target for each in talk.asked] == [b"/%d" % at for at in range(8)]


def test_what_comes_in_the_same_turn_stays_behind_what_waits() -> None:
    """Even where its head is known by heart."""
    talk, line = slow()
    known = post(b"/known", b"x")
    talk.hear(known)
    for piece in (b"".join(get(b"GET", b"/%d" % at) for at in range(4)), known, known):
        talk.connection.data_received(piece)
    talk.wire.turn()
    while not talk.listens():
        goes_on(talk, line)
    assert [each.head.target for each in talk.asked][1:] == [b"/0", b"/1", b"/2", b"/3", b"/known", b"/known"]
    assert line.said == b"<1><2><3><4><5><6><7>"


@settings(max_examples=100)
@given(data=st.data(), asked=st.lists(requests(), min_size=1, max_size=12))
def test_a_slow_caller_gets_the_same_replies_in_the_same_order(
    data: st.DataObject, asked: list[tuple[bytes, tuple[bytes, bytes, bytes]]]
) -> None:
    talk, line = slow()
    for piece in data.draw(pieces_of(b"".join(each for each, _ in asked))):
        talk.hear(piece)
        while not talk.listens():
            goes_on(talk, line)
    assert [each[:3] for each in talk.meant] == [meant for _, meant in asked]
    assert line.said == b"".join(b"<%d>" % at for at in range(1, len(asked) + 1))


def test_no_more_of_one_read_is_handed_on_than_may_be_unanswered() -> None:
    talk = Talk()
    talk.hear(b"".join(get(b"GET", b"/%d" % at) for at in range(PIPELINE_LIMIT + 10)))
    assert len(talk.asked) == PIPELINE_LIMIT
    for at in range(PIPELINE_LIMIT + 10):
        talk.asked[at].reply(b"<%d>" % at)
        talk.wire.turn()
    assert talk.line.said == b"".join(b"<%d>" % at for at in range(PIPELINE_LIMIT + 10))
    assert talk.listens()


def test_bodies_of_one_read_are_handed_on_as_far_as_they_may_be_unanswered() -> None:
    talk = Talk(body_limit=1000).hear(post(b"/", bytes(400)) * 7)
    for answered in range(7):
        assert len(talk.asked) == min(7, 3 * (answered // 3 + 1)), "all that was handed on is answered first"
        talk.asked[answered].reply(b"<a>")
        talk.wire.turn()
    assert (talk.line.said, talk.listens()) == (b"<a>" * 7, True)


def test_the_end_waits_for_what_was_kept() -> None:
    last = post(b"/last", b"", b"Connection: close")
    talk, line = slow()
    talk.hear(get(b"GET", b"/a") * 4 + last + get(b"GET", b"/never"))
    assert (line.said, line.closed) == (b"<1><2><3>", False)
    assert (goes_on(talk, line), line.closed, len(talk.asked)) == (b"<4><5>", True, 5)
    talk, line = slow()
    talk.hear(get(b"GET", b"/a") * 4 + b"nonsense\r\n\r\n")
    assert line.said == b"<1><2><3>"
    assert goes_on(talk, line) == b"<4><refused 400>"
    assert line.ended
    talk, line = slow()
    talk.hear(get(b"GET", b"/a") * 4)
    assert talk.connection.eof_received(), "a reply is owed"
    talk.connection.finish()
    assert not line.closed
    assert (goes_on(talk, line), line.closed) == (b"<4>", True)


def test_a_caller_that_left_is_asked_for_nothing_that_was_kept() -> None:
    talk, line = slow()
    talk.hear(get(b"GET", b"/a") * 5)
    line.read()
    talk.connection.connection_lost(None)
    talk.wire.turn()
    assert len(talk.asked) == 3


def test_a_sweep_ends_who_has_read_nothing_of_its_replies_for_a_whole_interval() -> None:
    talk, line = slow()
    talk.hear(get(b"GET", b"/a") * 5)
    talk.connection.sweep()
    line.unsent -= 1
    talk.connection.sweep()
    assert not line.aborted, "it reads, however slowly"
    goes_on(talk, line)
    talk.hear(get(b"GET", b"/a") * 5)
    talk.connection.sweep()
    assert not line.aborted, "it has read everything since"
    talk.connection.sweep()
    assert line.aborted


def test_a_sweep_does_not_wait_for_ever_for_the_last_reply_to_be_read() -> None:
    talk = Talk(at_once=True).hear(get(b"GET", b"/a"))
    talk.line.unsent = 3
    talk.connection.sweep()
    talk.connection.sweep()
    assert (talk.line.closed, talk.line.aborted) == (True, False), "nothing came, so it is to end"
    talk.connection.sweep()
    talk.line.unsent = 2
    talk.connection.sweep()
    assert not talk.line.aborted
    talk.connection.sweep()
    assert talk.line.aborted


def test_a_fault_of_ours_ends_its_connection_and_no_other() -> None:
    """Nobody will ever answer that request, so waiting for its reply would be waiting for ever."""

    def fail(_: Exchange) -> None:
        raise ZeroDivisionError

    talk = Talk()
    other = Connection(talk.wire)
    line = Line()
    other.connection_made(cast(asyncio.Transport, line))
    talk.wire.handle = fail
    talk.connection.data_received(get(b"GET", b"/a"))
    talk.wire.turn()
    assert (talk.line.aborted, talk.refused) == (True, [])
    talk.wire.handle = talk._asked
    other.data_received(get(b"GET", b"/b"))
    talk.wire.turn()
    assert ([each.head.target for each in talk.asked], line.aborted) == ([b"/b"], False)


def test_a_length_may_have_any_number_of_zeros_before_it() -> None:
    talk = Talk().hear(b"POST /a HTTP/1.1\r\nContent-Length: " + b"0" * 5000 + b"2\r\n\r\nhi")
    assert (talk.meant[0][2], talk.asked[0].head.length) == (b"hi", 2)


def test_a_body_of_many_small_pieces_is_kept_in_few() -> None:
    talk, count = Talk(body_limit=1 << 20), 10_000
    talk.hear(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    body = b"".join(b"%04x" % at for at in range(count))
    for at in range(0, 4 * count, 400):
        talk.hear(b"".join(b"2\r\n%b\r\n" % body[each : each + 2] for each in range(at, at + 400, 2)))
        assert len(talk.connection._body) < connection._PIECES + 2 * count // connection._PIECES + 1
    talk.hear(b"0\r\n\r\n")
    assert talk.asked[0].body == body


def test_replies_to_a_caller_that_left_fall_on_the_floor() -> None:
    talk = Talk().hear(get(b"GET", b"/"))
    assert talk.wire.connections == {talk.connection}
    talk.connection.connection_lost(None)
    talk.asked[0].reply(b"<0>")
    assert talk.line.said == b""
    assert talk.wire.connections == set()
    talk.connection.finish()
    talk.connection.abort()
    talk.connection.sweep()


def test_finishing_answers_what_was_asked_and_reads_no_more() -> None:
    talk = Talk().hear(get(b"GET", b"/a"))
    talk.connection.finish()
    assert not talk.line.closed
    talk.hear(get(b"GET", b"/b"))
    talk.asked[0].reply(b"<a>")
    assert (len(talk.asked), talk.line.said, talk.line.closed) == (1, b"<a>", True)
    idle = Talk()
    idle.connection.finish()
    assert idle.line.closed


def test_the_end_of_what_a_caller_sends() -> None:
    idle = Talk()
    assert not idle.connection.eof_received(), "nothing is owed: the transport may close"
    waiting = Talk().hear(get(b"GET", b"/a"))
    assert waiting.connection.eof_received(), "a reply is owed"
    waiting.asked[0].reply(b"<a>")
    assert (waiting.line.said, waiting.line.closed) == (b"<a>", True)
    half = Talk().hear(post(b"/a", b"hello")[:-2])
    assert not half.connection.eof_received(), "everything is said: the transport may close"
    assert [(each.status, each.rule) for each in half.refused] == [(400, "truncated")]
    assert (half.asked, half.line.said) == ([], b"<refused 400>")
    behind = Talk().hear(get(b"GET", b"/a"), post(b"/b", b"hello")[:-2])
    assert behind.connection.eof_received(), "two replies are owed"
    behind.asked[0].reply(b"<a>")
    assert (behind.line.said, behind.line.closed) == (b"<a><refused 400>", True)


def test_a_sweep_ends_what_brought_nothing_since_the_last_one() -> None:
    talk = Talk()
    talk.connection.sweep()
    assert not talk.line.closed, "it may have come a moment ago"
    talk.connection.sweep()
    assert talk.line.closed


def test_a_sweep_spares_who_waits_or_just_asked() -> None:
    talk = Talk()
    talk.connection.sweep()
    talk.hear(get(b"GET", b"/a"))
    talk.connection.sweep()
    talk.connection.sweep()
    talk.connection.sweep()
    assert not talk.line.closed, "it is our turn to speak, not the caller's"
    talk.asked[0].reply(b"<a>")
    talk.connection.sweep()
    assert talk.line.closed, "answered, and silent for a whole interval"


def test_slow_drips_do_not_keep_a_connection() -> None:
    talk = Talk()
    data = post(b"/a", b"hello")
    talk.connection.sweep()
    talk.hear(data[:10])
    talk.connection.sweep()
    assert [(each.status, each.rule) for each in talk.refused] == [(408, "slow")]
    assert lingers(talk)
    talk.hear(data[10:])
    assert talk.asked == []
    talk.connection.sweep()
    assert talk.line.closed


def test_a_patient_caller_is_told_to_go_on_when_its_turn_comes() -> None:
    head = b"POST /b HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    talk = Talk().hear(get(b"GET", b"/a"), head)
    assert talk.line.said == b"", "a reply is owed before"
    talk.asked[0].reply(b"<a>")
    assert talk.line.said == b"<a>HTTP/1.1 100 Continue\r\n\r\n"
    talk.hear(b"hi")
    talk.asked[1].reply(b"<b>")
    assert talk.line.said.endswith(b"\r\n\r\n<b>")
    assert talk.line.said.count(b"100 Continue") == 1


def test_a_patient_caller_with_too_much_to_say_is_refused_at_once() -> None:
    talk = Talk(body_limit=10).hear(b"POST /b HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
    assert talk.line.said == b"<refused 413>"
    assert lingers(talk)


@pytest.mark.parametrize("size", [10, 11])
def test_the_limit_of_a_body_is_the_largest_that_is_taken(size: int) -> None:
    for raw in (post(b"/", bytes(size)), chunked(b"/", bytes(size), 4)):
        talk = Talk(body_limit=10).hear(raw)
        assert (len(talk.asked), [each.status for each in talk.refused]) == ((1, []) if size == 10 else (0, [413]))


def test_a_head_may_have_as_many_bytes_as_is_said() -> None:
    fits = get(b"GET", b"/", b"X: " + b"a" * (HEAD_LIMIT - 100))
    assert len(Talk().hear(fits).asked) == 1
    large = get(b"GET", b"/", b"X: " + b"a" * HEAD_LIMIT)
    for pieces in ([large], [large[at : at + 1000] for at in range(0, len(large), 1000)]):
        talk = Talk().hear(*pieces)
        assert [each.status for each in talk.refused] == [431]
        assert talk.asked == []


@pytest.mark.parametrize(
    ("raw", "status", "rule"),
    [
        (b"PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405, "method"),
        (b"POST / HTTP/1.1\r\n\r\n", 411, "length"),
        (b"CONNECT t:80 HTTP/1.1\r\n\r\n", 405, "method"),
        (b"\x16\x03\x01\x02\x00", 400, "http"),
    ],
)
def test_what_is_no_request_here_is_refused_once_and_closed(raw: bytes, status: int, rule: str) -> None:
    talk = Talk().hear(raw, raw)
    assert [(each.status, each.rule) for each in talk.refused] == [(status, rule)]
    assert talk.asked == []
    assert lingers(talk), "closed now, the connection might be reset before its caller has read why"
    assert not talk.connection.eof_received(), "its caller is done, so the transport may close"


def test_a_refused_caller_is_listened_to_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LINGER_LIMIT", 100)
    talk = Talk().hear(b"nonsense\r\n\r\n", bytes(99))
    assert lingers(talk)
    talk.hear(b"x")
    assert (talk.line.said, talk.line.closed) == (b"<refused 400>", True)
    behind = Talk().hear(get(b"GET", b"/a"), b"nonsense\r\n\r\n", bytes(100))
    assert not behind.line.closed, "replies are owed"
    behind.asked[0].reply(b"<a>")
    assert (behind.line.said, behind.line.closed) == (b"<a><refused 400>", True)


def test_a_refused_caller_that_says_nothing_more_is_closed_by_the_sweep() -> None:
    talk = Talk().hear(b"nonsense\r\n\r\n")
    talk.connection.sweep()
    assert lingers(talk), "it may be reading"
    talk.connection.sweep()
    assert talk.line.closed
    secured = Talk(line=Line(can_end=False)).hear(b"nonsense\r\n\r\n")
    assert (secured.line.said, secured.line.closed) == (b"<refused 400>", False)
    stopping = Talk().hear(b"nonsense\r\n\r\n")
    stopping.connection.finish()
    assert stopping.line.closed


def test_what_was_asked_before_nonsense_is_still_answered_first() -> None:
    talk = Talk().hear(get(b"GET", b"/a"), b"nonsense\r\n\r\n")
    assert talk.line.said == b""
    talk.asked[0].reply(b"<a>")
    assert talk.line.said == b"<a><refused 400>"
    assert lingers(talk)


def test_a_known_head_may_wait_for_its_body_all_the_same() -> None:
    whole = post(b"/a", b"x", b"Expect: 100-continue")
    talk = Talk(at_once=True).hear(whole, whole, whole[:-1])
    assert len(talk.asked) == 2
    assert talk.line.said.endswith(b"<2>HTTP/1.1 100 Continue\r\n\r\n")
    assert talk.hear(b"x").meant[2][2] == b"x"


WISHES = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAA")
"""What Java's client adds to its first request, whatever its method."""


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_wish_for_another_protocol_is_passed_over(size: int) -> None:
    stream = b"".join(
        [
            get(b"GET", b"/a", *WISHES, b"Accept: x"),
            post(b"/b", b"GET / HTTP/1.1", *WISHES),
            chunked(b"/c", b"hello", 2).replace(b"Host: t", b"Host: t\r\nUpgrade: h2c\r\nConnection: upgrade"),
            get(b"HEAD", b"/d"),
            post(b"/e", b"last", b"Connection: close, upgrade", b"Upgrade: websocket"),
        ]
    )
    talk = Talk(at_once=True).hear(*(stream[at : at + size] for at in range(0, len(stream), size)))
    assert [each[:3] for each in talk.meant] == [
        (b"GET", b"/a", b""),
        (b"POST", b"/b", b"GET / HTTP/1.1"),
        (b"POST", b"/c", b"hello"),
        (b"HEAD", b"/d", b""),
        (b"POST", b"/e", b"last"),
    ]
    assert talk.meant[0][4] == {b"accept": b"x"}
    assert (talk.line.said, talk.line.closed, talk.refused) == (b"<1><2><3><4><5>", True, [])


def test_a_wish_does_not_lift_the_limits() -> None:
    assert [each.status for each in Talk(body_limit=3).hear(post(b"/", b"hello", *WISHES)).refused] == [413]
    assert [
        each.rule for each in Talk().hear(b"POST / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").refused
    ] == ["length"]
    patient = Talk().hear(
        post(b"/", b"", *WISHES, b"Expect: 100-continue")[:-4].replace(b"Length: 0", b"Length: 2") + b"\r\n\r\n"
    )
    assert patient.line.said == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_wishes_without_end_are_read_one_after_the_other() -> None:
    talk = Talk(at_once=True).hear(get(b"GET", b"/", *WISHES) * 2000)
    assert len(talk.asked) == 2000


def test_a_full_memory_of_heads_starts_again() -> None:
    wire = Talk().wire
    for at in range(5000):
        wire.learn(b"%d" % at, cast(Any, None))
    assert 0 < len(wire.heads) <= 2048
    assert b"4999" in wire.heads


@pytest.mark.parametrize(
    "raw",
    [
        get(b"GET", b"/a", b"X: " + b"a" * 1100),
        chunked(b"/a", b"hello", 2),
        post(b"/a", b"x", b"Connection: close"),
        post(b"/a", b"x") + post(b"/a", b"y"),
        post(b"/a", b"x") + b"G",
    ],
)
def test_only_plain_heads_with_their_whole_body_are_remembered(raw: bytes) -> None:
    talk = Talk().hear(raw)
    assert talk.asked
    assert talk.heads == {}
    learned = Talk().hear(post(b"/a", b"xyz"))
    assert list(learned.heads) == [post(b"/a", b"xyz")[:-3]]
