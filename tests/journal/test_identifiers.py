import hashlib
import os
import uuid
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.clock import Clock, HeldClock
from headgate.errors import BadInput
from headgate.journal.identifiers import (
    Mint,
    endpoint_tag,
    format_id,
    format_ids,
    id_letters,
    parse_id,
    subject_hmac,
)
from headgate.vocabulary import Micros

START = Micros(1_700_000_000_000_000)
SECRET = bytes(range(32))
DELAYS = endpoint_tag("default", "delays")
PRICES = endpoint_tag("default", "prices")


class Jumping:
    """A clock that goes where it likes."""

    moment = START

    def now(self) -> Micros:
        return self.moment


def mint(clock: Clock | None = None, worker: int = 3, secret: bytes = SECRET) -> Mint:
    return Mint(secret, clock or HeldClock(START), worker)


def test_an_id_is_a_uuid_of_version_7_and_tells_its_moment() -> None:
    drawn = mint().draw(DELAYS)
    as_uuid = uuid.UUID(bytes=drawn)
    assert (as_uuid.version, as_uuid.variant) == (7, uuid.RFC_4122)
    assert int.from_bytes(drawn[:6]) == START // 1000


@given(
    st.lists(
        st.tuples(
            st.integers(-5_000_000, 5_000_000), st.sampled_from([DELAYS, PRICES]), st.sampled_from([0, 1, 2, 40, 5000])
        ),
        max_size=12,
    )
)
def test_ids_increase_strictly_whatever_the_clock_does(steps: list[tuple[int, bytes, int]]) -> None:
    clock = Jumping()
    drawing = mint(clock)
    drawn: list[tuple[bytes, bytes]] = []
    for moved, tag, many in steps:
        clock.moment = Micros(clock.moment + moved)
        drawn.append((tag, drawing.draw(tag)))
        drawn.extend((tag, each) for each in drawing.draw_many(tag, many))
    ids = [each for _, each in drawn]
    assert all(first < second for first, second in pairwise(ids))
    for tag, each in drawn[:50] + drawn[-50:]:
        assert mint(worker=9).issued(tag, each), "every mint of the home recognises it"
        assert uuid.UUID(bytes=each).version == 7


def test_ids_of_workers_and_restarts_differ_within_one_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(100))
    monkeypatch.setattr(os, "urandom", lambda count: next(numbers).to_bytes(count))
    mints = [mint(worker=worker) for worker in (0, 1, 65535) for _ in range(3)]
    drawn = [each for drawing in mints for each in drawing.draw_many(DELAYS, 1000)]
    assert len(set(drawn)) == len(drawn)


@given(st.integers(0, 127), st.integers(0, 5000))
def test_a_changed_bit_is_noticed(bit: int, place: int) -> None:
    drawing = mint()
    drawn = drawing.draw_many(DELAYS, place + 1)[-1]
    assert drawing.issued(DELAYS, drawn)
    assert not drawing.issued(DELAYS, (int.from_bytes(drawn) ^ 1 << bit).to_bytes(16))


def test_an_id_belongs_to_one_endpoint_and_one_home() -> None:
    drawn = mint().draw(DELAYS)
    assert not mint().issued(PRICES, drawn)
    assert not mint().issued(endpoint_tag("other", "delays"), drawn)
    assert not mint(secret=bytes(32)).issued(DELAYS, drawn)


@given(st.binary(max_size=20))
def test_other_bytes_were_never_issued(guess: bytes) -> None:
    assert not mint().issued(DELAYS, guess)


def test_a_foreign_uuid_was_never_issued() -> None:
    assert not mint().issued(DELAYS, uuid.uuid4().bytes)


@pytest.mark.parametrize(("secret", "worker"), [(b"short", 0), (bytes(65), 0), (SECRET, -1), (SECRET, 65536)])
def test_a_mint_needs_a_real_secret_and_number(secret: bytes, worker: int) -> None:
    with pytest.raises(ValueError, match=r"secret|worker"):
        mint(secret=secret, worker=worker)


@given(st.binary(min_size=16, max_size=16))
def test_text_and_bytes_are_the_same_id(id: bytes) -> None:  # noqa: A002
    text = format_id(id)
    assert text == str(uuid.UUID(bytes=id))
    assert parse_id(text) == parse_id(text.upper()) == id


WELL_FORMED = "00010203-0405-0607-0809-0a0b0c0d0e0f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        WELL_FORMED[:-1],
        WELL_FORMED + "0",
        WELL_FORMED.replace("-", ""),
        WELL_FORMED.replace("-", "_"),
        WELL_FORMED.replace("0f", " f"),
        WELL_FORMED.replace("0f", "0g"),
        WELL_FORMED.replace("0f", "0\u0665"),
        "0001020-30405-0607-0809-0a0b0c0d0e0f",
        "{" + WELL_FORMED[1:-1] + "}",
        "-" * 36,
    ],
)
def test_a_malformed_id_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_id(text, "labels[3].id")
    assert (refused.value.field, refused.value.rule) == ("labels[3].id", "uuid")
    assert not text or text not in str(refused.value)


@given(st.text(max_size=40))
def test_parsing_never_fails_otherwise(text: str) -> None:
    with suppress(BadInput):
        assert format_id(parse_id(text)) == text.lower()


def test_an_id_is_text() -> None:
    with pytest.raises(BadInput, match="of type int") as refused:
        parse_id(7)
    assert refused.value.rule == "type"


def test_a_subject_is_bound_to_the_secret() -> None:
    subject = subject_hmac(SECRET, "anna")
    assert len(subject) == 32
    assert subject == subject_hmac(SECRET, "anna")
    assert subject not in (subject_hmac(SECRET, "bert"), subject_hmac(bytes(32), "anna"))
    assert b"anna" not in subject


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 70)), max_size=6), st.integers(0, 20))
def test_ids_drawn_as_one_are_ids_like_all_others(draws: list[tuple[bool, int]], before: int) -> None:
    one = mint()
    drawn = [one.draw(DELAYS) for _ in range(before)]
    for as_block, count in draws:
        if as_block:
            block = one.draw_block(DELAYS, count)
            assert len(block) == 16 * count
            drawn += [block[at : at + 16] for at in range(0, len(block), 16)]
        else:
            drawn += one.draw_many(DELAYS, count)
    assert all(one.issued(DELAYS, each) for each in drawn)
    assert not any(one.issued(PRICES, each) for each in drawn)
    assert all(first < second for first, second in pairwise(drawn))


def test_the_code_of_an_id_is_the_keyed_hash_that_the_layout_names() -> None:
    for drawn in (mint().draw(DELAYS), mint().draw_many(DELAYS, 40)[-1], mint().draw_block(DELAYS, 40)[-16:]):
        high, low = int.from_bytes(drawn[:8]), int.from_bytes(drawn[8:])
        moment, instance = high >> 16 << 12 | high & 0xFFF, low >> 30 & 0xFFFFFFFF
        message = (moment >> 4 << 32 | instance).to_bytes(16) + DELAYS
        codes = hashlib.blake2b(message, key=SECRET, person=b"headgate.id", digest_size=64).digest()
        place = 4 * (moment & 15)
        assert low & (1 << 30) - 1 == int.from_bytes(codes[place : place + 4]) & (1 << 30) - 1


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20), st.sampled_from(["", ",", ";"]))
def test_texts_of_many_ids_are_those_of_each(ids: list[bytes], end: str) -> None:
    expected = "".join(format_id(each) + end for each in ids)
    assert format_ids(b"".join(ids), end) == expected
    assert id_letters(b"".join(ids), end).tobytes().decode() == expected
