"""``tracking.yaml`` of a home: which tracking server there is, and what of it is followed.

Like channels, it belongs to an installation and not to an endpoint's file, and no secret stands in it.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from headgate.alerts.channels import VARIABLES, Secret, url_fault
from headgate.contracts.text import read_document
from headgate.contracts.yaml_text import read_yaml
from headgate.errors import BadConfiguration, BadInput
from headgate.tracking.models import read_uri
from headgate.vocabulary import NAME, NAME_RULE, readable

OVER_HTTP: Final = "must be https; without it whoever is on the way reads along"


class Followed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alias that an endpoint follows: when it is moved, its model is registered, proved and rolled out."""

    model: str
    """``models:/NAME@ALIAS``."""
    gates: tuple[str, ...] = ()
    """What a model must pass beside being no worse than the live version, as `headgate evaluate` reads it."""
    trust: bool = False
    """Whether a pickle from the server may be opened, which runs the code in it."""
    strategy: str = "canary"
    """How it takes traffic; `all_at_once` for none of the guards."""


@readable
class Tracking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says of a tracking server."""

    url: str
    """``https``, or ``http`` on this machine."""
    insecure: bool = False
    """Whether ``http`` to another machine may do."""
    user: str | None = None
    """As whom to log in with `password`; None does not."""
    password: Secret | None = None
    token: Secret | None = None
    """A bearer token in place of user and password."""
    experiment: str = "headgate"
    """Where runs are logged."""
    alias: str | None = "champion"
    """Pointed at a version once that is promoted; null points none."""
    push: bool = True
    """Whether a version that the server does not know is put there once it is promoted."""
    webhook: Secret | None = None
    """What the server's webhooks are signed with; without it none is heard."""
    follow: dict[str, Followed] = {}
    """By endpoint."""


def load_tracking(text: str, where: str) -> Tracking:
    r"""What the YAML of a ``tracking.yaml`` says.

    Raises BadConfiguration whose ``where`` is the given one and the key, and which repeats no value.

    >>> load_tracking("url: http://127.0.0.1:5000\n", "tracking.yaml").experiment
    'headgate'
    """
    found = read_document(read_yaml(text, where), Tracking, where)
    for key, message in _faults(found):
        raise BadConfiguration(f"{where}: {key}", message)
    return found


def _faults(said: Tracking) -> Iterator[tuple[str, str]]:
    fault = url_fault(said.url)
    if fault is not None and not (said.insecure and fault == OVER_HTTP):
        yield "url", fault if fault != OVER_HTTP else f"{fault} (or say insecure: true)"
    if (said.user is None) != (said.password is None):
        yield "password", "goes with user, and user with password"
    if said.token is not None and said.user is not None:
        yield "token", "stands in place of user and password; say one of both"
    for key, secret in (("password", said.password), ("token", said.token), ("webhook", said.webhook)):
        if secret is not None:
            yield from _secret_faults(key, secret)
    if not said.experiment.strip():
        yield "experiment", "must be a name"
    for endpoint, followed in said.follow.items():
        yield from _follow_faults(endpoint, followed)


def _follow_faults(endpoint: str, followed: Followed) -> Iterator[tuple[str, str]]:
    place = f"follow.{endpoint}"
    if not NAME.fullmatch(endpoint):
        yield place, f"an endpoint's name must match {NAME_RULE}"
    try:
        uri = read_uri(followed.model)
    except BadInput as error:
        yield f"{place}.model", error.message
    else:
        if uri.alias is None:
            yield f"{place}.model", "must name an alias, models:/NAME@ALIAS: a version never moves"


def _secret_faults(key: str, secret: Secret) -> Iterator[tuple[str, str]]:
    if (secret.file is None) == (secret.env is None):
        yield key, "must say file or env, and one of them alone"
    elif secret.file is not None and not secret.file.startswith("/"):
        yield f"{key}.file", "must be an absolute path"
    elif secret.env is not None and not re.fullmatch(f"{VARIABLES}[A-Z0-9_]+", secret.env):
        yield f"{key}.env", f"must be {VARIABLES} and capitals, digits or underscores"


def as_document(said: Tracking) -> dict[str, Any]:
    """The same as plain values, to be shown; it holds no secret."""
    found: dict[str, Any] = msgspec.to_builtins(said)
    return found
