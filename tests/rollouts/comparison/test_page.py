"""The page stands alone, is whole, can be read by everybody, and escapes what comes from data."""

import re
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pages.opened import Page, assert_alone
from tests.rollouts.comparison.spoken import BINARY, NUMBERS, SEVERAL, TENSORS, Said, features, live, shadow, table
from tests.rollouts.comparison.test_text import flights

from headgate.contracts.contract import Contract
from headgate.rollouts.comparison.compare import compare
from headgate.rollouts.comparison.page import as_page
from headgate.rollouts.comparison.pairs import pairs_of


def of(rows: list[Said], contract: Contract = BINARY, value: pa.DataType | None = None, **more: Any) -> str:
    return as_page(compare(pairs_of(table(rows, value), contract), contract, **more))


@pytest.fixture(scope="module")
def page() -> str:
    return as_page(flights())


def test_it_needs_nothing_beside_itself(page: str) -> None:
    assert_alone(page)


def test_it_is_well_formed_and_has_one_title(page: str) -> None:
    found = Page(page)
    assert page.startswith("<!doctype html>\n")
    assert found.all("html") == [{"lang": "en"}]
    assert (len(found.all("h1")), len(found.all("main")), len(found.all("title"))) == (1, 1, 1)
    headings = [int(name[1]) for name, _ in found.found if re.fullmatch("h[1-6]", name)]
    assert headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(headings))


def test_tables_have_captions_and_scopes(page: str) -> None:
    found = Page(page)
    assert len(found.all("caption")) == len(found.all("table")) > 4
    assert {each.get("scope") for each in found.all("th")} == {"row", "col"}
    regions = [each for each in found.all("div") if each.get("role") == "region"]
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in regions)


def test_drawings_are_told_or_hidden(page: str) -> None:
    drawings = Page(page).all("svg")
    assert any(each.get("role") == "img" for each in drawings)
    for each in drawings:
        assert each.get("aria-hidden") == "true" or (each.get("role") == "img" and each.get("aria-label"))


def test_it_has_a_light_and_a_dark_look(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert 'name="color-scheme" content="light dark"' in page


def test_it_says_what_the_text_says(page: str) -> None:
    said = "".join(Page(page).text)
    for each in ("m:2 (shadow) beside m:1 (live)", "Where they agree least", "carrier = UA", "timeout", "So far: "):
        assert each in said


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;'</style>"


def test_hostile_texts_stay_texts() -> None:
    rows = [live("a", HOSTILE, assigned=HOSTILE, label=HOSTILE), shadow("a", "no", assigned="'\"<", label=HOSTILE)]
    rows += [live("b", assigned=HOSTILE), shadow("b", None, assigned="'\"<", fallback=HOSTILE)]
    for place in range(40):
        rows += [live(f"{place}", assigned=HOSTILE), shadow(f"{place}", "no", assigned="'\"<")]
    kept = {
        "a": {"carrier": HOSTILE, "late": True},
        **{f"{at}": {"carrier": HOSTILE[at % 2 :], "late": False} for at in range(40)},
    }
    page = of(
        rows, features=features({name: {**values, "note": HOSTILE} for name, values in kept.items()}), smallest=10
    )
    found = Page(page)
    assert not found.all("script")
    assert not found.all("img")
    assert len(found.all("style")) == 1
    assert not any(name.startswith("on") for _, attributes in found.found for name in attributes)
    assert '"><script>alert' in "".join(found.text)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_leaves_the_page_whole(one: str, other: str) -> None:
    one, other = (each.encode("utf-8", "replace").decode() for each in (one, other))
    rows = [live("a", one, label=other), shadow("a", other, label=other)]
    page = of(rows, features=features({"a": {"carrier": one, "note": other}}))
    Page(page)
    page.encode("utf-8")


@pytest.mark.parametrize(
    ("contract", "value"),
    [(BINARY, pa.string()), (NUMBERS, pa.float64()), (SEVERAL, pa.string()), (TENSORS, pa.string())],
)
def test_nothing_at_all_is_a_page_too(contract: Contract, value: pa.DataType) -> None:
    found = Page(of([], contract, value))
    assert "neither was asked anything in this time" in "".join(found.text)


def test_numbers_are_a_page_too() -> None:
    rows = [
        each for at in range(80) for each in (live(f"{at}", float(at), label=at), shadow(f"{at}", at * 1.1, label=at))
    ]
    said = "".join(Page(of(rows, NUMBERS, pa.float64())).text)
    assert "Who was nearer" in said


def test_long_tables_end_with_a_count() -> None:
    rows = []
    for at in range(400):
        rows += [live(f"{at}", "no"), shadow(f"{at}", "no")]
    kept = {f"{at}": {"carrier": f"c{at % 60}", "distance": float(at)} for at in range(400)}
    assert "more</p>" in of(rows, features=features(kept), smallest=1)
