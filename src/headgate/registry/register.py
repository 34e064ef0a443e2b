"""Takes a trained model into the registry: from an object or a file to a checked, content-addressed package.

The app and ``headgate register`` call it. It imports whatever the model's library needs; gateways never read this
file.
"""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet

from headgate.contracts.contract import Contract
from headgate.contracts.tables import as_table
from headgate.errors import BadInput, IntegrityError, NotFound, RuntimeFailed
from headgate.events import Event, EventKind
from headgate.registry.card import card
from headgate.registry.choice import Choice, Rows, choose, close_domains, rows_for
from headgate.registry.importers.files import open_model
from headgate.registry.importers.importer import Imported
from headgate.registry.importers.recognise import importer_of
from headgate.registry.package import Manifest
from headgate.registry.packages import BESIDE, CARD, EXAMPLES, PARITY, REFERENCE, SAID, Package
from headgate.registry.parity import Parity, table_of
from headgate.registry.ports import Runner, Version
from headgate.registry.reference import contract_for, data_digest, fits, sample
from headgate.registry.registry import Registry
from headgate.vocabulary import DEFAULT_PROJECT, NAME, NAME_RULE, Digest


@dataclass(frozen=True, slots=True)
class Registration:
    """What there is to say about a model besides the model."""

    name: str
    label: str | None = None
    """The reference's label column."""
    contract: Contract | None = None
    """A person's own; None infers one from the reference."""
    parent: str | None = None
    """The version it was derived from, as `Registry.resolve` reads it."""
    code: str | None = None
    """What built it: a commit, a file digest, a command."""
    why: str = ""
    actor: str = ""
    trust: bool = False
    """Whether code in the model may run, said aloud."""
    project: str = DEFAULT_PROJECT


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a model."""

    version: Version
    digest: Digest
    package: Package
    parity: Parity
    """Of the candidate that was chosen."""
    chosen: str
    reason: str
    """Why that one, and what was wrong with those before it."""
    events: tuple[Event, ...]
    """Empty when the same model was registered before under this name."""


def register(registry: Registry, runner: Runner, model: object, reference: object, asked: Registration) -> Registered:
    """Package `model`, prove that the package answers as the model does, and keep it as the next version.

    `model` is an object of a supported library or the path of a file; `reference` whatever
    `headgate.contracts.tables.as_table` takes. Registering the same model with the same reference again returns the
    version there is.

    Raises BadInput naming what does not fit, TrustRequired where code would run, MissingExtra where a library is not
    installed, NotFound for a parent there is not.
    """
    if not NAME.fullmatch(asked.name):
        raise BadInput("name", "domain", f"must match {NAME_RULE}")
    parent = registry.resolve(asked.parent, project=asked.project).ref if asked.parent else None
    table = as_table(reference)
    opened = open_model(model, trust=asked.trust)
    importer = importer_of(opened)
    traits = importer.traits(opened)
    if asked.contract is None:
        contract = contract_for(traits, table, asked.label)
    else:
        contract = fits(asked.contract, traits, table)
    kept = sample(table)
    workdir = Path(tempfile.mkdtemp(prefix="headgate-register-"))
    try:
        features = kept.select(list(contract.names))
        imported = importer.build(opened, contract, features, trust=asked.trust)
        if asked.contract is None and _gives_labels_alone(imported, features, contract):
            contract = Contract(contract.fields, replace(contract.output, probability=False))
            imported = importer.build(opened, contract, features, trust=asked.trust)
        rows = _ask(imported, kept, contract)
        choice = choose(imported, contract, rows, runner, workdir)
        if asked.contract is None:
            contract, choice = close_domains(choice, contract, rows, runner)
        version = Version(
            project=asked.project,
            model=asked.name,
            number=0,
            digest="",
            created_at=registry.clock.now(),
            engine=choice.manifest.engine,
            task=contract.output.task,
            parent=parent,
            data_digest=data_digest(table),
            code=asked.code,
            why=asked.why,
        )
        before = _same(registry, version, choice.manifest)
        if before is not None:
            return _registered(registry, before, choice)
        writing = _Writing(version, contract, imported.library, choice, rows, kept)
        digest = registry.packages.put(writing.fill)
        return _keep(registry, msgspec.structs.replace(version, digest=digest), choice, asked.actor)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)


def _gives_labels_alone(imported: Imported, features: pa.Table, contract: Contract) -> bool:
    """Whether probabilities were guessed wrongly: the reference does not tell if there are any, the answer does."""
    if not contract.output.probability:
        return False
    try:
        return imported.native.predict(features.slice(0, 1)).scores is None
    except RuntimeFailed as error:
        raise BadInput("reference", "type", str(error)) from error


def _ask(imported: Imported, kept: pa.Table, contract: Contract) -> Rows:
    try:
        return rows_for(imported, kept, contract)
    except RuntimeFailed as error:
        raise BadInput("reference", "type", str(error)) from error


@dataclass(frozen=True, slots=True)
class _Writing:
    """Everything a package is made of."""

    version: Version
    contract: Contract
    library: str
    choice: Choice
    rows: Rows
    kept: pa.Table

    def fill(self, folder: Path) -> Manifest:
        """Write it into an empty directory, and return its manifest."""
        shutil.copytree(self.choice.folder, folder, dirs_exist_ok=True)
        label = self.contract.output.label
        wanted = [*self.contract.names, *([label] if label in self.kept.column_names else [])]
        pa.parquet.write_table(self.kept.select(wanted), folder / REFERENCE)
        (folder / EXAMPLES).mkdir()
        pa.parquet.write_table(self.rows.table.slice(self.rows.sampled), folder / BESIDE)
        pa.parquet.write_table(table_of(self.rows.said), folder / SAID)
        (folder / PARITY).write_bytes(msgspec.json.format(msgspec.json.encode(self.choice.report)))
        (folder / CARD).write_text(self._card(), encoding="utf-8")
        return self.choice.manifest

    def _card(self) -> str:
        version = self.version
        return card(
            version.model,
            at=version.created_at,
            library=self.library,
            contract=self.contract,
            report=self.choice.report,
            environment=self.choice.manifest.environment,
            lineage={
                "reference data": version.data_digest,
                "code": version.code,
                "derived from": version.parent,
                "why": version.why,
            },
        )


def _same(registry: Registry, version: Version, manifest: Manifest) -> Version | None:
    """The version that was made of the same model and data, if there is one; cards differ, by their date alone."""
    for before in reversed(registry.versions(version.model, project=version.project)):
        if before.data_digest != version.data_digest or before.parent != version.parent:
            continue
        try:
            known = registry.package(before).manifest
        except (IntegrityError, NotFound):
            continue
        if manifest.files.items() <= known.files.items() and msgspec.structs.replace(known, files={}) == (
            msgspec.structs.replace(manifest, files={})
        ):
            return before
    return None


def _keep(registry: Registry, version: Version, choice: Choice, actor: str) -> Registered:
    kept = registry.records.add_version(version)
    details: dict[str, str | int | float | bool | None] = {
        "digest": kept.digest,
        "engine": kept.engine,
        "chosen": choice.report.chosen,
        "max_difference": choice.parity.max_difference,
    }
    event = registry.note(
        EventKind.REGISTERED, kept, actor=actor, why=kept.why, details=details, change=("", kept.digest)
    )
    return _registered(registry, kept, choice, event)


def _registered(registry: Registry, version: Version, choice: Choice, *events: Event) -> Registered:
    package = registry.package(version)
    report = choice.report
    return Registered(version, package.digest, package, choice.parity, report.chosen, report.reason, events)
