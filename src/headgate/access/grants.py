"""What a caller may do, and where: roles over scopes. Gateways, the control API and the command line ask here."""

from enum import StrEnum
from typing import Final

import msgspec

from headgate.errors import BadInput
from headgate.vocabulary import NAME, NAME_RULE

ANY: Final = "*"
EVERYWHERE: Final = "*/*"


class CallerRole(StrEnum):
    """What a caller may be allowed; none implies another, except `admin`."""

    PREDICT = "predict"
    """Ask an endpoint, and see what it takes."""
    LABEL = "label"
    """Tell an endpoint what turned out to be true."""
    REVIEW = "review"
    """Tell an endpoint what a person decided."""
    READ = "read"
    """Read an endpoint's journal over HTTP: status and windows."""
    OPERATE = "operate"
    """Change what runs, and see what there is."""
    ADMIN = "admin"
    """Everything."""


class Grant(msgspec.Struct, frozen=True):
    """Roles, and the scopes in which they hold."""

    roles: tuple[CallerRole, ...]
    scopes: tuple[str, ...]
    """Each ``project/endpoint``; ``*`` on either side stands for all."""

    def allows(self, role: CallerRole, project: str, endpoint: str) -> bool:
        """Whether `role` holds at an endpoint; what belongs to no endpoint is asked for at ``*`` of ``*``.

        >>> grant = Grant((CallerRole.PREDICT,), ("shop/*",))
        >>> [grant.allows(CallerRole.PREDICT, *where) for where in (("shop", "late"), ("default", "late"))]
        [True, False]
        """
        if role not in self.roles and CallerRole.ADMIN not in self.roles:
            return False
        return any(_covers(scope, project, endpoint) for scope in self.scopes)


def _covers(scope: str, project: str, endpoint: str) -> bool:
    owner, _, name = scope.partition("/")
    return owner in (ANY, project) and name in (ANY, endpoint)


def roles_of(words: tuple[str, ...]) -> tuple[CallerRole, ...]:
    """Roles from words, each once, in the order of the list above. Raises BadInput."""
    known = {each.value for each in CallerRole}
    if not words or not set(words) <= known:
        raise BadInput("role", "domain", f"must be of {', '.join(each.value for each in CallerRole)}")
    return tuple(each for each in CallerRole if each.value in words)


def scope_of(text: str, project: str) -> str:
    """A scope as people write it: an endpoint of `project`, or ``project/endpoint``; ``*`` for all. Raises BadInput.

    >>> scope_of("late", "shop"), scope_of("*", "shop"), scope_of("other/late", "shop"), scope_of("*/*", "shop")
    ('shop/late', 'shop/*', 'other/late', '*/*')
    """
    owner, slash, name = text.rpartition("/")
    parts = (owner if slash else project, name)
    if not all(part == ANY or NAME.fullmatch(part) for part in parts):
        raise BadInput("scope", "name", f"must be an endpoint or project/endpoint, each {NAME_RULE} or *")
    return "/".join(parts)
