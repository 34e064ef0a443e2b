"""The ways to tell people, as an operator writes them into ``channels.yaml`` of a home.

An endpoint's file goes from a laptop to a cluster and names channels; addresses and secrets belong to an
installation. No secret stands in this file: it says in which file, or in which variable of the environment, one is.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from headgate.alerts.decide import LOG
from headgate.alerts.finding import Severity
from headgate.contracts.text import read_document
from headgate.contracts.yaml_text import read_yaml
from headgate.errors import BadConfiguration
from headgate.vocabulary import NAME, NAME_RULE, readable

VARIABLES: Final = "HEADGATE_SECRET_"
"""How the name of every variable begins that may hold a secret: `headgate up` gives those to the controller alone."""
_ADDRESS: Final = re.compile(r"[!-?A-~]+@[A-Za-z0-9][A-Za-z0-9.-]*")
_PRINTED: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|(?=.*:)[0-9A-Fa-f:.]{2,45}")


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is; one of both."""

    file: str | None = None
    """An absolute path; it is read at every try, so that a secret can be replaced while everything runs."""
    env: str | None = None
    """A variable of the environment that `headgate up` is started in, ``HEADGATE_SECRET_`` and more."""


@readable
class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that takes signed JSON over HTTP."""

    url: str
    """``https``, or ``http`` on this machine."""
    secret: Secret
    """What requests are signed with: ``whsec_`` and base64, or any text of 24 bytes and more."""
    least: Severity = Severity.INFO
    """The severity from which it is told."""


@readable
class Slack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incoming webhook of Slack, or of a chat that takes the same messages."""

    url: Secret
    """Where its address is: whoever knows that can write to the chat."""
    least: Severity = Severity.INFO
    """The severity from which it is told."""


@readable
class Email(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mail, handed to a server over SMTP."""

    host: str
    sender: str = msgspec.field(name="from")
    """The address it comes from."""
    to: list[str]
    """The addresses it goes to."""
    port: int = 587
    tls: str = "starttls"
    """``starttls``, ``tls`` from the first byte on, or ``none``, on this machine alone."""
    user: str | None = None
    """As whom to log in; None does not."""
    password: Secret | None = None
    least: Severity = Severity.INFO
    """The severity from which it is told."""


Channel = Webhook | Slack | Email
KINDS: Final[dict[str, type[Webhook] | type[Slack] | type[Email]]] = {
    "webhook": Webhook,
    "slack": Slack,
    "email": Email,
}
"""What ``kind`` may say."""


def load_channels(text: str, where: str) -> dict[str, Channel]:
    r"""The channels that YAML describes, by name.

    Raises BadConfiguration whose ``where`` is the given one and the key, and which repeats no value.

    >>> load_channels("channels:\n  chat: {kind: slack, url: {env: HEADGATE_SECRET_CHAT}}\n", "channels.yaml")
    {'chat': Slack(url=Secret(file=None, env='HEADGATE_SECRET_CHAT'), least=<Severity.INFO: 'info'>)}
    """
    document = read_yaml(text, where)
    if not isinstance(document, dict) or document.keys() != {"channels"} or not isinstance(document["channels"], dict):
        raise BadConfiguration(where, "must be one mapping called channels:, with a name for each channel")
    found = {}
    for name, words in document["channels"].items():
        place = f"{where}: channels.{name}"
        if not NAME.fullmatch(name) or name == LOG:
            raise BadConfiguration(place, f"a channel's name must match {NAME_RULE} and not be '{LOG}', which is there")
        found[name] = _read(words, place)
        for key, message in _faults(found[name]):
            raise BadConfiguration(f"{place}.{key}", message)
    return found


def secret_of(channel: Channel) -> Secret | None:
    """Where the secret of a channel is; None for one that needs none."""
    match channel:
        case Webhook(secret=secret) | Slack(url=secret):
            return secret
        case Email(password=password):
            return password


def url_fault(url: str) -> str | None:
    """What keeps messages from being sent to `url`; None where nothing does. The address itself is not repeated.

    >>> url_fault("https://example.com/hook"), url_fault("http://127.0.0.1:9000/hook")
    (None, None)
    >>> url_fault("http://example.com/hook")
    'must be https; without it whoever is on the way reads along'
    """
    if not _PRINTED.fullmatch(url):
        return "must be an address of ASCII letters and marks without spaces"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "must be an address such as https://HOST/PATH"
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(host) or port == 0:
        return "must be an address such as https://HOST/PATH"
    if parts.username is not None or parts.password is not None:
        return "must hold no user and no password"
    if parts.scheme == "http" and not is_here(host):
        return "must be https; without it whoever is on the way reads along"
    return None


def is_here(host: str) -> bool:
    """Whether `host` is this machine whatever a name server says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(words: Any, where: str) -> Channel:
    kind = words.get("kind") if isinstance(words, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadConfiguration(f"{where}.kind", f"must be one of {', '.join(KINDS)}")
    for key in ("secret", "url", "password"):
        if isinstance(words.get(key), str) and not (key == "url" and kind == "webhook"):
            raise BadConfiguration(
                f"{where}.{key}", f"does not stand in this file; write {key}: {{file: PATH}}, or {key}: {{env: NAME}}"
            )
    rest = {key: value for key, value in words.items() if key != "kind"}
    return read_document(rest, KINDS[kind], where)


def _faults(channel: Channel) -> Iterator[tuple[str, str]]:
    match channel:
        case Webhook(url=url, secret=secret):
            if (fault := url_fault(url)) is not None:
                yield "url", fault
            yield from _secret_faults("secret", secret)
        case Slack(url=place):
            yield from _secret_faults("url", place)
        case Email():
            yield from _mail_faults(channel)


def _mail_faults(mail: Email) -> Iterator[tuple[str, str]]:
    if not _HOST.fullmatch(mail.host):
        yield "host", "must be the name or the address of a machine"
    if not 0 < mail.port < 65536:
        yield "port", "must lie between 1 and 65535"
    if mail.tls not in ("starttls", "tls", "none"):
        yield "tls", "must be starttls, tls or none"
    if mail.tls == "none" and not is_here(mail.host):
        yield "tls", "may be none on this machine alone; without it whoever is on the way reads along"
    if not mail.to:
        yield "to", "must name at least one address"
    for key, address in (("from", mail.sender), *((f"to[{i}]", each) for i, each in enumerate(mail.to))):
        if not _ADDRESS.fullmatch(address):
            yield key, "must be an address such as name@example.com, without a name before it"
    if (mail.user is None) != (mail.password is None):
        yield "password", "goes with user, and user with password"
    if mail.password is not None:
        yield from _secret_faults("password", mail.password)


def _secret_faults(key: str, secret: Secret) -> Iterator[tuple[str, str]]:
    if (secret.file is None) == (secret.env is None):
        yield key, "must say file or env, and one of them alone"
    elif secret.file is not None and not secret.file.startswith("/"):
        yield f"{key}.file", "must be an absolute path"
    elif secret.env is not None and not re.fullmatch(f"{VARIABLES}[A-Z0-9_]+", secret.env):
        yield f"{key}.env", f"must be {VARIABLES} and capitals, digits or underscores"
