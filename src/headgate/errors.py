"""Every error Headgate raises, with its policy; no transport is known here.

::

    HeadgateError
    ├── CallerError                 the caller must change something; trying again does not help
    │   ├── BadInput                a value broke a rule: names the field and the rule
    │   │   ├── ContractViolation   a row broke its contract
    │   │   └── BodyRefused         the bytes are not a request at all
    │   ├── NotFound                no such endpoint, version, package or file
    │   ├── Conflict                it exists already, or changed meanwhile
    │   ├── TrustRequired           would run somebody's code; say so with ``--trust``
    │   ├── GateFailed              a gate did not pass, or a rollout was not promoted
    │   ├── Unauthenticated         who calls was not shown: no key, or one that is not in force
    │   ├── Forbidden               who calls is known and may not do this
    │   └── MissingExtra            an optional part is not installed; names it
    ├── OperatorError               whoever runs this installation must act
    │   ├── BadConfiguration        a file or flag of the operator is wrong
    │   ├── IntegrityError          bytes on disk are not the bytes that were registered
    │   ├── NewerSchema             the home was written by a newer Headgate
    │   └── HomeInUse               another process holds what this one needs
    └── PassingError                nobody is to blame yet; trying again may help
        ├── Overloaded              no room in a queue
        ├── RateExceeded            the caller sends more rows than its key allows
        ├── DeadlineExceeded        the caller's time ran out before an answer
        ├── RuntimeFailed           the model erred, hung or died
        ├── JournalUnavailable      the journal cannot be written
        └── Unavailable             the part that should answer is not there yet
"""

from dataclasses import dataclass
from enum import StrEnum


class HeadgateError(Exception):
    """Something Headgate can name went wrong; the message says what to do."""


class CallerError(HeadgateError):
    """The caller must change something; trying again does not help."""


class BadInput(CallerError):
    """A value broke a rule.

    ``field`` is a path such as ``rows[3].distance``, ``rule`` one word of the rule that broke,
    ``message`` a sentence that never repeats the value itself, only its class.
    """

    def __init__(self, field: str, rule: str, message: str) -> None:
        field = printable(field)
        super().__init__(f"{field}: {message}")
        self.field = field
        self.rule = rule
        self.message = message


class ContractViolation(BadInput):
    """A row broke its contract."""


class BodyRefused(BadInput):
    """The bytes are not a request at all: not JSON, not UTF-8, truncated or too large."""


class NotFound(CallerError):
    """No such endpoint, version, package or file."""

    def __init__(self, what: str, name: str, hint: str = "") -> None:
        super().__init__(f"{what} '{name}' does not exist{'. ' + hint if hint else ''}")
        self.what = what
        self.name = name


class Conflict(CallerError):
    """It exists already, or changed since it was read."""


class TrustRequired(CallerError):
    """Opening this file would run code from it; trust must be said aloud."""


class GateFailed(CallerError):
    """A gate did not pass, or a rollout that was watched was not promoted."""


class Unauthenticated(CallerError):
    """Who calls was not shown: no key or token, or one that is unknown, revoked or expired."""


class Forbidden(CallerError):
    """Who calls is known and may not do this here."""


class MissingExtra(CallerError):
    """An optional part is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra '{extra}': pip install 'headgate[{extra}]'")
        self.extra = extra


class OperatorError(HeadgateError):
    """Whoever runs this installation must act."""


class BadConfiguration(OperatorError):
    """A file or flag of the operator is wrong; ``where`` names it, ``message`` is the rule it broke."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where
        self.message = message


class IntegrityError(OperatorError):
    """Bytes on disk are not the bytes that were registered."""


class NewerSchema(OperatorError):
    """The home was written by a newer Headgate; install that version or newer."""


class HomeInUse(OperatorError):
    """Another process holds what this one needs."""


class PassingError(HeadgateError):
    """Nobody is to blame yet; trying again may help after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(PassingError):
    """No room in a queue."""


class RateExceeded(PassingError):
    """The caller sends more rows than its key allows."""


class DeadlineExceeded(PassingError):
    """The caller's time ran out before an answer."""


class FailureKind(StrEnum):
    """What became of a model that was asked; callers are told the message, decisions are made by the kind."""

    RAISED = "raised"
    """The model raised something: the message ends with its own words, which may quote a row."""
    NOT_THERE = "not_there"
    """Its process was not there, so that it was not asked."""
    DIED = "died"
    """Its process was lost while it was asked."""
    OTHER = "other"
    """Anything else: it was late, or broke its contract, or was closed."""


class RuntimeFailed(PassingError):
    """The model erred, hung or died while it was asked.

    ``kind`` says which of them, for whoever must act on it.
    """

    def __init__(self, message: str, retry_after: float = 1.0, *, kind: FailureKind = FailureKind.OTHER) -> None:
        super().__init__(message, retry_after)
        self.kind = kind


class JournalUnavailable(PassingError):
    """The journal cannot be written: the disk is full or failing."""


class Unavailable(PassingError):
    """The part that should answer is not there yet."""


def printable(text: str) -> str:
    r"""`text` with half surrogate pairs, which JSON can spell and UTF-8 cannot, as question marks.

    >>> printable("flight\ud800")
    'flight?'
    """
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule as a value, for replies, journals and quarantine files."""

    field: str
    rule: str
    message: str

    def as_error(self) -> ContractViolation:
        """The same violation, to raise."""
        return ContractViolation(self.field, self.rule, self.message)
