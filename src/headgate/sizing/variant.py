"""Another form of a package's own model, such as ONNX with float32 inputs, written to be measured; never to be served.

Called in the probe's process: it opens the model as `register` does, and only what somebody trusted then.
"""

from pathlib import Path

import msgspec
import pyarrow.parquet

from headgate.errors import BadInput, RuntimeFailed
from headgate.registry.importers.files import open_model
from headgate.registry.importers.recognise import importer_of
from headgate.registry.package import Manifest
from headgate.registry.packages import (
    CONTRACT,
    FORMAT,
    PARITY,
    REFERENCE,
    Package,
    directory_digests,
    open_package,
    write_manifest,
)
from headgate.registry.parity import Attempt, ParityReport
from headgate.runtimes.failure import failed


def refused(package: Package) -> tuple[Attempt, ...]:
    """The candidates that were tried before the one that was packaged; none where no report was kept."""
    report = package.path / PARITY
    if not report.is_file():
        return ()
    attempts = msgspec.json.decode(report.read_bytes(), type=ParityReport).attempts
    return attempts[:-1]


def write_variant(path: Path, candidate: str, folder: Path) -> Path:
    """The directory of a package that holds that candidate of the model in package `path`, made in `folder`.

    Raises BadInput where the package's model has no such form, RuntimeFailed where it cannot be converted.
    """
    package = open_package(path)
    reference = package.path / REFERENCE
    if not reference.is_file():
        raise BadInput("reference", "missing", "the package's reference rows were taken away")
    model = open_model(package.path / package.manifest.artefact, trust=package.manifest.trusted)
    table = pyarrow.parquet.read_table(reference).select(list(package.contract.names))
    imported = importer_of(model).build(model, package.contract, table, trust=package.manifest.trusted)
    for each in imported.candidates:
        if each.name == candidate:
            break
    else:
        raise BadInput("model", "type", f"it has no form called {candidate}")
    target = folder / "variant"
    target.mkdir()
    try:
        each.write(target)
    except Exception as error:  # converters of eight libraries, each with errors of its own
        raise RuntimeFailed(f"it cannot be converted: {failed(error)}") from error
    (target / CONTRACT).write_bytes((package.path / CONTRACT).read_bytes())
    manifest = Manifest(
        format=FORMAT,
        engine=each.engine,
        artefact=each.artefact,
        signature=each.signature,
        files=directory_digests(target),
        environment={},
        options=dict(each.options),
        trusted=each.trusted,
    )
    write_manifest(target, manifest)
    return target
