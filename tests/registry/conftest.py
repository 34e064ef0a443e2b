"""A registry in memory, small frames to fit on, and registration with the real runtimes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headgate.clock import HeldClock
from headgate.registry.packages import PackageStore
from headgate.registry.register import Registered, Registration, register
from headgate.registry.registry import Registry
from headgate.runtimes.predictor import predict_with
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros

Register = Callable[..., Registered]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(MemoryStore(), PackageStore(tmp_path / "packages"), HeldClock(Micros(1_600_000_000_000_000)))


@pytest.fixture
def enter(registry: Registry) -> Register:
    """Registers a model with its reference frame, label column `y`."""

    def enter(model: object, reference: object, **said: Any) -> Registered:
        return register(registry, predict_with, model, reference, Registration(**{"name": "m", "label": "y"} | said))

    return enter


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """240 rows of numbers, a count, a category and a text, with a label that depends on the first two."""
    random = np.random.default_rng(7)
    found = pd.DataFrame(random.normal(size=(240, 3)), columns=["a", "b", "c"])
    found["k"] = random.integers(0, 50, 240)
    found["e"] = random.choice(["u", "v", "w"], 240)
    found["t"] = random.choice(["red dog", "blue cat now", "a fish"], 240)
    found["y"] = (found.a + found.b > 0).astype(int)
    return found


@pytest.fixture(scope="session")
def gappy(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with holes in a number and in the category."""
    found = frame.copy()
    found.loc[::7, "a"] = np.nan
    found.loc[::9, "e"] = None
    return found
