"""Keys of an installation: made, rotated, revoked, published and remembered."""

import hashlib
import json
from functools import partial
from pathlib import Path

import pytest

from headgate.access.identity import Identity
from headgate.access.keys import Key
from headgate.app.facade import Headgate
from headgate.app.keys import Keys, shown
from headgate.clock import HeldClock
from headgate.errors import BadInput, Conflict, NotFound, Unauthenticated
from headgate.events import EventKind, first_broken
from headgate.settings import Home
from headgate.store.home import create_home, read_secret
from headgate.store.keyfiles import FileKeys
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Micros


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "h")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(Micros(1_000_000))


@pytest.fixture
def keys(home: Home, store: MemoryStore, clock: HeldClock) -> Keys:
    return Keys(store, FileKeys(home.keys), secret=read_secret(home), clock=clock, project="shop", actor="ann")


def caller(home: Home, clock: HeldClock, text: str) -> str:
    """Whose key that is at a gateway of this home; "" when it opens nothing."""
    try:
        return Identity(FileKeys(home.keys), read_secret(home), clock).identify(f"Bearer {text}".encode()).name
    except Unauthenticated:
        return ""


def test_a_key_opens_doors_until_it_is_revoked(keys: Keys, home: Home, clock: HeldClock) -> None:
    made = keys.create("till", ["predict"], scopes=["late", "other/*"])
    assert made.key.scopes == ("shop/late", "other/*")
    assert caller(home, clock, made.text) == "key shop/till"
    clock.move_to(Micros(2_000_000))
    (ended,) = keys.revoke("till", why="lost")
    assert (ended.revoked_at, caller(home, clock, made.text)) == (2_000_000, "")
    with pytest.raises(NotFound):
        keys.revoke("till")
    again = keys.create("till", ["predict"])
    assert caller(home, clock, again.text) == "key shop/till"


def test_a_rotated_key_works_on_for_as_long_as_said(keys: Keys, home: Home, clock: HeldClock) -> None:
    first = keys.create("till", ["predict", "label"], expires="10s", rate=5.0, burst=9.0)
    clock.move_to(Micros(2_000_000))
    second = keys.rotate("till", overlap="3s")
    same = ("name", "roles", "scopes", "rate", "burst")
    assert [getattr(first.key, each) for each in same] == [getattr(second.key, each) for each in same]
    assert second.key.expires_at == 12_000_000, "as long as the first was made to last"
    assert caller(home, clock, first.text) == caller(home, clock, second.text) == "key shop/till"
    clock.move_to(Micros(5_000_000))
    assert (caller(home, clock, first.text), caller(home, clock, second.text)) == ("", "key shop/till")
    with pytest.raises(Conflict):
        keys.create("till", ["predict"])
    clock.move_to(Micros(12_000_000))
    with pytest.raises(NotFound):
        keys.rotate("till")


def test_an_overlap_never_lengthens_a_life(keys: Keys, home: Home, clock: HeldClock) -> None:
    first = keys.create("till", ["predict"], expires="2s")
    keys.rotate("till", overlap="1d")
    clock.move_to(Micros(3_000_000))
    assert caller(home, clock, first.text) == ""


def test_revoking_ends_the_overlap_too(keys: Keys, home: Home, clock: HeldClock) -> None:
    first = keys.create("till", ["predict"])
    second = keys.rotate("till", overlap="1d")
    assert len(keys.revoke("till")) == 2
    assert (caller(home, clock, first.text), caller(home, clock, second.text)) == ("", "")


def test_every_change_is_remembered_and_no_key_is(keys: Keys, store: MemoryStore) -> None:
    made = [keys.create("till", ["predict"], why="a new shop"), keys.rotate("till", why="yearly")]
    keys.revoke("till", why="closed")
    records = store.sealed()
    assert [each.event.kind for each in records] == [
        EventKind.KEY_CREATED,
        EventKind.KEY_ROTATED,
        EventKind.KEY_REVOKED,
    ]
    assert [each.event.why for each in records] == ["a new shop", "yearly", "closed"]
    assert {(each.event.actor, each.event.project, each.event.subject) for each in records} == {("ann", "shop", "till")}
    assert first_broken(records) is None
    assert records[0].event.before == ""
    assert json.loads(records[0].event.after)["roles"] == ["predict"]
    told = "".join(repr(each) for each in records) + "".join(shown(each) for each in keys.every())
    for each in made:
        assert each.text.split("_", 2)[2] not in told
        assert each.key.digest not in told


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "Till"}, "name"),
        ({"roles": []}, "role"),
        ({"scopes": ["A"]}, "scope"),
        ({"expires": "soon"}, "expires"),
        ({"rate": 0.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"burst": -1.0}, "burst"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    keys: Keys, store: MemoryStore, changed: dict[str, object], field: str
) -> None:
    words: dict[str, object] = {"name": "till", "roles": ["predict"], **changed}
    with pytest.raises(BadInput) as refused:
        keys.create(**words)  # type: ignore[arg-type] # wrong on purpose
    assert refused.value.field == field
    assert (store.keys(), store.sealed()) == ([], [])


def test_projects_have_names_of_their_own(home: Home) -> None:
    with Headgate(home) as hg:
        one = hg.keys.create("till", ["predict"]).key
        two = hg.of("shop").keys.create("till", ["predict"]).key
        assert (hg.keys.every(), hg.of("shop").keys.every()) == ([one], [two])
    assert {each.id for each in FileKeys(home.keys).read().keys} == {one.id, two.id}


def test_keys_of_another_home_open_nothing(home: Home, tmp_path: Path, clock: HeldClock) -> None:
    other = create_home(tmp_path / "other")
    with Headgate(other) as hg:
        made = hg.keys.create("till", ["predict"])
    FileKeys(home.keys).publish(lambda: [made.key])
    assert caller(home, clock, made.text) == ""


def test_a_key_put_into_the_store_by_hand_opens_nothing(home: Home, clock: HeldClock) -> None:
    """Who can write the database but not read the home can make no key: digests are keyed by the home's secret."""
    text = "hg_0123456789ab_" + "A" * 43
    for digest in (hashlib.sha256(text.encode()).hexdigest(), text):
        forged = Key("0123456789ab", "default", "forged", digest, (), (), Micros(0))
        FileKeys(home.keys).publish(partial(list, [forged]))
        assert caller(home, clock, text) == ""
