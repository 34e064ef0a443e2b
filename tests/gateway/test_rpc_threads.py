"""Threads of calls: as many as are needed at once and no more than allowed, and whoever asks hears of the end once."""

import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.gateway.rpc.threads import CallThreads, Work

PATIENCE = 30.0


def told(over: threading.Event, _: Future[Any]) -> None:
    over.set()


def noted(heard: list[int], place: int, _: Future[Any]) -> None:
    heard.append(place)


def test_further_work_waits_for_a_thread() -> None:
    threads, gate, begun = CallThreads(2), threading.Event(), threading.Semaphore(0)
    met: list[tuple[int, str]] = []

    def work(name: int) -> None:
        met.append((name, threading.current_thread().name))
        begun.release()
        gate.wait(PATIENCE)

    for name in range(5):
        threads.submit(work, name)
    assert all(begun.acquire(timeout=PATIENCE) for _ in range(2))
    assert not begun.acquire(timeout=0.05), "a third one began on two threads"
    gate.set()
    threads.shutdown()
    assert [name for name, _ in met][2:] == [2, 3, 4], "what waits is done in turn, before the end"
    assert len({thread for _, thread in met}) == 2


def test_a_thread_that_is_idle_is_used_again() -> None:
    threads, names = CallThreads(8), set[str]()
    for _ in range(20):
        over = threading.Event()
        work = threads.submit(lambda: names.add(threading.current_thread().name))
        work.add_done_callback(partial(told, over))
        assert over.wait(PATIENCE)
    threads.shutdown()
    # A thread tells the end of its work before it counts as idle, so that now and then one more is made.
    assert len(names) < 8


def test_what_fails_ends_as_well_and_keeps_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    threads, over = CallThreads(1), threading.Event()
    threads.submit(lambda: 1 // 0)
    threads.submit(int).add_done_callback(lambda _: over.set())
    assert over.wait(PATIENCE)
    threads.shutdown()
    assert "ZeroDivisionError" in caplog.text


def test_after_the_end_nothing_is_taken() -> None:
    threads = CallThreads(1)
    threads.shutdown()
    with pytest.raises(RuntimeError, match="ended"):
        threads.submit(int)


def test_what_waits_may_be_dropped() -> None:
    threads, gate, begun = CallThreads(1), threading.Event(), threading.Event()
    met: list[int] = []

    def work() -> None:
        begun.set()
        gate.wait(PATIENCE)

    threads.submit(work)
    assert begun.wait(PATIENCE)
    threads.submit(met.append, 1)
    threads.shutdown(wait=False, cancel_futures=True)
    gate.set()
    threads.shutdown()
    assert met == []


@settings(max_examples=30)
@given(early=st.integers(0, 3), late=st.integers(0, 3))
def test_everybody_hears_of_the_end_once(early: int, late: int) -> None:
    heard: list[int] = []
    work = Work(int)
    for place in range(early):
        work.add_done_callback(partial(noted, heard, place))
    work.run()
    for place in range(early, early + late):
        work.add_done_callback(partial(noted, heard, place))
    assert heard == list(range(early + late))


def test_the_end_is_heard_once_while_it_happens() -> None:
    for _ in range(200):
        work, start = Work(int), threading.Barrier(2)
        heard: list[int] = []

        def asks(work: Work = work, heard: list[int] = heard, start: threading.Barrier = start) -> None:
            start.wait(PATIENCE)
            for place in range(5):
                work.add_done_callback(partial(noted, heard, place))

        asking = threading.Thread(target=asks)
        asking.start()
        start.wait(PATIENCE)
        work.run()
        asking.join(PATIENCE)
        assert sorted(heard) == list(range(5))
