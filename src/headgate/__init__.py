"""Headgate serves a model, remembers every prediction and the label that comes later, and measures it.

>>> import headgate
>>> headgate.__version__
'0.1.0'
"""

from typing import TYPE_CHECKING

from headgate.vocabulary import VERSION

if TYPE_CHECKING:
    from headgate.app.facade import open_home as open  # noqa: A004 - the public name is `headgate.open`
    from headgate.client import connect

__all__ = ["__version__", "connect", "open"]
__version__ = VERSION


def __getattr__(name: str) -> object:
    # `headgate --help` and an edge device import this package without the platform's libraries, so the two
    # doors below are opened on first use; everything else is imported where it stands.
    if name == "open":
        from headgate.app.facade import open_home  # noqa: PLC0415 - see above

        return open_home
    if name == "connect":
        from headgate.client import connect  # noqa: PLC0415 - see above

        return connect
    raise AttributeError(f"module 'headgate' has no attribute '{name}'")
