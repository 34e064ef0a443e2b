"""A real installation and both clients, so that whatever holds for one is shown for the other."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pytest
from tests.clients.weir import Weir

from headgate.testing.installation import Installation
from headgate_client import AsyncClient, Client, Decision, Endpoint, Label, Predictions


class AnyClient(Protocol):
    """What a test asks; either client."""

    def predict(self, endpoint: str, rows: Any, **more: Any) -> Predictions: ...
    def predict_table(self, endpoint: str, table: Any, **more: Any) -> Any: ...
    def label(self, endpoint: str, labels: list[Label], **more: Any) -> int: ...
    def decide(self, endpoint: str, decisions: list[Decision], **more: Any) -> int: ...
    def endpoint(self, endpoint: str, **more: Any) -> Endpoint: ...
    def ready(self, **more: Any) -> bool: ...
    def live(self, **more: Any) -> bool: ...
    def __enter__(self) -> "AnyClient": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Awaited:
    """The asynchronous client, each call awaited on one loop."""

    def __init__(self, *words: Any, **more: Any) -> None:
        self.runner = asyncio.Runner()
        self.client = AsyncClient(*words, **more)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self.client, name)
        return lambda *words, **more: self.runner.run(method(*words, **more))

    def __enter__(self) -> "Awaited":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.runner.run(self.client.close())
        self.runner.close()


Make = Callable[..., AnyClient]


@pytest.fixture(params=[Client, Awaited], ids=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a client of either kind."""
    kind: Make = request.param
    return kind


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`headgate up` with an endpoint ``e`` of two numbers, and the same again in the project ``other``."""
    with Installation(Path(tmp_path_factory.mktemp("clients")) / "home") as served:
        served.serve("e", {served.linear(): 1.0})
        yield served.start()


@pytest.fixture
def weir(installation: Installation) -> Iterator[Weir]:
    """Something unreliable before the gateway."""
    with Weir(installation.port) as made:
        yield made
