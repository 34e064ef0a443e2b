"""A bound on everything one try takes: a peer that sends a byte now and then must not hold its caller for ever.

The timeout of a socket begins anew with every byte; this does not.
"""

import contextlib
import socket
import ssl
import threading
import time
from queue import Empty, SimpleQueue
from types import TracebackType


class Deadline:
    """Ends a conversation `seconds` after it began. Use it as a context.

    >>> with Deadline(10.0) as deadline:
    ...     deadline.expired
    False
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        """Whether it came before the conversation's end."""
        self._end = 0.0
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def connected(self, host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
        """A connection to the first address of `host` that answers, encrypted and verified where `tls` is given.

        Raises OSError, of which ssl.SSLError is one, when there is none in time.
        """
        failure: OSError = OSError(0, "the name has no address")
        for address in self._addresses(host, port):
            try:
                plain = socket.create_connection((address, port), timeout=self._left())
            except OSError as error:
                failure = error
                continue
            return self.watch(plain) if tls is None else self._encrypted(plain, host, tls)
        raise failure

    def watch(self, connection: socket.socket) -> socket.socket:
        """`connection`, which the deadline ends from now on."""
        with self._lock:
            self._sockets.append(connection)
            late = self.expired
        if late:
            _end(connection)
        return connection

    def failure(self, host: str, error: Exception) -> str:
        """Why a conversation with `host` failed, in words that hold no more of its address.

        >>> with Deadline(10.0) as deadline:
        ...     deadline.failure("example.com", ConnectionRefusedError(111, "Connection refused"))
        'example.com could not be reached: connection refused'
        """
        # A socket's own timeout may come a moment sooner than the deadline's, and not every library lets it through.
        if self.expired or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            return f"{host} did not answer within {self.seconds:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {host} was not accepted: {error.verify_message}"
        if isinstance(error, OSError) and error.strerror:
            return f"{host} could not be reached: {error.strerror.lower()}"
        return f"{host} hung up, or speaks another protocol ({type(error).__name__})"

    def _encrypted(self, plain: socket.socket, host: str, tls: ssl.SSLContext) -> socket.socket:
        try:
            connection = tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except OSError:
            plain.close()
            raise
        # Watched before it shakes hands: that takes several messages of a peer nobody knows yet.
        self.watch(connection)
        try:
            connection.do_handshake()
        except OSError:
            connection.close()
            raise
        return connection

    def _addresses(self, host: str, port: int) -> list[str]:
        """Where `host` is. Asked on a thread of its own: nothing can hurry a name server, and nobody waits for it."""
        found: SimpleQueue[list[str] | OSError] = SimpleQueue()
        threading.Thread(target=_resolve, args=(host, port, found), name="name server", daemon=True).start()
        try:
            answer = found.get(timeout=self._left())
        except Empty as error:
            raise TimeoutError("timed out") from error
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            sockets = list(self._sockets)
        for each in sockets:
            _end(each)


def _resolve(host: str, port: int, found: "SimpleQueue[list[str] | OSError]") -> None:
    try:
        found.put([str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
    except OSError as error:
        found.put(error)
    except UnicodeError:  # a part of the name is longer than one can be
        found.put(OSError(0, "it is no name of a machine"))


def _end(connection: socket.socket) -> None:
    """Wake whoever reads from `connection` or writes to it."""
    with contextlib.suppress(OSError):  # it is closed already
        # The plain way, also of an encrypted one: its own would take the cipher from under a reader's feet.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
