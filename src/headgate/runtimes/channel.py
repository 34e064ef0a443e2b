"""One end of a connection between a runtime host and a caller: frames in, frames out, never waiting.

The host, the event-loop client and the command-line client drive the same Channel, each with its own way to wait until
the socket is ready. Large arrays go through memory files (``memfd_create``) whose descriptors travel with the frame,
so that a batch of 100 MB stands in memory twice and not five times.
"""

import fcntl
import mmap
import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

from headgate.errors import RuntimeFailed
from headgate.runtimes.ports import Array
from headgate.runtimes.wire import FRAME_LIMIT, HEAD_LIMIT, PREFIX, Head, Packed, Place, read_arrays, read_head

_READ: Final = 1 << 18
_DESCRIPTOR: Final = Struct("i")
_ANCILLARY: Final = socket.CMSG_LEN(64 * _DESCRIPTOR.size)
"""Bytes for the descriptors that arrive with one read."""
_GATHER: Final = 1 << 16
"""Frames up to this many bytes are joined and sent in one go."""
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Closed(Exception):  # never leaves this room: clients turn it into RuntimeFailed
    """The other end is gone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that arrived."""

    head: Head
    arrays: list[Array]


class Channel:
    """Frames over a non-blocking Unix socket, which it owns."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._landing = memoryview(bytearray(_READ))  # reading into what is there is quicker than asking for more
        self._incoming = bytearray()
        self._descriptors: deque[int] = deque()
        self._outgoing: deque[tuple[memoryview, list[int]]] = deque()

    def fileno(self) -> int:
        """The socket's descriptor, to wait on; -1 once closed."""
        return self._socket.fileno()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket to take them."""
        return sum(len(buffer) for buffer, _ in self._outgoing)

    def send(self, packed: Packed) -> bool:
        """Queue a frame and send what the socket takes; whether all of it left. Raises Closed."""
        descriptors: list[int] = []
        try:
            descriptors.extend(map(_memory_file, packed.shared))
        except OSError:
            _close_all(descriptors)
            raise
        length = sum(len(each) for each in packed.buffers)
        if length <= _GATHER:
            self._outgoing.append((memoryview(b"".join(packed.buffers)), descriptors))
        else:
            for each in packed.buffers:
                if len(each):
                    self._outgoing.append((memoryview(each), descriptors))
                    descriptors = []
        return self.flush()

    def flush(self) -> bool:
        """Send what the socket takes; whether nothing is left. Raises Closed."""
        while self._outgoing:
            buffer, descriptors = self._outgoing[0]
            try:
                sent = (
                    socket.send_fds(self._socket, [buffer], descriptors) if descriptors else self._socket.send(buffer)
                )
            except BlockingIOError:
                return False
            except OSError as error:
                raise Closed from error
            _close_all(descriptors)  # the kernel holds its own references from the first byte on
            if sent == len(buffer):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = (buffer[sent:], [])
        return True

    def receive(self) -> list[Frame]:
        """The frames that arrived in full since the last call. Raises Closed, or RuntimeFailed for garbage."""
        try:
            received, ancillary, _flags, _address = self._socket.recvmsg_into((self._landing,), _ANCILLARY)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Closed from error
        for level, kind, raw in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = len(raw) - len(raw) % _DESCRIPTOR.size
                self._descriptors.extend(each for (each,) in _DESCRIPTOR.iter_unpack(raw[:whole]))
        if not received:
            raise Closed
        self._incoming += self._landing[:received]
        return self._take_frames()

    def _take_frames(self) -> list[Frame]:
        frames: list[Frame] = []
        incoming, start = self._incoming, 0
        while len(incoming) - start >= PREFIX.size:
            head_length, body_length = PREFIX.unpack_from(incoming, start)
            if head_length > HEAD_LIMIT or body_length > FRAME_LIMIT:
                raise RuntimeFailed("the runtime host and its caller do not understand each other")
            body = start + PREFIX.size + head_length
            end = body + body_length
            if len(incoming) < end:
                break
            with memoryview(incoming) as view:
                head, payload = read_head(bytes(view[start + PREFIX.size : body])), bytes(view[body:end])
            frames.append(Frame(head, read_arrays(head, payload, self._shared(head))))
            start = end
        if start:
            del incoming[:start]
        return frames

    def _shared(self, head: Head) -> Iterator[memoryview]:
        for spec in head.arrays:
            if spec.place == Place.SHARED:
                if not self._descriptors:
                    return
                yield _look_into(self._descriptors.popleft(), spec.size)

    def close(self) -> None:
        """Close the socket and every descriptor that nobody took; closing twice is no error."""
        self._socket.close()
        _close_all(list(self._descriptors))
        self._descriptors.clear()
        for _, descriptors in self._outgoing:
            _close_all(descriptors)
        self._outgoing.clear()


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """A name for a Unix socket at `path` that fits the kernel's 107 bytes however long the path is.

    Valid inside the ``with`` block only: it goes through a descriptor of the directory.
    """
    if len(os.fsencode(path)) <= 107:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def connect(path: Path) -> Channel:
    """A channel to the host that listens at `path`; Unix sockets connect without waiting. Raises Closed."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with short_address(path) as address:
            connection.connect(address)
    except OSError as error:
        connection.close()
        raise Closed from error
    return Channel(connection)


def _memory_file(array: Array) -> int:
    descriptor = os.memfd_create("headgate", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(array.data).cast("B")
        while view:
            view = view[os.write(descriptor, view) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _look_into(descriptor: int, size: int) -> memoryview:
    """The bytes of a memory file; they stay mapped for as long as somebody looks at them."""
    try:
        # Reading past the end of a file that its sender may still shorten would kill this process.
        sealed = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS == _SEALS
        if not sealed or os.fstat(descriptor).st_size != size:
            raise RuntimeFailed("the runtime host and its caller do not understand each other")
        return memoryview(mmap.mmap(descriptor, size, prot=mmap.PROT_READ))
    finally:
        os.close(descriptor)


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
