"""The text fits a terminal, says what was measured, and lets no control character through."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rollouts.comparison.spoken import (
    BINARY,
    INPUTS,
    NUMBERS,
    SEVERAL,
    TENSORS,
    Said,
    features,
    live,
    of,
    rows_of,
    shadow,
)

from headgate.contracts.contract import Contract
from headgate.evaluation.estimate import Estimate
from headgate.rollouts.comparison.sections import sections
from headgate.rollouts.comparison.text import WIDTH, as_text
from headgate.rollouts.comparison.values import Comparison, Side
from headgate.rollouts.comparison.words import agreement_means, figure, leaning, percent


def flights(count: int = 1500, seed: int = 8) -> Comparison:
    """A comparison with something to say in every section."""
    random, rows, kept = np.random.default_rng(seed), [], {}
    for place in range(count):
        name, score = f"{place:04}", float(random.random())
        carrier = ["AA", "UA", "DL"][place % 3]
        other = min(1.0, max(0.0, score + float(random.normal(0.02, 0.3 if carrier == "UA" else 0.05))))
        truth = "yes" if random.random() < other else "no"
        for role, each, took in (("live", score, 200), ("shadow", other, 300)):
            said = "yes" if each > 0.5 else "no"
            more: dict[str, Any] = {
                "compute_us": took + place % 50,
                "latency_us": 4 * took,
                "at": place * 10**6,
                "label": truth,
            }
            rows.append(Said(name, role, said, scores=[1 - each, each], **more))
        kept[name] = {"carrier": carrier, "distance": float(random.integers(100, 3000)), "late": bool(place % 2)}
    rows += [live("late", at=1), shadow("late", None, fallback="timeout", at=1)]
    return of(rows, features=features(kept))


def test_every_section_is_told_in_order() -> None:
    text = as_text(flights())
    titles = [
        "In short",
        "Who was asked",
        "What both said",
        "How far apart they are",
        "Who was right",
        "Where they agree least",
        "Inputs to read",
        "Time and compute",
    ]
    lines = text.split("\n")
    assert [line for line in lines if line in titles] == titles
    assert lines[0] == "m:2 (shadow) beside m:1 (live)"
    assert lines[1] == "binary, inputs from 1970-01-01 00:00:00 to 1970-01-01 00:24:59 UTC"
    assert "*  carrier = UA" in text
    assert "timeout" in text
    assert "█" in text


def test_nothing_is_wider_than_the_terminal() -> None:
    assert max(map(len, as_text(flights()).split("\n"))) <= WIDTH


@given(INPUTS)
@settings(max_examples=50)
def test_whatever_was_said_fits(inputs: list[tuple[Any, Any, str | None]]) -> None:
    assert max(map(len, as_text(of(rows_of(inputs))).split("\n"))) <= WIDTH


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=60)
def test_names_cannot_steer_the_terminal(hostile: str, other: str) -> None:
    hostile = hostile.encode("utf-8", "replace").decode()
    other = other.encode("utf-8", "replace").decode()
    rows = [
        live("a", hostile, label=other),
        shadow("a", other, label=other),
        live("b"),
        shadow("b", None, fallback=other),
    ]
    found = of(rows, features=features({"a": {"carrier": hostile, "note": other}}))
    text = as_text(found)
    assert all(each.isprintable() for each in text.replace("\n", ""))
    assert max(map(len, text.split("\n"))) <= WIDTH


@pytest.mark.parametrize(
    ("contract", "value"),
    [(BINARY, pa.string()), (NUMBERS, pa.float64()), (SEVERAL, pa.string()), (TENSORS, pa.string())],
)
def test_nothing_at_all_is_said_in_words(contract: Contract, value: pa.DataType) -> None:
    text = as_text(of([], contract, value))
    assert "neither was asked anything in this time" in text
    assert "note: live was asked nothing." in text


def test_many_classes_are_left_to_the_page() -> None:
    said = [f"a class with a long name {place}" for place in range(14)]
    rows = [each for place, name in enumerate(said) for each in (live(f"{place}", name), shadow(f"{place}", said[0]))]
    text = as_text(of(rows, SEVERAL))
    assert "(13 columns are too wide for a terminal; the page has them)" in text
    assert "and 3 more" in text


def test_numbers_have_words_of_their_own() -> None:
    rows = []
    for place in range(60):
        label = None if place > 50 else place + 1.5
        rows += [live(f"{place}", float(place), label=label), shadow(f"{place}", place + 2.0, label=label)]
    text = as_text(of(rows, NUMBERS, pa.float64(), tolerance=0.5))
    assert "the two numbers lie within 0.5000 of each other" in text
    assert "Who was nearer" in text
    assert "Mean absolute error" in text


def test_a_difference_speaks_for_one_of_them_only_with_its_whole_interval() -> None:
    nobody = (Side(name=name, role=name, versions=(), asked=0, answered=0) for name in ("ours", "theirs"))
    found = Comparison(task="regression", live=next(nobody), candidate=next(nobody), alpha=0.05, inputs=0)
    assert leaning(Estimate("error", 0.1, 0.05, 0.2, 9), found) == "ours is better"
    assert leaning(Estimate("error", -0.1, -0.2, -0.05, 9), found) == "theirs is better"
    assert leaning(Estimate("error", -0.1, -0.2, 0.05, 9), found) == "not told apart yet"
    assert leaning(Estimate("error", -0.1, None, None, 9), found) == "not told apart yet"
    assert agreement_means(found) == "the two numbers lie within 0 of each other"
    assert figure(Estimate("error", 0.1, None, None, 9), percent) == "10.00 %"
    assert figure(None, percent) == "-"


def test_what_is_rare_missing_or_bad_is_said() -> None:
    random, rows, kept = np.random.default_rng(2), [], {}
    for place in range(600):
        late = place % 2 == 1
        ours = f"c{random.integers(9)}"
        theirs = f"c{random.integers(9)}" if late else ours
        rows += [live(f"{place:03}", ours, label=ours), shadow(f"{place:03}", theirs, label=ours)]
        if place != 1:
            kept[f"{place:03}"] = {"late": late, "carrier": None}
    text = as_text(of(rows, SEVERAL, features=features(kept)))
    assert re.search(r"^\*!  late = true ", text, re.MULTILINE)
    assert "! m:2 is worse here, beyond what chance explains." in text
    assert re.search(r"^\d+ more inputs differ in rarer ways\.$", text, re.MULTILINE)
    assert "The first on which they differ." in text
    assert "    its features were not kept" in text
    assert "; carrier -" in text


def test_agreement_all_over_is_said() -> None:
    assert "They never differ." in as_text(of([live("a"), shadow("a")]))


def test_sections_without_anything_to_tell_are_left_out() -> None:
    told = [each.title for each in sections(of([live("a", "[1]"), shadow("a", "[2]")], TENSORS))]
    assert told == ["In short", "Who was asked", "Time and compute"]
    rows = [Said("a", "live", compute_us=None, latency_us=None), Said("a", "shadow", compute_us=None, latency_us=None)]
    assert [each.title for each in sections(of(rows))] == ["In short", "Who was asked", "What both said"]
