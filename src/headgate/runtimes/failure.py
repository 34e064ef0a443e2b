"""Says of an exception from somebody's model what may be repeated of it: its class and a clipped message."""

from typing import Final

from headgate.errors import RuntimeFailed

MESSAGE_LIMIT: Final = 300
"""Characters of a model's own message that are passed on."""


def failed(error: BaseException) -> RuntimeFailed:
    """The error of a model as a RuntimeFailed.

    >>> str(failed(ValueError("bad")))
    'the model raised ValueError: bad'
    """
    return RuntimeFailed(f"the model raised {described(error)}")


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
