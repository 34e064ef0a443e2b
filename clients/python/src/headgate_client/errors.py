"""Every error the client raises, in the server's words.

::

    HeadgateError
    ├── Refused             the request must change; it is never sent again by itself
    │   ├── BadInput        a value broke a rule: `field` and `rule` name them
    │   ├── NotFound        no such endpoint, version or path
    │   └── NotAllowed      the key is missing, wrong, or lacks the right
    ├── Passing             trying again may help, after `retry_after` seconds where the server says so
    │   ├── Unavailable     overloaded, loading, or its journal cannot be written
    │   ├── DeadlineExceeded  the time given ran out before an answer
    │   └── NoReply         the connection failed, or ended before the reply did
    └── BadReply            whoever answered does not speak Headgate, or has a fault of its own
"""


class HeadgateError(Exception):
    """A call did not work; the attributes say where and why."""

    def __init__(
        self,
        message: str,
        *,
        field: str = "request",
        rule: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(f"{field}: {message}")
        self.message = message
        """What is wrong and what to do, without the value."""
        self.field = field
        """Where: a path such as ``rows[3].distance``, or ``request``."""
        self.rule = rule
        """The rule that broke, one of the server's words, such as ``range``; empty where there is none."""
        self.status = status
        """The HTTP status; None when there was no reply, or nothing was sent."""
        self.retry_after = retry_after
        """Seconds after which the server wants to be asked again; None when it did not say."""
        self.attempts = attempts
        """How often the request was sent."""


class Refused(HeadgateError):
    """The request must change."""


class BadInput(Refused):
    """A value broke a rule."""


class NotFound(Refused):
    """No such endpoint, version or path."""


class NotAllowed(Refused):
    """The key is missing, wrong, or lacks the right."""


class Passing(HeadgateError):
    """Trying again may help."""


class Unavailable(Passing):
    """The server is overloaded, loading, or cannot write its journal."""


class DeadlineExceeded(Passing):
    """The time given ran out before an answer."""


class NoReply(Passing):
    """The connection failed, or ended before the reply did."""


class BadReply(HeadgateError):
    """Whoever answered does not speak Headgate, or has a fault of its own."""
