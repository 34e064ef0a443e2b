"""Any order of calls leaves memory and SQLite telling the same story."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.errors import Conflict, NotFound
from headgate.events import Event, EventKind
from headgate.registry.ports import Evaluation
from headgate.store.sql import SqlStore
from headgate.testing.conformance_store import Store, a_version
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros

PROJECTS = st.sampled_from(["default", "second"])
MODELS = st.sampled_from(["delay", "delay-2"])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
STEPS = st.one_of(
    st.tuples(st.just("version"), PROJECTS, MODELS, st.sampled_from(["sha256:1", "sha256:2", "sha256:3"]), TEXT),
    st.tuples(st.just("alias"), PROJECTS, MODELS, st.sampled_from(["champion", "b"]), st.integers(0, 3)),
    st.tuples(st.just("evaluation"), PROJECTS, st.just("delay:1"), st.booleans(), st.binary(max_size=8)),
    st.tuples(st.just("event"), PROJECTS, TEXT, st.sampled_from(EventKind), st.dictionaries(TEXT, st.floats(-9, 9))),
    st.tuples(st.just("endpoint"), PROJECTS, st.sampled_from(["a", "a-b", "ab"]), TEXT, st.booleans()),
)
Step = tuple[str, str, str, object, object]


def _take(store: Store, step: Step) -> object:
    """What the store answered, an absence included."""
    kind, project, name, *rest = step
    third, fourth = rest
    match kind:
        case "version":
            version = a_version(name, str(third), project)
            return store.add_version(msgspec.structs.replace(version, why=str(fourth)))
        case "alias":
            try:
                store.set_alias(project, name, str(third), int(str(fourth)))
            except NotFound as error:
                return str(error)
        case "evaluation":
            assert isinstance(fourth, bytes)
            store.add_evaluation(Evaluation(project, name, Micros(7), bool(third), fourth))
        case "event":
            assert isinstance(third, EventKind)
            assert isinstance(fourth, dict)
            store.add_event(Event(Micros(3), third, project, name, "somebody", "", fourth))
        case _:
            there = {each: text for _, each, text in store.endpoints(project)}
            try:
                store.put_endpoint(project, name, str(third), there.get(name) if fourth else "read long ago")
            except Conflict as error:
                return str(error)
    return None


def _story(store: Store) -> list[object]:
    """Everything that can be read."""
    told: list[object] = [store.endpoints()]
    for project in ("default", "second"):
        told += [store.versions(project), store.events(project), store.events(project, "", 2)]
        told += [store.evaluations(project, "delay:1"), store.endpoints(project)]
        told += [(store.aliases(project, model), store.versions(project, model)) for model in ("delay", "delay-2")]
    return told


@settings(max_examples=15)
@given(steps=st.lists(STEPS, max_size=12))
def test_same_story(steps: list[Step], tmp_path_factory: pytest.TempPathFactory) -> None:
    path: Path = tmp_path_factory.mktemp("store") / "store.sqlite"
    memory, sqlite = MemoryStore(), SqlStore(path)
    try:
        for step in steps:
            assert _take(memory, step) == _take(sqlite, step)
        told = _story(memory)
        assert _story(sqlite) == told
    finally:
        sqlite.close()
    again = SqlStore(path)
    assert _story(again) == told, "and so it does after it was closed"
    again.close()
