"""The loop of a runtime host in this process: who is asked, who is left out, and who cannot harm whom."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, ClassVar

import numpy as np
import pytest

from headgate.errors import RuntimeFailed
from headgate.runtimes import serving
from headgate.runtimes.channel import Channel, Closed, connect
from headgate.runtimes.host import _listening, main
from headgate.runtimes.hosted import HostedRuntime
from headgate.runtimes.ports import Feeds, Outputs
from headgate.runtimes.serving import EXHAUSTED, Serving
from headgate.runtimes.wire import PREFIX, Kind, pack_cancel, pack_done, pack_run, read_outputs


class Model:
    """Echoes its rows, does what `act` says first, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[float]] = []
        self.act: Callable[[list[float]], object] = lambda rows: None
        self.gate = threading.Event()
        self.gate.set()

    def run(self, feeds: Feeds) -> Outputs:
        rows = feeds["x"][:, 0].tolist()
        self.asked.append(rows)
        self.gate.wait(10)
        said = self.act(rows)
        return said if isinstance(said, Outputs) else Outputs(np.array(rows), None, {}, 1)

    def close(self) -> None:
        pass


class Caller:
    """A caller that sends frames and reads answers, as slowly as a test wants."""

    made: ClassVar[list["Caller"]] = []

    def __init__(self, path: Path) -> None:
        self.made.append(self)
        self.channel: Channel = connect(path)
        self.frames: dict[int, Any] = {}

    def ask(self, call: int, *rows: float, budget_us: int = 0, wide: int = 1) -> None:
        feeds = {"x": np.tile(np.array(rows).reshape(-1, 1), (1, wide))}
        sent = self.channel.send(pack_run(call, feeds, budget_us))
        while not sent:
            sent = self.channel.flush()

    def answer(self, call: int, patience: float = 10.0) -> Any:
        """The rows of the answer, or what the host said instead."""
        end = monotonic() + patience
        while call not in self.frames:
            assert monotonic() < end, "nobody answered"
            self.frames |= {frame.head.id: frame for frame in self.channel.receive()}
            sleep(0.001)
        frame = self.frames[call]
        if frame.head.kind == Kind.FAILED:
            return frame.head.message
        return read_outputs(frame.head, frame.arrays).prediction.tolist()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.sock"


def play(path: Path, model: Model, scene: Callable[[Serving], None], **settings: Any) -> None:
    """Serves `model` from this thread, as a host must, while `scene` calls from another."""
    problems: list[BaseException] = []
    with _listening(path) as listener:
        host = Serving(model, listener, call_limit=30.0, **settings)

        def act() -> None:
            try:
                scene(host)
            except BaseException as problem:  # told to the test below
                problems.append(problem)
            model.gate.set()
            host.stop()
            with socket.socket(socket.AF_UNIX) as waker:  # so that it looks at once
                waker.connect(str(path))

        thread = threading.Thread(target=act)
        thread.start()
        host.serve()
        thread.join(20)
    for each in Caller.made:
        each.channel.close()
    Caller.made.clear()
    if problems:
        raise problems[0]


def until(true: Callable[[], bool]) -> None:
    end = monotonic() + 10
    while not true():
        assert monotonic() < end
        sleep(0.001)


def test_what_waits_together_is_asked_together(path: Path) -> None:
    model = Model()

    def scene(_: Serving) -> None:
        one, two = Caller(path), Caller(path)
        model.gate.clear()
        one.ask(1, 0.0)
        until(lambda: model.asked == [[0.0]])
        one.ask(2, 1.0, 2.0)
        two.ask(2, 3.0)
        two.ask(3, 4.0, wide=2)  # of another form: a call of its own
        sleep(0.02)
        model.gate.set()
        assert (one.answer(1), one.answer(2), two.answer(2), two.answer(3)) == ([0.0], [1.0, 2.0], [3.0], [4.0])
        assert sorted(map(sorted, model.asked[1:])) == [[1.0, 2.0, 3.0], [4.0]]

    play(path, model, scene)


def test_a_model_that_must_not_be_asked_together_is_asked_one_by_one(path: Path) -> None:
    model = Model()

    def scene(_: Serving) -> None:
        caller = Caller(path)
        model.gate.clear()
        for call in range(3):
            caller.ask(call, float(call))
        until(lambda: model.asked == [[0.0]])
        model.gate.set()
        assert [caller.answer(call) for call in range(3)] == [[0.0], [1.0], [2.0]]
        assert model.asked == [[0.0], [1.0], [2.0]]

    play(path, model, scene, batchable=False)


