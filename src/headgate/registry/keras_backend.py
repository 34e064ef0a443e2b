"""Keras, imported with a backend that is installed here. Called by its importer and by its runtime engine."""

import importlib.util
import os
import sys
from typing import Any, Final

from headgate.errors import MissingExtra

BACKENDS: Final = ("tensorflow", "torch", "jax")
"""What Keras can compute with, in the order they are taken when nobody says which."""
_VARIABLE: Final = "KERAS_BACKEND"


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


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
