"""Both clients behind something that drops, hangs, lies and sends halves: what is sent again, how often, how long."""

import asyncio
import threading
import time

import pytest
from tests.clients.conftest import Make
from tests.clients.weir import (
    Trick,
    Weir,
    babbles,
    drips,
    drops,
    drops_after_asking,
    halves,
    hangs,
    hangs_halfway,
    says,
)

from headgate.testing.installation import Installation
from headgate_client import (
    AsyncClient,
    BadInput,
    BadReply,
    ById,
    DeadlineExceeded,
    HeadgateError,
    Label,
    NoReply,
    NotAllowed,
    Prediction,
    Refused,
    Retries,
    Unavailable,
)

ROW = {"f0": 0.5, "f1": -0.25}
QUICK = Retries(base=0.01)
BUSY = {"error": {"field": "request", "rule": "overloaded", "message": "too many rows wait already"}}


@pytest.mark.parametrize("trick", [drops, drops_after_asking, halves, babbles, says(502), says(504)])
def test_a_failed_attempt_is_made_again_under_the_same_name(make: Make, weir: Weir, trick: Trick) -> None:
    weir.tricks.append(trick)
    with make(weir.url, retries=QUICK) as client:
        found = client.predict("e", [ROW])
    assert found.is_complete
    assert found.attempts == 2
    assert {each.json["id"] for each in weir.seen} == {found.request_id}


def test_what_was_answered_three_times_counts_once(make: Make, installation: Installation, weir: Weir) -> None:
    with installation.open() as hg:
        before = hg.counts("e")
    weir.tricks.extend([drops_after_asking, halves])
    with make(weir.url, retries=QUICK) as client:
        assert client.predict("e", [ROW, ROW]).attempts == 3
    with installation.open() as hg:
        after = hg.counts("e")
    assert after.inputs - before.inputs == 2
    assert after.repeated - before.repeated == 4


def test_labels_told_twice_count_once(make: Make, installation: Installation, weir: Weir) -> None:
    with make(weir.url, retries=QUICK) as client:
        row = client.predict("e", [ROW])[0]
        assert isinstance(row, Prediction)
        with installation.open() as hg:
            before = hg.counts("e").labelled
        weir.tricks.append(drops_after_asking)
        assert client.label("e", [Label(ById(row.id), 1)]) == 1
        assert len({each.json["labels"][0]["observed_at"] for each in weir.seen[-2:]}) == 1
    with installation.open() as hg:
        assert hg.counts("e").labelled - before == 1


def test_retry_after_is_honoured_twice(make: Make, weir: Weir) -> None:
    weir.tricks.extend([says(503, BUSY, "Retry-After: 1")] * 2)
    began = time.monotonic()
    with make(weir.url, retries=QUICK) as client:
        found = client.predict("e", [ROW])
    assert found.attempts == 3
    assert time.monotonic() - began >= 2.0


def test_a_wait_beyond_the_deadline_is_not_begun(make: Make, weir: Weir) -> None:
    weir.tricks.append(says(503, BUSY, "Retry-After: 30"))
    began = time.monotonic()
    with make(weir.url) as client, pytest.raises(Unavailable) as busy:
        client.predict("e", [ROW], deadline=5.0)
    assert time.monotonic() - began < 2.0
    assert (busy.value.retry_after, busy.value.rule, busy.value.status, busy.value.attempts) == (
        30,
        "overloaded",
        503,
        1,
    )


def test_the_last_failure_is_told_when_attempts_run_out(make: Make, weir: Weir) -> None:
    weir.tricks.extend([drops] * 3)
    with make(weir.url, retries=Retries(attempts=3, base=0.01)) as client, pytest.raises(NoReply) as lost:
        client.predict("e", [ROW])
    assert lost.value.attempts == 3
    assert len(weir.seen) == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadInput), (401, NotAllowed), (403, NotAllowed), (405, Refused), (409, Refused), (413, BadInput),
     (418, Refused), (422, BadInput), (500, BadReply), (501, BadReply)],
)  # fmt: skip
def test_what_cannot_help_is_not_tried_again(make: Make, weir: Weir, status: int, kind: type[HeadgateError]) -> None:
    weir.tricks.append(says(status, {"error": {"field": "rows", "rule": "size", "message": "no"}}))
    with make(weir.url, retries=QUICK) as client, pytest.raises(HeadgateError) as refused:
        client.predict("e", [ROW])
    assert type(refused.value) is kind
    assert (refused.value.field, refused.value.rule, refused.value.message) == ("rows", "size", "no")
    assert refused.value.attempts == len(weir.seen) == 1


