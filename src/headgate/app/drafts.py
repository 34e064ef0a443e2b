"""``headgate init``: an ``endpoint.yaml`` for a person to edit, from reference rows or from a registered model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from headgate.app.facade import Headgate
from headgate.app.told import text_of
from headgate.contracts.contract import Contract
from headgate.contracts.infer import infer
from headgate.contracts.tables import as_table
from headgate.contracts.yaml_text import write_yaml
from headgate.errors import BadInput, NotFound
from headgate.settings import Home
from headgate.store.home import open_home
from headgate.traffic.endpoint import draft_endpoint
from headgate.traffic.takeover.account import Entry
from headgate.traffic.takeover.files import take_over
from headgate.traffic.watched import MonitorWords
from headgate.vocabulary import DEFAULT_PROJECT


@dataclass(frozen=True, slots=True)
class Draft:
    """A commented ``endpoint.yaml``, and what became of the files it was taken from."""

    text: str
    entries: tuple[tuple[Path, tuple[Entry, ...]], ...] = ()


def draft(
    reference: Any,
    *,
    endpoint: str,
    model: str,
    label: str | None,
    home: Path | None = None,
    project: str = DEFAULT_PROJECT,
    others: Sequence[Path] = (),
) -> Draft:
    """A draft with the fields `model` reads if `home` has it, else every column of `reference`.

    `others` are files of other monitors that are taken over, one after the other. Makes no home. Raises BadInput
    naming a field the registered model reads and the reference does not have, BadConfiguration naming file, key and
    rule of another monitor's file that is wrong.
    """
    contract, name = _contract(reference, model=model, label=label, home=home, project=project)
    words, entries = MonitorWords(), []
    for path in others:
        found = take_over(text_of(path), contract, words, str(path))
        contract, words = found.contract, found.monitors
        entries.append((path, found.entries))
    text = draft_endpoint(contract, endpoint=endpoint, model=model, reference_name=name)
    return Draft(_saying(text, words), tuple(entries))


def _contract(
    reference: Any, *, model: str, label: str | None, home: Path | None, project: str
) -> tuple[Contract, str]:
    """The contract before anything is taken over, and what it was made of, in words."""
    known = None if home is None else _registered(home, project, model)
    if known is None:
        name = str(reference) if isinstance(reference, str | Path) else "the reference rows"
        return infer(reference, label=label), name
    ref, contract = known
    columns = as_table(reference).column_names
    for each in contract.names:
        if each not in columns:
            raise BadInput(each, "missing", f"{ref} reads this field; the reference has no such column")
    return contract, f"the rows {ref} was registered with"


def _registered(home: Path, project: str, model: str) -> tuple[str, Contract] | None:
    """The version `model` speaks of and its package's contract; None when there is no such version, or no home."""
    if not Home(home).mark.exists():
        return None
    with Headgate(open_home(home), project=project) as hg:
        try:
            version = hg.registry.resolve(model, project=project)
        except NotFound:
            return None
        return version.ref, hg.registry.package(version).contract


def _saying(text: str, words: MonitorWords) -> str:
    """The draft with the words of its monitors that are other than the defaults, in the lines of those."""
    for each in msgspec.structs.fields(MonitorWords):
        value = getattr(words, each.name)
        if value != getattr(MonitorWords(), each.name):
            line = "  " + write_yaml({each.name: msgspec.to_builtins(value)}).strip()
            before, after = re.split(rf"(?m)^  {each.name}: .*$", text, maxsplit=1)
            text = f"{before}{line}{after}"
    return text
