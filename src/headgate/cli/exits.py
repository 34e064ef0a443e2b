"""The one table from errors to exit codes; programs that call the command line may rely on it."""

from typing import Final

from headgate.errors import (
    BadConfiguration,
    BadInput,
    Conflict,
    Forbidden,
    GateFailed,
    HeadgateError,
    HomeInUse,
    IntegrityError,
    MissingExtra,
    NewerSchema,
    NotFound,
    PassingError,
    TrustRequired,
    Unauthenticated,
)

EXIT_CODES: Final = {
    0: "it worked",
    1: "it failed for a reason not listed here",
    2: "the command line is wrong",
    3: "a value or file broke a rule",
    4: "no such endpoint, version or file",
    5: "it exists already, changed meanwhile, or is in use",
    6: "no: a gate did not pass, a watched rollout was not promoted, doctor found something, or no cores are enough",
    7: "an optional part is not installed",
    8: "opening this would run code; say --trust",
    9: "a configuration file or flag is wrong",
    10: "bytes on disk are not what was registered",
    11: "the home was written by a newer Headgate",
    12: "try again later: something is busy, late or down",
    13: "no key or token was shown, or it is unknown, revoked or expired",
    14: "the key or token does not allow this",
}

_CODES: Final[tuple[tuple[type[HeadgateError], int], ...]] = (
    (BadInput, 3),
    (NotFound, 4),
    (Conflict, 5),
    (HomeInUse, 5),
    (GateFailed, 6),
    (MissingExtra, 7),
    (TrustRequired, 8),
    (BadConfiguration, 9),
    (IntegrityError, 10),
    (NewerSchema, 11),
    (PassingError, 12),
    (Unauthenticated, 13),
    (Forbidden, 14),
)


def exit_code(error: HeadgateError) -> int:
    """The exit code of an error's class.

    >>> exit_code(NotFound("endpoint", "flights"))
    4
    """
    return next((code for kind, code in _CODES if isinstance(error, kind)), 1)
