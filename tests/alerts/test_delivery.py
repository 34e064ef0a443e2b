"""Tries are bounded, further and further apart, in order, and under one id."""

from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.samples import T0, delivery, finding

from headgate.alerts.alert import Notice, found_again, raised, told
from headgate.alerts.delivery import (
    LONGEST_PAUSE,
    NEVER_ANSWERED,
    TRIES,
    Answer,
    Delivery,
    Outcome,
    answered,
    begun,
    due,
    exhausted,
    pause_after,
    planned,
)
from headgate.vocabulary import HOUR, SECOND, Micros

FAILED = Answer(False, "HTTP 500 from example.com")
TAKEN = Answer(True, "HTTP 200 from example.com")


def tried(each: Delivery, answer: Answer, now: Micros) -> Delivery:
    return answered(begun(each, now), answer, now)


def test_a_delivery_that_fails_is_tried_a_bounded_number_of_times() -> None:
    each, now = delivery(), T0
    moments = [now]
    while each.outcome is Outcome.WAITING:
        each = tried(each, FAILED, now)
        now = each.next_try
        moments.append(now)
    assert (each.outcome, each.tries, each.said) == (Outcome.GIVEN_UP, TRIES, FAILED.said)
    assert len(moments) == TRIES + 1
    assert 6 * HOUR < each.ended - T0 < 8 * HOUR if each.ended else False


def test_each_answer_has_its_end() -> None:
    assert tried(delivery(), TAKEN, T0).outcome is Outcome.DELIVERED
    assert tried(tried(delivery(), FAILED, T0), TAKEN, T0).tries == 2
    gone = tried(delivery(), Answer(False, "HTTP 410", final=True), T0)
    assert (gone.outcome, gone.tries, gone.ended) == (Outcome.GIVEN_UP, 1, T0)


@given(st.integers(1, 40), st.floats(-1e9, 1e9) | st.just(float("inf")))
def test_a_channel_gets_the_time_it_asks_for_within_bounds(tries: int, asked: float) -> None:
    pause = pause_after(tries, asked)
    assert pause_after(tries) <= pause <= LONGEST_PAUSE
    assert pause >= min(asked * SECOND, LONGEST_PAUSE) - 1


def test_a_try_whose_answer_nobody_heard_counts_as_one() -> None:
    each = begun(delivery(), T0)
    assert (each.tries, each.said, each.next_try) == (1, NEVER_ANSWERED, T0 + 2 * SECOND)
    for _ in range(TRIES - 1):
        assert exhausted(each, each.next_try) is None
        each = begun(each, each.next_try)
    assert exhausted(each, T0) is None
    spent = exhausted(each, each.next_try)
    assert spent is not None
    assert (spent.outcome, spent.tries) == (Outcome.GIVEN_UP, TRIES)


def test_ids_are_the_same_here_and_other_elsewhere() -> None:
    alert = raised(finding())
    later = told(told(alert, Notice.RAISED, T0), Notice.WORSE, T0)
    ids = [
        planned(each, Notice.RAISED, channel, secret, T0).id
        for each in (alert, later, raised(finding(subject="distance")), raised(finding(), 2))
        for channel in ("ops", "chat")
        for secret in (b"a" * 32, b"b" * 32)
    ]
    assert len(set(ids)) == len(ids) == 16
    assert planned(alert, Notice.RAISED, "ops", b"a" * 32, Micros(7)).id == ids[0]
    assert all(len(each) == 32 for each in ids)


def test_every_revision_follows_the_one_before() -> None:
    each = begun(delivery(), T0)
    assert [delivery().revision, each.revision, answered(each, TAKEN, T0).revision] == [1, 2, 3]


def test_a_channel_hears_of_one_alert_in_order_and_of_others_meanwhile() -> None:
    alert = told(raised(finding()), Notice.RAISED, T0)
    ended = told(found_again(alert, finding()), Notice.OVER, T0)
    other = told(raised(finding(subject="distance")), Notice.RAISED, T0)
    first = begun(planned(alert, Notice.RAISED, "ops", b"s", T0), T0)
    second = planned(ended, Notice.OVER, "ops", b"s", Micros(T0 + 1))
    beside = planned(other, Notice.RAISED, "ops", b"s", Micros(T0 + 2))
    elsewhere = planned(ended, Notice.OVER, "chat", b"s", Micros(T0 + 1))
    now = Micros(T0 + SECOND)
    assert due([elsewhere, beside, second, first], now) == {"chat": [elsewhere], "ops": [beside]}
    later = Micros(T0 + 2 * SECOND)
    assert due([elsewhere, beside, second, first], later) == {"ops": [first, beside], "chat": [elsewhere]}
    assert due([second, beside], now) == {"ops": [second, beside]}
    assert due([], now) == {}
