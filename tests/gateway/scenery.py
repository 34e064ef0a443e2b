"""Views, requests and placements without a socket or a model, for tests of what lies between doors and journal."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headgate.contracts.contract import Contract, Field, Kind, Output
from headgate.errors import Violation
from headgate.gateway.ask import Ask, make_ask
from headgate.gateway.metrics import Slab
from headgate.gateway.metrics.counting import EndpointCount
from headgate.gateway.reading import Reading
from headgate.gateway.view import Seat, Served, View, make_served, make_view
from headgate.registry.package import Engine, Manifest, ModelInput, ModelOutput, Signature
from headgate.registry.packages import FORMAT, Package
from headgate.runtimes.ports import Feeds, Outputs, Placement, Runtime
from headgate.traffic.traffic import Member, Traffic
from headgate.vocabulary import Digest, Task

BINARY = Output(Task.BINARY, classes=(0, 1), probability=True)
PLAIN = Contract((Field("a", Kind.NUMBER), Field("b", Kind.NUMBER)), BINARY)


class Silent(Placement):
    """A placement nobody is meant to ask."""

    @property
    def inline(self) -> Runtime | None:
        return None

    async def run(self, feeds: Feeds) -> Outputs:
        raise AssertionError("nobody asks here")

    async def close(self) -> None:
        pass


def served(
    contract: Contract = PLAIN, *, inputs: Sequence[ModelInput] = (), signature: Any = None, placement: Any = None
) -> Served:
    """A version of that contract; the model reads every field by itself unless `inputs` says otherwise."""
    wanted = list(inputs) or [_input(each) for each in contract.fields]
    said = signature or Signature(wanted, [ModelOutput("p", "float32", [])], prediction="p")
    manifest = Manifest(FORMAT, Engine.ONNX, "model.onnx", said, {}, {})
    package = Package(Path(), manifest, contract, Digest("sha256:" + "0" * 64))
    return make_served(package, contract, placement or Silent(), earned=True, rows_limit=10_000, replay=True)


def _input(field: Field) -> ModelInput:
    if field.kind is Kind.TENSOR:
        return ModelInput(field.name, "float32", [field.name], list(field.shape or [None]))
    dtype = "string" if field.kind in (Kind.TEXT, Kind.CATEGORY, Kind.IMAGE) else "float64"
    return ModelInput(field.name, dtype, [field.name], [1])


def serve_one_of_three(town: Any) -> None:
    """Publish a live version beside one that goes on loading, for it has no package, and one that nobody proved."""
    members = [
        Member("m:1", town.linear(), 1.0, proved=True),
        Member("m:2", "sha256:" + "0" * 64, 0.0, proved=True),
        Member("m:3", town.linear(bias=50.0), 0.0),
    ]
    town.publish(members)


def a_view(
    slab: Slab, weights: dict[str, float] | None = None, *, by: dict[str, Served] | None = None, **more: Any
) -> View:
    """A view of endpoint ``e``: versions by weight, all proved and plain unless `by` says which is served how."""
    weights = weights or {"m:1": 1.0}
    by = by or {}
    live = more.pop("live", next(iter(weights)))
    members = [Member(name, f"sha256:{name}", weight, proved=True) for name, weight in weights.items()]
    traffic = Traffic("default", "e", 1, live, members, "salt", **more)
    plain = served()
    parts = {each.digest: by.get(each.version, plain) for each in members}
    return make_view(traffic, parts, EndpointCount(slab, "default", "e"))


def a_reading(rows: Sequence[Any], **more: Any) -> Reading:
    """What a door read; rows are tuples of values or Violations."""
    clean = more.pop("clean", not any(isinstance(each, Violation) for each in rows))
    words: dict[str, Any] = {"flags": None, "id": None, "keys": None, "at": None, "deadline_ms": None}
    return Reading(rows, clean, **(words | more))


def an_ask(
    view: View,
    rows: Sequence[Any],
    *,
    pinned: Seat | None = None,
    finish: Callable[[Ask], None] | None = None,
    **more: Any,
) -> Ask:
    return make_ask(view, a_reading(rows, **more), finish or (lambda ask: None), pinned)


def numbered_ids(start: int = 0) -> Iterator[bytes]:
    """Sixteen bytes each, increasing."""
    at = start
    while True:
        yield at.to_bytes(16, "big")
        at += 1


def outputs(rows: int) -> Outputs:
    """One answer per row, each another."""
    yes = (np.arange(rows) + 1.0) / (rows + 1.0)
    return Outputs((yes > 0.5).astype(int), np.stack([1 - yes, yes], axis=1), {}, 7)
