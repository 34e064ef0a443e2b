"""The named queries of ``queries.sql`` by name: the SQL stays a document a person can read and edit.

The reader runs them; `Reports` names those anybody may ask for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from headgate.errors import NotFound

_NAME: Final = re.compile(r"^-- (?P<name>[a-z_]+) --$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One named query."""

    name: str
    says: str
    """What it answers, in one line."""
    sql: str


def parse_queries(text: str) -> Mapping[str, Query]:
    r"""The queries of a ``.sql`` document by name.

    >>> parse_queries("-- one --\n-- The number one.\nSELECT 1;\n")["one"].says
    'The number one.'
    """
    marks = list(_NAME.finditer(text))
    ends = [each.start() for each in marks[1:]] + [len(text)]
    found = {}
    for mark, end in zip(marks, ends, strict=True):
        says, _, sql = text[mark.end() : end].strip().partition("\n")
        if not says.startswith("-- ") or not sql.strip():
            raise ValueError(f"query '{mark['name']}' needs a line that says what it answers, then SQL")
        found[mark["name"]] = Query(mark["name"], says.removeprefix("-- "), sql.strip().removesuffix(";"))
    return found


QUERIES: Final = parse_queries(resources.files("headgate.journal").joinpath("queries.sql").read_text("utf-8"))
VIEWS: Final = (
    "repeats", "kept", "by_id", "by_request", "by_entity", "resolved", "decided", "revised", "truths", "outcomes",
)  # fmt: skip
"""Relations made of what was read, in the order they build on each other."""
_ONCE: Final = frozenset({"repeats", "resolved", "decided", "revised"})
"""Those of them that are worked out once, however often they are named."""
REPORTS: Final = ("volume", "versions", "refusals", "label_delay")
"""Queries over ``joined`` that anybody may ask for."""


@cache
def over_views(name: str, empty: frozenset[str] = frozenset()) -> str:
    """The query of that name behind all `VIEWS`, as one statement. Those known to be `empty` have a simpler form.

    Made as tables and views of the database beforehand, they would take as long again as a small join.
    """
    return f"WITH {', '.join(_view(each, each in empty) for each in VIEWS)}\n{QUERIES[name].sql}"


def in_passing(name: str, empty: frozenset[str] = frozenset()) -> str:
    """The query of that name behind the views up to `resolved`, none of which is worked out and kept.

    For very many rows, that are gone through once. ``repeats`` is a relation that is there.
    """
    views = VIEWS[VIEWS.index("repeats") + 1 : VIEWS.index("resolved") + 1]
    written = (f"{each} AS NOT MATERIALIZED ({QUERIES[f'no_{each}' if each in empty else each].sql})" for each in views)
    return f"WITH {', '.join(written)}\n{QUERIES[name].sql}"


def _view(name: str, is_empty: bool) -> str:
    if is_empty:
        return f"{name} AS (\n{QUERIES[f'no_{name}'].sql}\n)"
    return f"{name} AS {'' if name in _ONCE else 'NOT '}MATERIALIZED (\n{QUERIES[name].sql}\n)"


def report(name: str) -> Query:
    """The report of that name; NotFound names those there are."""
    if name not in REPORTS:
        raise NotFound("query", name if name.isidentifier() else "?", f"There are: {', '.join(REPORTS)}.")
    return QUERIES[name]
