"""What a browser finds in a page."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from headgate.pages.markup import VOID

Attributes = dict[str, str | None]


class Page(HTMLParser):
    """The elements of a page and its text; fails where an element is not closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, Attributes]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, name: str) -> list[Attributes]:
        return [attributes for each, attributes in self.found if each == name]

    @property
    def said(self) -> str:
        return "".join(self.text)


def assert_alone(page: str) -> None:
    """It runs nothing and fetches nothing, and says so itself."""
    found = Page(page)
    assert not re.search(r"url\(|@import|\bon[a-z]+=\"", page)
    assert not {name for name, _ in found.found} & {"script", "link", "img", "iframe", "object", "a"}
    assert not {key for _, attributes in found.found for key in attributes} & {"src", "href", "action"}
    [policy] = [each["content"] for each in found.all("meta") if "http-equiv" in each]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert len(found.all("style")) == 1
