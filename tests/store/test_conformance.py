"""Every store keeps the same promises: memory, SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headgate.store.sql import SqlStore
from headgate.testing import conformance_alerts, conformance_runs
from headgate.testing.conformance_store import CHECKS, Store
from headgate.testing.memory import MemoryStore


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.full)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    match request.param:
        case "memory":
            yield MemoryStore()
            return
        case "sqlite":
            opened = SqlStore(tmp_path / "store.sqlite")
        case _:
            opened = SqlStore(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_store(check: Callable[[Store], None], store: Store) -> None:
    check(store)


@pytest.mark.parametrize("check", conformance_alerts.CHECKS, ids=lambda check: check.__name__)
def test_store_of_alerts(check: Callable[[conformance_alerts.Store], None], store: conformance_alerts.Store) -> None:
    check(store)


@pytest.mark.parametrize("check", conformance_runs.CHECKS, ids=lambda check: check.__name__)
def test_store_of_runs(check: Callable[[conformance_runs.Store], None], store: conformance_runs.Store) -> None:
    check(store)
