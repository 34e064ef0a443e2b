"""Composes how callers are known, for gateways and the control API. Needs the base install alone.

Tokens are read with the extra ``auth``, which is looked for only where a home has rules for tokens.
"""

import importlib
import logging
import os
from pathlib import Path
from typing import Final, NoReturn

from headgate.access.identity import Identity
from headgate.access.oidc import Rules, load_rules
from headgate.access.ports import TokenReader
from headgate.clock import SystemClock
from headgate.errors import BadConfiguration, HeadgateError, MissingExtra, Unauthenticated
from headgate.settings import Home
from headgate.store.home import read_secret
from headgate.store.keyfiles import FileKeys
from headgate.vocabulary import Micros

RULES: Final = "oidc.yaml"
JWKS: Final = "jwks.json"
log = logging.getLogger("headgate.access")


def open_identity(home: Home) -> Identity:
    """Knows the callers of `home`: by the keys published there, and by tokens where it has rules for them.

    Raises BadConfiguration or MissingExtra when there are rules that cannot be followed.
    """
    return Identity(FileKeys(home.keys), read_secret(home), SystemClock(), FileTokens(home.keys))


def asks_who_calls(home: Home) -> bool:
    """Whether callers of `home` must show who they are."""
    return FileKeys(home.keys).read().required or (home.keys / RULES).exists()


def rules_of(folder: Path) -> Rules | None:
    """The rules for tokens in the keys' folder of a home, None when it has none. Raises BadConfiguration."""
    path = folder / RULES
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(str(path), "cannot be read as text") from error
    return load_rules(text, str(path))


class FileTokens:
    """The rules in ``oidc.yaml`` over the signing keys in ``jwks.json``, read again when either changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[object, ...] | None = None
        self._reader: TokenReader | None = None

    def changed(self) -> bool:
        """Whether either file was written since the last `read`."""
        return self._marks() != self._seen

    def read(self) -> TokenReader | None:
        """The reader for what the files say. Raises BadConfiguration or MissingExtra, the first time alone."""
        first, self._seen = self._seen is None, self._marks()
        try:
            reader = self._open()
        except HeadgateError as error:
            if first:
                raise
            log.error("the rules for tokens stay as they were: %s", error)
            # Rules that cannot be followed were meant to close a door, so that door is closed.
            self._reader = self._reader or _Nobody("the rules for tokens cannot be followed; its log says why")
        else:
            # Rules that vanish do not open a door: tokens of the last ones are refused only after a restart.
            self._reader = reader or self._reader
        return self._reader

    def _open(self) -> TokenReader | None:
        rules = rules_of(self._folder)
        if rules is None:
            return None
        try:
            tokens = importlib.import_module("headgate.access.tokens")
        except ModuleNotFoundError as error:
            raise MissingExtra("reading OpenID tokens", "auth") from error
        path = self._folder / JWKS
        try:
            jwks = path.read_bytes()
        except FileNotFoundError:
            if rules.jwks_url is None:
                raise BadConfiguration(str(path), "is missing; put the issuer's JSON Web Key Set there") from None
            jwks = b""
        if not jwks:
            return _Nobody("the issuer's signing keys were not fetched yet; try again in a moment")
        reader: TokenReader = tokens.Tokens(rules, jwks, str(path))
        return reader

    def _marks(self) -> tuple[object, ...]:
        return tuple(_mark(self._folder / name) for name in (RULES, JWKS))


class _Nobody:
    """Refuses every token, saying why."""

    def __init__(self, why: str) -> None:
        self._why = why

    def identify(self, token: str, now: Micros) -> NoReturn:
        raise Unauthenticated(self._why)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
