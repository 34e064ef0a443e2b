"""The repository as the architecture tests see it."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def load(path: str) -> ModuleType:
    """A program of the repository that is no part of the package."""
    name = "repository_" + path.removesuffix(".py").replace("/", "_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def shape() -> ModuleType:
    return load("tools/shape.py")


@pytest.fixture(scope="session")
def rows() -> ModuleType:
    return load("acceptance/rows.py")


@pytest.fixture(scope="session")
def rundocs() -> ModuleType:
    return load("tools/rundocs.py")
