"""The named queries of ``queries.sql`` by name: the SQL stays a document a person can read and edit.

The reader runs them; `Reports` names those anybody may ask for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
VIEWS: Final = ("repeats", "kept", "resolved", "decided", "revised", "truths", "outcomes")
"""Tables and views over what was read, in the order they build on each other."""
REPORTS: Final = ("volume", "versions", "refusals", "label_delay")
"""Queries over ``joined`` that anybody may ask for."""


def report(name: str) -> Query:
    """The report of that name; NotFound names those there are."""
    if name not in REPORTS:
        raise NotFound("query", name if name.isidentifier() else "?", f"There are: {', '.join(REPORTS)}.")
    return QUERIES[name]