def test_rows_that_fail_together_are_asked_apart(path: Path) -> None:
    model = Model()

    def poison(rows: list[float]) -> None:
        if 7.0 in rows:
            raise ValueError("seven")

    model.act = poison

    def scene(_: Serving) -> None:
        caller = Caller(path)
        model.gate.clear()
        caller.ask(0, 0.0)
        until(lambda: model.asked == [[0.0]])
        for call, row in ((1, 1.0), (2, 7.0), (3, 3.0)):
            caller.ask(call, row)
        sleep(0.02)
        model.gate.set()
        assert [caller.answer(call) for call in range(4)] == [[0.0], [1.0], "the model raised ValueError: seven", [3.0]]

    play(path, model, scene)


@pytest.mark.parametrize("end", [SystemExit(3), KeyError("x"), RuntimeFailed("named already")])
def test_whatever_a_model_raises_is_said_and_the_host_goes_on(path: Path, end: BaseException) -> None:
    model = Model()

    def leave(rows: list[float]) -> None:
        if rows == [1.0]:
            raise end

    model.act = leave

    def scene(_: Serving) -> None:
        caller = Caller(path)
        caller.ask(1, 1.0)
        assert type(end).__name__ in caller.answer(1) or caller.answer(1) == str(end)
        caller.ask(2, 2.0)
        assert caller.answer(2) == [2.0]

    play(path, model, scene)


def test_an_answer_nobody_can_write_fails_its_call_alone(path: Path) -> None:
    model = Model()
    odd = np.empty(1, dtype=object)
    odd[0] = threading.Lock()
    model.act = lambda rows: Outputs(odd, None, {}, 1) if rows == [1.0] else None

    def scene(_: Serving) -> None:
        caller = Caller(path)
        caller.ask(1, 1.0)
        assert caller.answer(1).startswith("the model's answer cannot be sent: TypeError")
        caller.ask(2, 2.0)
        assert caller.answer(2) == [2.0]

    play(path, model, scene)


def test_what_nobody_waits_for_any_more_is_not_computed(path: Path) -> None:
    model = Model()

    def scene(_: Serving) -> None:
        caller, leaving = Caller(path), Caller(path)
        model.gate.clear()
        caller.ask(0, 0.0)
        until(lambda: model.asked == [[0.0]])
        caller.ask(1, 1.0)
        caller.channel.send(pack_cancel(1))
        caller.ask(2, 2.0, budget_us=1)
        caller.ask(4, 4.0)
        sleep(0.02)
        leaving.ask(3, 3.0)
        leaving.channel.close()
        model.gate.set()
        assert caller.answer(4) == [4.0]
        caller.ask(5, 5.0)
        assert caller.answer(5) == [5.0]
        assert model.asked == [[0.0], [4.0], [5.0]]

    play(path, model, scene, batchable=False)


@pytest.mark.parametrize("junk", [b"\xff" * 64, PREFIX.pack(4, 0) + b"junk", PREFIX.pack(2**30, 0)])
def test_a_caller_that_speaks_nonsense_is_let_go_and_nobody_else(path: Path, junk: bytes) -> None:
    model = Model()

    def scene(_: Serving) -> None:
        caller, noisy = Caller(path), socket.socket(socket.AF_UNIX)
        noisy.connect(str(path))
        noisy.sendall(junk)
        assert noisy.recv(1) == b""
        noisy.close()
        caller.ask(1, 1.0)
        assert caller.answer(1) == [1.0]

    play(path, model, scene)


@pytest.mark.parametrize("frame", [pack_run(1, {}, 0), pack_done(1, Outputs(np.zeros(1), None, {}, 1))])
def test_a_frame_no_caller_sends_ends_its_connection(path: Path, frame: Any) -> None:
    model = Model()

    def scene(_: Serving) -> None:
        odd = Caller(path)
        odd.channel.send(frame)
        with pytest.raises(Closed):
            odd.answer(1)
        assert model.asked == []

    play(path, model, scene)


def test_a_caller_that_never_reads_is_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNSENT_LIMIT", 1 << 20)
    model = Model()
    model.act = lambda rows: (
        Outputs(np.array(rows), None, {"y": np.zeros((len(rows), 300_000))}, 1) if 9.0 in rows else None
    )

    def scene(host: Serving) -> None:
        deaf, caller = Caller(path), Caller(path)
        caller.ask(1, 1.0)
        assert caller.answer(1) == [1.0]
        with suppress(Closed):  # it may be dropped before it has asked eight times
            for call in range(8):
                deaf.ask(call, 9.0)
        until(lambda: len(host._selector.get_map()) <= 3)  # the listener, the waker and one caller
        caller.ask(2, 1.0)  # not before: joined with the calls of the deaf one its own answer would be too large
        assert caller.answer(2) == [1.0]

    play(path, model, scene)


