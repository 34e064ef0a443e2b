"""How one thing stands, as a card of a page. `page` is the only caller."""

from collections.abc import Iterator

from headgate.pages.markup import Markup, tag
from headgate.pages.parts import Card


def card(part: Card) -> Markup:
    """Its name, its standing in a word that needs no colour, a sentence, figures and what to do.

    >>> card(Card("errors", "alarm", "more than 1 % fail", loud=True))[:74]
    '<article class="card loud"><h3><span class="word">alarm</span> errors</h3>'
    """
    head = tag("h3", tag("span", part.mark, class_="word"), Markup(" "), part.title)
    return tag("article", head, tag("p", part.says), *_figures(part), *_details(part), class_=_kind(part))


def _kind(part: Card) -> str:
    return "card loud" if part.loud else "card"


def _figures(part: Card) -> Iterator[Markup]:
    """A list of three columns that becomes one of lines where there is no room."""
    if not part.figures:
        return
    rows = []
    for name, value, limit in part.figures:
        held = [tag("span", limit, class_="held")] if limit else []
        rows.append(tag("div", tag("dt", name), tag("dd", value, *held)))
    yield tag("dl", *rows, class_="evidence")


def _details(part: Card) -> Iterator[Markup]:
    if part.details:
        rows = [tag("div", tag("dt", name), tag("dd", says)) for name, says in part.details]
        yield tag("dl", *rows, class_="details")
