"""Puts the lake right after a machine lost what was not on stable storage; the sealer calls it before its first seal.

Delta writes its files without syncing them. Every commit is synced before a segment is deleted for it, so only the
newest commit of a table can be torn, and whatever it held is still in segments: taking it back loses nothing.
"""

import json
from pathlib import Path
from typing import Final

from headgate.journal.lake import Lake, each_table

_DIGITS: Final = 20
"""Length of a version in the name of its commit."""


def mend(lake: Lake) -> list[Path]:
    """Take back torn commits and return them; a lake in order is left as it is."""
    removed = []
    for project, endpoint, table in each_table(lake):
        for log in sorted(lake.folder(project, endpoint, table).glob("g*/_delta_log")):
            commits = sorted(log.glob("*.json"))
            if commits and _is_torn(commits[-1]):
                _take_back(commits[-1])
                removed.append(commits[-1])
    return removed


def _is_torn(commit: Path) -> bool:
    """Whether the commit does not parse, or names a file that is missing or has another size."""
    try:
        lines = [json.loads(line) for line in commit.read_bytes().splitlines()]
        added = [each["add"] for each in lines if "add" in each]
        return not lines or any((commit.parents[1] / each["path"]).stat().st_size != each["size"] for each in added)
    except (ValueError, FileNotFoundError):
        return True


def _take_back(commit: Path) -> None:
    """Remove a commit and whatever was derived from it; a checkpoint of it first, or it would outlive it."""
    log, version = commit.parent, commit.stem[:_DIGITS]
    (log / "_last_checkpoint").unlink(missing_ok=True)
    for checkpoint in log.glob(f"{version}.checkpoint*"):
        checkpoint.unlink()
    commit.unlink()
