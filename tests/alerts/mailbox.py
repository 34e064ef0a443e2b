"""A mail server on a real socket of this machine that takes or refuses what a test says: just enough of SMTP."""

import contextlib
import socket
import socketserver
import ssl
import threading
from collections.abc import Mapping
from types import TracebackType


class Mailbox:
    """Keeps the mails it took. Use it as a context.

    `replies` are whole reply lines by the command they answer, such as ``{"RCPT": "550 no"}``; with `tls` it offers
    STARTTLS, or speaks TLS from the first byte on where `from_first` says so.
    """

    def __init__(
        self,
        replies: Mapping[str, str] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        from_first: bool = False,
        silent: bool = False,
    ) -> None:
        self.mails: list[bytes] = []
        self.commands: list[str] = []
        self._replies = dict(replies or {})
        self._tls, self._from_first, self._silent = tls, from_first, silent
        self._ended = threading.Event()
        mailbox = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError), contextlib.ExitStack() as stack:  # whoever wrote may hang up
                    mailbox._converse(self.request, stack)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> "Mailbox":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _converse(self, connection: socket.socket, stack: contextlib.ExitStack) -> None:
        if self._silent:
            self._ended.wait(30)
            return
        if self._tls is not None and self._from_first:
            connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
        lines = connection.makefile("rwb")

        def say(line: str) -> None:
            lines.write(f"{line}\r\n".encode())
            lines.flush()

        say(self._replies.get("", "220 mail.example.com ESMTP"))
        while line := lines.readline():
            word = line.split()[0].decode().upper() if line.split() else ""
            self.commands.append(line.decode().strip())
            if word in self._replies:
                say(self._replies[word])
            elif word == "EHLO":
                offers = ["250-mail.example.com", "250-AUTH PLAIN"]
                offers += ["250-STARTTLS"] if self._tls is not None and not self._from_first else []
                for each in (*offers, "250 8BITMIME"):
                    say(each)
            elif word == "STARTTLS" and self._tls is not None:
                say("220 go on")
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
                lines = connection.makefile("rwb")
            elif word == "AUTH":
                say("235 welcome")
            elif word == "DATA":
                say("354 go on")
                mail = b""
                while (part := lines.readline()) not in (b".\r\n", b""):
                    mail += part
                self.mails.append(mail)
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")
