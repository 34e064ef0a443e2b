"""Frames carry arrays there and back unchanged, in whatever pieces the socket delivers them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headgate.errors import RuntimeFailed
from headgate.runtimes.channel import Channel, Closed, Frame
from headgate.runtimes.ports import Outputs
from headgate.runtimes.wire import PREFIX, Kind, pack_cancel, pack_done, pack_failed, pack_run, read_feeds, read_outputs

arrays = hnp.arrays(
    st.sampled_from(["<f4", "<f8", ">f8", "<i8", "|b1", "|u1"]), hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)
)
NO_TEXT = msgspec.msgpack.encode([1, Kind.FAILED, [], 0, 0, False, "text"]).replace(b"text", b"te\xfft")
objects = st.lists(st.none() | st.text(max_size=5) | st.binary(max_size=5), min_size=1, max_size=5).map(
    lambda values: np.array([*values, None], dtype=object)[:-1].reshape(-1, 1)
)


@contextmanager
def channels() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = (Channel(each) for each in socket.socketpair())
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def through(sender: Channel, receiver: Channel, packed: Any, frames: int = 1) -> list[Frame]:
    sent = sender.send(packed)
    found: list[Frame] = []
    while len(found) < frames:
        sent = sent or sender.flush()
        found += receiver.receive()
    return found


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=3), arrays | objects, min_size=1, max_size=4), st.sampled_from([0, 1, 64]))
def test_feeds_arrive_as_they_left(feeds: dict[str, Any], shared_from: int) -> None:
    with channels() as (ours, theirs):
        (frame,) = through(ours, theirs, pack_run(7, feeds, 5, shared_from))
    found = read_feeds(frame.head, frame.arrays)
    assert (frame.head.id, frame.head.kind, frame.head.budget_us) == (7, Kind.RUN, 5)
    assert list(found) == list(feeds)
    for name, array in feeds.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("scores", [None, np.array([[0.25, 0.75]])])
def test_outputs_arrive_as_they_left(scores: Any) -> None:
    outputs = Outputs(np.array(["yes"], dtype=object), scores, {"raw": np.ones((1, 2, 3), np.float32)}, 42)
    with channels() as (ours, theirs):
        (frame,) = through(ours, theirs, pack_done(3, outputs))
    found = read_outputs(frame.head, frame.arrays)
    assert found.prediction.tolist() == ["yes"]
    assert found.compute_us == 42
    assert found.arrays["raw"].shape == (1, 2, 3)
    if scores is None:
        assert found.scores is None
    else:
        np.testing.assert_array_equal(found.scores, scores)


@pytest.mark.parametrize("shared_from", [0, 1 << 18])
def test_arrays_larger_than_any_socket_buffer_arrive_whole(shared_from: int) -> None:
    large = np.arange(3_000_000, dtype=np.float64).reshape(-1, 3)
    with channels() as (ours, theirs):
        (frame,) = through(ours, theirs, pack_run(1, {"x": large, "y": large[:2]}, 0, shared_from))
        assert ours.unsent == 0
    np.testing.assert_array_equal(frame.arrays[0], large)
    np.testing.assert_array_equal(frame.arrays[1], large[:2])


def test_frames_sent_together_arrive_in_order() -> None:
    with channels() as (ours, theirs):
        for call in range(5):
            ours.send(pack_failed(call, RuntimeFailed("no")) if call % 2 else pack_cancel(call))
        found = theirs.receive()
    assert [(each.head.id, each.head.message) for each in found] == [(0, ""), (1, "no"), (2, ""), (3, "no"), (4, "")]


def test_a_peer_that_left_is_noticed() -> None:
    with channels() as (ours, theirs):
        theirs.close()
        with pytest.raises(Closed):
            ours.receive()
        with pytest.raises(Closed):
            ours.send(pack_cancel(1))


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        PREFIX.pack(3, 0) + b"abc",
        PREFIX.pack(1 << 21, 0),
        PREFIX.pack(0, 1 << 40),
        PREFIX.pack(len(NO_TEXT), 0) + NO_TEXT,
    ],
)
def test_bytes_that_are_no_frame_are_refused(garbage: bytes) -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    left.send(garbage)
    with pytest.raises(RuntimeFailed, match="do not understand"):
        channel.receive()
    channel.close()
    left.close()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_head_or_body_can_do_worse_than_be_refused(junk: bytes) -> None:
    left, right = socket.socketpair()
    channel = Channel(right)
    left.send(PREFIX.pack(len(junk) // 2, len(junk) - len(junk) // 2) + junk)
    try:
        channel.receive()
    except RuntimeFailed:
        pass
    finally:
        channel.close()
        left.close()


def test_a_memory_file_its_sender_could_still_shorten_is_refused() -> None:
    import os

    left, right = socket.socketpair()
    channel = Channel(right)
    packed = pack_run(1, {"x": np.zeros(8)}, 0, 1)
    unsealed = os.memfd_create("unsealed")
    os.write(unsealed, bytes(64))
    socket.send_fds(left, [b"".join(packed.buffers)], [unsealed])
    os.close(unsealed)
    with pytest.raises(RuntimeFailed):
        channel.receive()
    channel.close()
    left.close()