def test_a_slow_reader_gets_all_of_a_large_answer(path: Path) -> None:
    model = Model()
    large = np.arange(200_000.0).reshape(1, -1)
    model.act = lambda rows: Outputs(np.array(rows), None, {"y": large}, 1)

    def scene(_: Serving) -> None:
        caller = Caller(path)
        caller.ask(1, 1.0)
        sleep(0.05)
        assert caller.answer(1) == [1.0]
        frame = caller.frames[1]
        np.testing.assert_array_equal(read_outputs(frame.head, frame.arrays).arrays["y"], large)
        caller.ask(2, 2.0)
        assert caller.answer(2) == [2.0]

    play(path, model, scene)


def test_stopping_answers_what_waits(path: Path) -> None:
    model = Model()

    def scene(host: Serving) -> None:
        caller = Caller(path)
        model.gate.clear()
        caller.ask(1, 1.0)
        until(lambda: model.asked == [[1.0]])
        caller.ask(2, 2.0)
        sleep(0.02)
        host.stop()
        model.gate.set()
        assert caller.answer(1) == [1.0]

    play(path, model, scene)


def test_a_model_that_holds_all_memory_ends_its_process_and_a_large_call_does_not(path: Path) -> None:
    model = Model()

    def hungry(rows: list[float]) -> None:
        if rows[0] < 0:
            raise MemoryError

    def scene(host: Serving) -> None:
        model.act = hungry
        caller = Caller(path)
        for call, row in enumerate([-1.0, -1.0, 1.0] * EXHAUSTED):
            caller.ask(call, row)
            assert caller.answer(call) == ([row] if row > 0 else "the model raised MemoryError")
        assert not host.exhausted
        for call in range(100, 100 + EXHAUSTED):
            caller.ask(call, -1.0)
            assert "MemoryError" in caller.answer(call)
        until(lambda: host.exhausted)
        with suppress(Closed):  # it may have gone before it could be asked
            caller.ask(200, 1.0)
        with pytest.raises(Closed):
            caller.answer(200, 5.0)

    play(path, model, scene)


def test_a_host_whose_parent_is_gone_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_WATCH", 0.01)
    with _listening(path) as listener:
        Serving(Model(), listener, call_limit=1.0, parent_lives=lambda: False).serve()


def test_a_signal_wakes_a_host_that_waits(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_WATCH", 30.0)
    with _listening(path) as listener:
        host = Serving(Model(), listener, call_limit=1.0)
        before = signal.signal(signal.SIGUSR1, lambda number, frame: host.stop())
        try:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            began = monotonic()
            host.serve()
            assert monotonic() - began < 10
        finally:
            signal.signal(signal.SIGUSR1, before)


def test_the_socket_has_its_name_once_it_listens_and_a_successor_keeps_it(path: Path) -> None:
    with _listening(path):
        connect(path).close()
        assert path.stat().st_mode & 0o077 == 0, "others may not call"
        with _listening(path):  # a successor takes the name
            first = path.stat().st_ino
        assert not path.exists()
    with _listening(path):
        assert path.stat().st_ino != first or path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_host_that_is_replaced_leaves_its_successors_socket(path: Path) -> None:
    old = _listening(path)
    old.__enter__()
    with _listening(path):
        old.__exit__(None, None, None)
        connect(path).close()


def test_a_path_of_any_length_can_be_listened_at(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100) / "host.sock"
    with _listening(deep):
        connect(deep).close()


def test_a_child_whose_parent_is_another_does_not_begin(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--package", "nowhere", "--socket", str(path), "--parent", "1" if os.getppid() != 1 else "2"]) == 0
    assert not path.exists()
    with pytest.raises(SystemExit) as wrong:
        main(["--socket", str(path)])
    assert wrong.value.code == 2
    assert "--package" in capsys.readouterr().err


class Garbled:
    """A host that answers its first caller with nonsense and every later one well."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        first, _ = self.listener.accept()
        first.recv(1 << 16)
        first.sendall(PREFIX.pack(4, 0) + b"junk")
        second, _ = self.listener.accept()
        channel = Channel(second)
        while not (frames := channel.receive()):
            sleep(0.001)
        channel.send(pack_done(frames[0].head.id, Outputs(np.array([4.0]), None, {}, 1)))
        first.close()
        channel.close()


@pytest.fixture
def garbled(path: Path) -> Iterator[Garbled]:
    host = Garbled(path)
    yield host
    host.listener.close()
    host.thread.join(10)


def test_a_client_begins_anew_after_nonsense(path: Path, garbled: Garbled) -> None:
    client = HostedRuntime(path, call_timeout=10)
    with pytest.raises(RuntimeFailed, match="do not understand"):
        client.run({"x": np.zeros((1, 1))})
    assert client.run({"x": np.zeros((1, 1))}).prediction.tolist() == [4.0]
    client.close()
