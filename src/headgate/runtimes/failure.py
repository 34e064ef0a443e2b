"""Says of an exception from somebody's model what may be repeated of it: its class and a clipped message."""

from typing import Final

from headgate.errors import RuntimeFailed

NOT_THERE: Final = "the runtime host is not there yet"
DIED: Final = "the runtime host died"
_RAISED: Final = "the model raised "
MESSAGE_LIMIT: Final = 300
"""Characters of a model's own message that are passed on."""


def failed(error: BaseException) -> RuntimeFailed:
    """The error of a model as a RuntimeFailed.

    >>> str(failed(ValueError("bad")))
    'the model raised ValueError: bad'
    """
    return RuntimeFailed(f"{_RAISED}{described(error)}")


def unquoted(error: RuntimeFailed) -> RuntimeFailed:
    """`error` without the model's own words, for callers and the journal: a model likes to quote the row it fails on.

    >>> str(unquoted(failed(ValueError("could not convert string to float: 'secret'"))))
    'the model raised ValueError'
    """
    says = str(error)
    return RuntimeFailed(says.partition(":")[0], error.retry_after) if says.startswith(_RAISED) else error


def is_prompt(error: Exception) -> bool:
    """Whether a failure cost its caller next to no time: the model raised something, or its host is not there.

    >>> is_prompt(failed(ValueError("bad"))), is_prompt(RuntimeFailed(DIED))
    (True, False)
    """
    return str(error).startswith((_RAISED, NOT_THERE))


def is_of_rows(error: Exception) -> bool:
    """Whether other rows may fare better than those asked: the failure is not that the process was lost.

    >>> is_of_rows(failed(ValueError("bad"))), is_of_rows(RuntimeFailed(DIED))
    (True, False)
    """
    return str(error) not in (NOT_THERE, DIED)


def described(error: BaseException) -> str:
    r"""An exception in one line: its class, then its message, clipped.

    >>> described(KeyError()), described(ValueError("two\nlines"))
    ('KeyError', 'ValueError: two lines')
    """
    message = " ".join(str(error).split())
    if len(message) > MESSAGE_LIMIT:
        message = message[: MESSAGE_LIMIT - 1] + "…"
    name = type(error).__name__
    return f"{name}: {message}" if message else name
