"""How a model failed, as an error: its kind decides what is done, its message is what may be repeated of it."""

from typing import Final

from headgate.errors import FailureKind, RuntimeFailed

MESSAGE_LIMIT: Final = 300
"""Characters of a model's own message that are passed on."""


def failed(error: BaseException) -> RuntimeFailed:
    """The error of a model as a RuntimeFailed.

    >>> str(failed(ValueError("bad")))
    'the model raised ValueError: bad'
    """
    return RuntimeFailed(f"the model raised {described(error)}", kind=FailureKind.RAISED)


def not_there() -> RuntimeFailed:
    """The error of a call to a host that cannot be reached."""
    return RuntimeFailed("the runtime host is not there yet", kind=FailureKind.NOT_THERE)


def died() -> RuntimeFailed:
    """The error of a call whose host was lost meanwhile."""
    return RuntimeFailed("the runtime host died", kind=FailureKind.DIED)


def unquoted(error: RuntimeFailed) -> RuntimeFailed:
    """`error` without the model's own words, for callers and the journal: a model likes to quote the row it fails on.

    >>> str(unquoted(failed(ValueError("could not convert string to float: 'secret'"))))
    'the model raised ValueError'
    """
    if error.kind is not FailureKind.RAISED:
        return error
    # The name of a class has no colon, so that what stands before the first one is ours.
    return RuntimeFailed(str(error).partition(":")[0], error.retry_after, kind=error.kind)


def is_prompt(error: Exception) -> bool:
    """Whether a failure cost its caller next to no time: the model raised something, or its host is not there.

    >>> is_prompt(failed(ValueError("bad"))), is_prompt(died())
    (True, False)
    """
    return isinstance(error, RuntimeFailed) and error.kind in (FailureKind.RAISED, FailureKind.NOT_THERE)


def is_of_rows(error: Exception) -> bool:
    """Whether other rows may fare better than those asked: the failure is not that the process was lost.

    >>> is_of_rows(failed(ValueError("bad"))), is_of_rows(died())
    (True, False)
    """
    return not (isinstance(error, RuntimeFailed) and error.kind in (FailureKind.NOT_THERE, FailureKind.DIED))


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
