"""Libraries that want a word before they are imported. Called by their importers and by their runtime engines."""

import contextlib
import importlib.util
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Final

from headgate.errors import MissingExtra

BACKENDS: Final = ("tensorflow", "torch", "jax")
"""What Keras can compute with, in the order they are taken when nobody says which."""
_VARIABLE: Final = "KERAS_BACKEND"
_UNWANTED: Final = tuple(f"sklearn.externals.array_api_compat.{each}" for each in ("torch", "cupy", "dask"))


def import_keras(prefer: str = "") -> Any:
    """The ``keras`` module. ``KERAS_BACKEND`` says its backend, else `prefer` is it, else the first installed one.

    Keras reads the variable once, when it is first imported, and fails when that backend is not installed; so it is
    set before. Raises MissingExtra without Keras or without any backend.
    """
    if "keras" not in sys.modules:
        there = [each for each in dict.fromkeys((prefer, *BACKENDS)) if each in BACKENDS and _installed(each)]
        if not _installed("keras") or not (there or _VARIABLE in os.environ):
            raise MissingExtra("a Keras model", "keras")
        os.environ.setdefault(_VARIABLE, there[0] if there else "")
    try:
        import keras  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a Keras model", "keras") from error
    return keras


def import_skops() -> Any:
    """The ``skops.io`` module. Raises MissingExtra without it.

    When imported it walks through all of scikit-learn, and so through a bridge that loads PyTorch wherever that is
    installed: seconds, and hundreds of megabytes in every runtime host. The bridges look absent meanwhile.
    """
    absent = [each for each in _UNWANTED if each not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is Python's own word for "not there"
    try:
        import skops.io  # noqa: PLC0415  adapter
    except ImportError as error:
        raise MissingExtra("a scikit-learn model in a skops file", "platform") from error
    finally:
        for each in absent:
            sys.modules.pop(each, None)
    return skops.io


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No warnings and nothing printed while a library works that talks without being asked."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
