"""``headgate init``: an ``endpoint.yaml`` for a person to edit, from reference rows or from a registered model."""

from pathlib import Path
from typing import Any

from headgate.app.facade import Headgate
from headgate.contracts.contract import Contract
from headgate.contracts.infer import infer
from headgate.contracts.tables import as_table
from headgate.errors import BadInput, NotFound
from headgate.settings import Home
from headgate.store.home import open_home
from headgate.traffic.endpoint import draft_endpoint
from headgate.vocabulary import DEFAULT_PROJECT


def draft(
    reference: Any,
    *,
    endpoint: str,
    model: str,
    label: str | None,
    home: Path | None = None,
    project: str = DEFAULT_PROJECT,
) -> str:
    """A commented ``endpoint.yaml``: the fields `model` reads if `home` has it, else every column of `reference`.

    Makes no home. Raises BadInput naming a field the registered model reads and the reference does not have.
    """
    known = None if home is None else _registered(home, project, model)
    if known is None:
        name = str(reference) if isinstance(reference, str | Path) else "the reference rows"
        return draft_endpoint(infer(reference, label=label), endpoint=endpoint, model=model, reference_name=name)
    ref, contract = known
    columns = as_table(reference).column_names
    for each in contract.names:
        if each not in columns:
            raise BadInput(each, "missing", f"{ref} reads this field; the reference has no such column")
    return draft_endpoint(
        contract, endpoint=endpoint, model=model, reference_name=f"the rows {ref} was registered with"
    )


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
