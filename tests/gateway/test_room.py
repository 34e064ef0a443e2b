"""Room for rows, and who is refused when there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import Overloaded
from headgate.gateway.room import Account, Room


def test_strangers_share_one_account_and_have_all_of_the_room() -> None:
    room = Room(10)
    room.enter(None, 10)
    with pytest.raises(Overloaded):
        room.enter(None, 1)
    room.leave(None, 1)
    room.enter(None, 1)


def test_a_caller_alone_may_have_all_of_the_room() -> None:
    room, caller = Room(10), Account("a")
    with pytest.raises(Overloaded):
        room.enter(caller, 11)
    assert (room.waiting, room.callers) == (0, 0), "who is refused takes no room"
    room.enter(caller, 10)


def test_a_knock_asks_for_one_row_and_takes_none() -> None:
    room, flood, calm = Room(2), Account("flood"), Account("calm")
    room.enter(flood, 1)
    room.knock(flood)
    room.enter(flood, 1)
    with pytest.raises(Overloaded):
        room.knock(flood)
    room.knock(calm)
    assert (room.waiting, calm.waiting) == (2, 0)


def test_who_holds_more_than_a_fair_share_is_refused_first() -> None:
    room, flood, calm = Room(10), Account("flood"), Account("calm")
    room.enter(flood, 10)
    with pytest.raises(Overloaded):
        room.enter(calm, 6)
    room.enter(calm, 5)
    with pytest.raises(Overloaded):
        room.enter(flood, 1)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 12), st.booleans()), max_size=80))
def test_the_room_is_kept(steps: list[tuple[int, int, bool]]) -> None:
    room, accounts = Room(10), [Account(str(n)) for n in range(6)]
    for who, rows, leaves in steps:
        account = accounts[who]
        before = room.waiting
        if leaves:
            if account.waiting:
                room.leave(account, min(rows, account.waiting))
        else:
            try:
                room.enter(account, rows)
            except Overloaded:
                others = sum(each.waiting > 0 for each in accounts if each is not account)
                assert before + rows > 10
                assert (account.waiting + rows) * (others + 1) > 10 or before + rows > 20
                continue
        assert room.waiting == sum(each.waiting for each in accounts) <= 20
        assert room.callers == sum(each.waiting > 0 for each in accounts)


def test_who_is_answered_within_a_turn_makes_no_room_before_its_end() -> None:
    room, caller = Room(2), Account("a")
    room.enter(caller, 1)
    room.enter(None, 1)
    room.leave(caller, 1, room.turn)
    with pytest.raises(Overloaded):
        room.enter(None, 1)
    room.next_turn()
    assert (room.waiting, caller.waiting, room.callers) == (1, 0, 1)
    room.enter(caller, 1)
    before = room.turn
    room.next_turn()
    room.leave(caller, 1, before)
    assert (room.waiting, caller.waiting) == (1, 0)
