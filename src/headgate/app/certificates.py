"""TLS for the ports callers reach: contexts from PEM files, made anew when the files change.

Connections that stand keep what they were made with; every new handshake gets the newest context.
"""

import logging
import os
import ssl
from pathlib import Path

from headgate.access.pems import Pems
from headgate.errors import BadConfiguration
from headgate.settings import Settings

log = logging.getLogger("headgate.tls")


class Certificates:
    """The certificate of one process, and the authorities its callers' certificates must come from."""

    def __init__(self, cert: Path, key: Path | None = None, client_ca: Path | None = None) -> None:
        """Raises BadConfiguration when the files hold no certificate with its key."""
        self._files = (cert, key, client_ca)
        self._seen = self._marks()
        self.context, self._pems = self._make()
        """What servers are started with; it hands every handshake on to the newest context."""
        self._newest = self.context
        self.context.sni_callback = self._hand_on

    def pems(self) -> Pems:
        """The files as they were when they were last good."""
        return self._pems

    def look(self) -> bool:
        """Whether the files changed; new handshakes get what they say now, or what they said before if that is bad."""
        marks = self._marks()
        if marks == self._seen:
            return False
        self._seen = marks
        try:
            self._newest, self._pems = self._make()
        except BadConfiguration as error:
            log.error("the certificate stays as it was: %s", error)
            return False
        log.info("new connections are served with the certificate that is in %s now", self._files[0])
        return True

    def _hand_on(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if connection.context is not self._newest:
            connection.context = self._newest

    def _make(self) -> tuple[ssl.SSLContext, Pems]:
        cert, key, client_ca = self._files
        # Read before they are judged: files replaced in between have other marks at the next look.
        callers = None if client_ca is None else _read(client_ca, "--tls-client-ca")
        pems = Pems(_read(key or cert, "--tls-key" if key else "--tls-cert"), _read(cert, "--tls-cert"), callers)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as error:
            raise BadConfiguration("--tls-cert", f"{cert} and its key cannot be used: {_reason(error)}") from error
        if client_ca is not None:
            try:
                context.load_verify_locations(client_ca)
            except (OSError, ssl.SSLError) as error:
                raise BadConfiguration("--tls-client-ca", f"{client_ca} cannot be used: {_reason(error)}") from error
            context.verify_mode = ssl.CERT_REQUIRED
            # A resumed session is not verified again, so it could outlive the authority that vouched for it. TLS 1.2
            # resumes by a session's id too, from a cache that `ssl` cannot switch off; 1.3 does by tickets alone.
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.num_tickets = 0
        return context, pems

    def _marks(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_mark(each) for each in self._files if each is not None)


def certificates_of(settings: Settings) -> Certificates | None:
    """The certificates `settings` name; None when its ports speak plain HTTP. Raises BadConfiguration."""
    if settings.tls_cert is None:
        for flag, value in (("--tls-key", settings.tls_key), ("--tls-client-ca", settings.tls_client_ca)):
            if value is not None:
                raise BadConfiguration(flag, "goes with --tls-cert; name the certificate too")
        return None
    return Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca)


def _read(path: Path, flag: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadConfiguration(flag, f"{path} cannot be used: {_reason(error)}") from error


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _reason(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return (reason or "unknown reason").replace("_", " ").lower()
