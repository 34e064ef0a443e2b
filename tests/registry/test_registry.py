"""Names resolve to versions, or say what there is."""

import pytest

from headgate.errors import BadInput, NotFound
from headgate.events import EventKind
from headgate.registry.ports import Evaluation, Version
from headgate.registry.registry import Registry
from headgate.vocabulary import Micros


def add(registry: Registry, model: str, digest: str, parent: str | None = None, project: str = "default") -> Version:
    return registry.records.add_version(
        Version(project, model, 0, f"sha256:{digest * 64}", Micros(1), "onnx", "binary", parent)
    )


def test_a_model_a_number_and_an_alias(registry: Registry) -> None:
    for digest in "abc":
        add(registry, "delay", digest)
    assert registry.resolve("delay").number == 3
    assert registry.resolve("delay:2").number == 2
    registry.set_alias("delay:1", "champion", actor="ada", why="best")
    assert registry.resolve("delay@champion").number == 1
    assert registry.champion("delay") == registry.resolve("delay:1")
    assert registry.aliases("delay") == {"champion": 1}
    event = registry.history(registry.resolve("delay:1"))[0]
    assert (event.kind, event.actor, event.why, event.details) == (
        EventKind.ALIASED,
        "ada",
        "best",
        {"alias": "champion"},
    )


def test_an_alias_follows_another(registry: Registry) -> None:
    add(registry, "delay", "a")
    add(registry, "delay", "b")
    registry.set_alias("delay:1", "champion", actor="")
    registry.set_alias("delay@champion", "fallback", actor="")
    registry.set_alias("delay", "champion", actor="")
    assert registry.aliases("delay") == {"champion": 2, "fallback": 1}


def test_what_is_not_there_is_said_with_what_is(registry: Registry) -> None:
    with pytest.raises(NotFound, match="headgate register"):
        registry.resolve("delay")
    add(registry, "delay", "a")
    with pytest.raises(NotFound, match="Models here: delay"):
        registry.resolve("delya")
    with pytest.raises(NotFound, match="Versions here: delay:1"):
        registry.resolve("delay:9")
    with pytest.raises(NotFound, match="There is none yet"):
        registry.resolve("delay@champion")
    registry.set_alias("delay", "best", actor="")
    with pytest.raises(NotFound, match="delay@best"):
        registry.resolve("delay@champion")


@pytest.mark.parametrize("ref", ["", "Delay", "delay:", "delay:x", "delay:-1", "delay@", "a b", "delay:٣"])
def test_another_spelling_is_refused(registry: Registry, ref: str) -> None:
    with pytest.raises(BadInput, match="model@alias"):
        registry.resolve(ref)


@pytest.mark.parametrize("alias", ["", "3", "Best", "a@b"])
def test_an_alias_is_a_name(registry: Registry, alias: str) -> None:
    add(registry, "delay", "a")
    with pytest.raises(BadInput, match="alias"):
        registry.set_alias("delay", alias, actor="")


def test_projects_do_not_see_each_other(registry: Registry) -> None:
    add(registry, "delay", "a", project="one")
    assert registry.resolve("delay", project="one").number == 1
    with pytest.raises(NotFound):
        registry.resolve("delay", project="two")


def test_only_the_latest_evaluation_proves(registry: Registry) -> None:
    version = add(registry, "delay", "a")
    assert not registry.proved(version)
    for at, passed in enumerate([True, False, True]):
        registry.records.add_evaluation(Evaluation("default", version.ref, Micros(at), passed, b'{"gates": [{}]}'))
        assert registry.proved(version) is passed
    assert len(registry.evaluations(version)) == 3


def test_a_look_without_gates_takes_no_proof_away_and_gives_none(registry: Registry) -> None:
    version = add(registry, "delay", "a")
    look = Evaluation("default", version.ref, Micros(0), False, b'{"gates": []}')
    registry.records.add_evaluation(look)
    assert not registry.proved(version)
    registry.records.add_evaluation(Evaluation("default", version.ref, Micros(1), True, b'{"gates": [{}]}'))
    registry.records.add_evaluation(look)
    assert registry.proved(version)


def test_lineage_runs_to_the_first_ancestor(registry: Registry) -> None:
    first = add(registry, "delay", "a")
    second = add(registry, "delay", "b", parent=first.ref)
    third = add(registry, "better", "c", parent=second.ref)
    orphan = add(registry, "better", "d", parent="gone:1")
    assert registry.lineage(third) == [third, second, first]
    assert registry.lineage(orphan) == [orphan]


def test_a_missing_alias_says_how_to_make_one(registry: Registry) -> None:
    add(registry, "delay", "a")
    with pytest.raises(NotFound, match="headgate alias"):
        registry.resolve("delay@champion")
