"""Which schema revisions this Headgate knows, told by the names of its migration files.

`home` asks here before anything opens the database, without loading the migration library.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

MIGRATIONS: Final = Path(__file__).parent / "migrations"
FILE: Final = re.compile(r"v(\d{4})_[a-z0-9_]+\.py")


@cache
def known() -> tuple[str, ...]:
    """Every revision shipped, oldest first.

    >>> known()[0]
    '0001'
    """
    names = (FILE.fullmatch(each.name) for each in (MIGRATIONS / "versions").iterdir())
    return tuple(sorted(name[1] for name in names if name))


def head() -> str:
    """The newest revision shipped: what a store is brought to when it is opened."""
    return known()[-1]


def is_known(revision: str) -> bool:
    """Whether this Headgate can read a store of that revision."""
    return revision in known()
