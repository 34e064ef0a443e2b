"""From what a request shows to who calls."""

import msgspec
import pytest

from headgate.access.grants import CallerRole
from headgate.access.identity import Identity
from headgate.access.keys import Key, Published, digest_of, id_in, new_key
from headgate.clock import HeldClock
from headgate.errors import Unauthenticated
from headgate.testing.memory import MemoryKeys
from headgate.vocabulary import Micros

SECRET = b"s" * 32


def a_key(name: str = "till", **more: object) -> tuple[Key, str]:
    id_, text = new_key()
    fields = {"roles": (CallerRole.PREDICT,), "scopes": ("default/*",), "created_at": Micros(0), **more}
    return Key(id_, "default", name, digest_of(text, SECRET), **fields), text  # type: ignore[arg-type] # each is a field


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(Micros(1000))


@pytest.fixture
def identity(keys: MemoryKeys, clock: HeldClock) -> Identity:
    return Identity(keys, SECRET, clock)


def test_keys_are_long_and_all_different() -> None:
    made = [new_key() for _ in range(500)]
    assert len({text for _, text in made}) == len({id_ for id_, _ in made}) == 500
    for id_, text in made:
        assert (id_in(text), text[:3]) == (id_, "hg_")
        assert len(text.split("_", 2)[2]) == 43  # 256 bits


def test_nothing_kept_leads_back_to_the_key() -> None:
    key, text = a_key()
    kept = msgspec.json.encode(key).decode()
    assert text not in kept
    assert text.split("_", 2)[2] not in kept
    assert digest_of(text, b"another secret") != key.digest


def test_who_shows_a_key_is_its_caller(identity: Identity, keys: MemoryKeys) -> None:
    key, text = a_key(rate=5.0)
    keys.publish([key, a_key("other")[0]])
    assert (identity.required, identity.look(), identity.required, identity.look()) == (False, True, True, False)
    caller = identity.identify(f"Bearer {text}".encode())
    assert (caller.name, caller.grants, caller.until, caller.rate) == ("key default/till", (key.grant,), None, 5.0)
    assert identity.identify(f"bEARER  {text} ".encode()) == caller, "schemes have no case"


@pytest.mark.parametrize(
    "shown",
    [
        None,
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic dTpw",
        b"KEY",
        b"Bearer hg_",
        b"Bearer hg__",
        b"Bearer hg_000000000000_" + b"A" * 43,
        b"Bearer KEY ",
        b"Bearer \xff\xfe",
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_who_shows_anything_else_is_nobody(identity: Identity, keys: MemoryKeys, shown: bytes | None) -> None:
    keys.publish([a_key()[0]])
    identity.look()
    with pytest.raises(Unauthenticated):
        identity.identify(shown)


def test_a_key_changed_in_one_place_is_unknown(identity: Identity, keys: MemoryKeys) -> None:
    key, text = a_key()
    keys.publish([key])
    identity.look()
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(Unauthenticated):
            identity.identify(f"Bearer {changed}".encode())
    for longer in (text + "A", text[:-1], f"{text} {text}"):
        with pytest.raises(Unauthenticated):
            identity.identify(f"Bearer {longer}".encode())


def test_keys_end(identity: Identity, keys: MemoryKeys, clock: HeldClock) -> None:
    key, text = a_key(expires_at=Micros(2000))
    keys.publish([key])
    identity.look()
    shown = f"Bearer {text}".encode()
    assert identity.identify(shown).until == 2000
    clock.move_to(Micros(2000))
    with pytest.raises(Unauthenticated, match="expired"):
        identity.identify(shown)
    fresh, text = a_key()
    keys.publish([fresh])
    identity.look()
    assert identity.identify(f"Bearer {text}".encode())
    keys.publish([])
    identity.look()
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.identify(f"Bearer {text}".encode())
    assert identity.required, "the last key's end opens no door"


def test_a_door_once_closed_stays_closed(identity: Identity, keys: MemoryKeys) -> None:
    keys.publish([a_key()[0]])
    identity.look()
    keys._published = Published()
    identity.look()
    assert identity.required


def test_a_client_certificate_is_a_key_by_its_name(identity: Identity, keys: MemoryKeys) -> None:
    old, standing = a_key(successor="x", rate=1.0)[0], a_key()[0]
    keys.publish([old, standing])
    identity.look()
    assert identity.identify(None, "till").rate is None, "the one that has no successor"
    assert identity.identify(None, "default/till").name == "key default/till"
    for name in ("other", "shop/till", "default/till/x"):
        with pytest.raises(Unauthenticated, match="certificate"):
            identity.identify(None, name)
    with pytest.raises(Unauthenticated):
        identity.identify(b"Bearer hg_x_y", "till")  # a wrong key is not mended by a good certificate