@pytest.mark.parametrize("trick", [hangs, hangs_halfway, drips])
def test_a_deadline_bounds_whatever_the_server_does(make: Make, weir: Weir, trick: Trick) -> None:
    weir.tricks.extend([trick] * 4)
    began = time.monotonic()
    with make(weir.url) as client, pytest.raises(DeadlineExceeded) as late:
        client.predict("e", [ROW], deadline=0.6)
    assert 0.55 < time.monotonic() - began < 1.2
    assert (late.value.rule, late.value.attempts) == ("deadline", 1)


def test_a_deadline_bounds_all_attempts_together(make: Make, weir: Weir) -> None:
    weir.tricks.extend([says(503, BUSY)] * 200)
    began = time.monotonic()
    often = Retries(attempts=1000, base=0.1, longest=0.1)
    with make(weir.url, retries=often) as client, pytest.raises(HeadgateError):
        client.predict("e", [ROW], deadline=0.5)
    assert time.monotonic() - began < 1.0
    stated = [each.json["deadline_ms"] for each in weir.seen]
    assert len(stated) > 2
    assert stated == sorted(stated, reverse=True)
    assert stated[0] <= 500


def test_patience_gives_a_hanging_server_up_and_asks_again(make: Make, weir: Weir) -> None:
    weir.tricks.append(hangs)
    with make(weir.url, retries=Retries(base=0.01, patience=0.3)) as client:
        found = client.predict("e", [ROW], deadline=10.0)
    assert found.attempts == 2
    assert [each.json["deadline_ms"] <= 300 for each in weir.seen] == [True, True]


@pytest.mark.parametrize("body", ["text", [], {"predictions": "none"}, {"predictions": []}, {"predictions": [7]}])
def test_a_reply_that_is_none_of_headgates_is_told_so(make: Make, weir: Weir, body: object) -> None:
    weir.tricks.append(says(200, body))
    with make(weir.url) as client, pytest.raises(BadReply):
        client.predict("e", [ROW])
    assert len(weir.seen) == 1


def test_nobody_listens(make: Make) -> None:
    with make("http://127.0.0.1:1", retries=QUICK) as client, pytest.raises(NoReply) as lost:
        client.predict("e", [{}])
    assert lost.value.attempts == 4
    assert lost.value.status is None


def test_a_cancelled_call_is_sent_no_more(weir: Weir) -> None:
    weir.tricks.extend([hangs] * 3)

    async def main() -> None:
        async with AsyncClient(weir.url, retries=Retries(patience=0.2)) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.predict("e", [ROW])
            await asyncio.sleep(0.3)

    asyncio.run(main())
    assert len(weir.seen) == 1


def test_tasks_and_threads_share_one_client(make: Make, weir: Weir) -> None:
    from headgate_client import Client

    async def together() -> list[int]:
        async with AsyncClient(weir.url, connections=4) as client:
            return [len(each) for each in await asyncio.gather(*(client.predict("e", [ROW]) for _ in range(24)))]

    assert asyncio.run(together()) == [1] * 24
    assert weir.connections <= 4
    answers: list[int] = []
    with Client(weir.url, connections=3) as client:
        ask = [threading.Thread(target=lambda: answers.append(len(client.predict("e", [ROW])))) for _ in range(12)]
        for each in ask:
            each.start()
        for each in ask:
            each.join(30)
    assert answers == [1] * 12
    assert weir.connections <= 7


@pytest.mark.parametrize("trick", [hangs, hangs_halfway, halves, drops, babbles])
def test_a_connection_that_failed_does_not_take_a_place_for_ever(make: Make, weir: Weir, trick: Trick) -> None:
    weir.tricks.append(trick)
    with make(weir.url, connections=1, retries=Retries(attempts=1)) as client:
        with pytest.raises(HeadgateError):
            client.predict("e", [ROW], deadline=0.5)
        assert client.predict("e", [ROW], deadline=5.0).is_complete
