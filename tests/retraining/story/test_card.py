"""A card has what the records have, in both forms, and says what nobody knows."""

from tests.retraining.story.samples import CONTRACT, facts, made

from headgate.retraining.story.card import card_markdown, card_page
from headgate.retraining.story.facts import Carded

ENVIRONMENT = (("python", "3.12.1"), ("sklearn", "1.9"))


def carded(**changed: object) -> Carded:
    whole = {"made": made(), "facts": facts()} | changed
    return Carded(whole["made"], CONTRACT, ENVIRONMENT, "no label flips", whole["facts"])  # type: ignore[arg-type]  # by name


def test_a_whole_card() -> None:
    text, page = card_markdown(carded()), card_page(carded())
    for words in (
        "late:2",
        "The task is binary",
        "0 to any",
        "200 labelled rows",
        "What fired",
        "9,000 labelled rows",
        "python 3.12.1, sklearn 1.9",
        "Nothing: every link has its record.",
    ):
        assert words in text, words
        assert words in page, words
    assert "| distance | number | miles | never | 0 to any |" in text


def test_what_was_never_measured_and_never_in_charge_says_so() -> None:
    text = card_markdown(carded(made=made(measured=(), code=None, data=None), facts=None))
    assert "missing: it was never measured" in text
    assert "Nothing fired: it was registered, and no endpoint was to ask it." in text
    assert "- Nobody said what built it" not in text
    assert "Nobody said what built it; --code keeps that." in text
