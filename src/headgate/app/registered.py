"""What the package of a version knows of its own rows: their fields, their labels, and what the model said of them.

The model is not run for it: what it said of its reference was kept when it was registered.
"""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from headgate.app.observed import Observed
from headgate.app.scenes import compared, compared_rows
from headgate.contracts.contract import Contract, Output
from headgate.errors import BadInput
from headgate.evaluation.rows import Rows, labelled
from headgate.monitors.attribution.samples import Sample
from headgate.monitors.diagnosis.sides import Side, columns_of
from headgate.monitors.watch.lookback import Registered
from headgate.registry.packages import REFERENCE, SAID, Package
from headgate.registry.parity import answers_in
from headgate.registry.ports import Version
from headgate.traffic.endpoint import EndpointSpec

log = logging.getLogger("headgate.app")


def registered(observed: Observed, spec: EndpointSpec, live: Version) -> Registered:
    """What the package of `live` knows of its rows, as the endpoint of `spec` may look at them."""
    package = observed.registry.package(live)
    contract = spec.contract or package.contract
    kinds = {each.name: each.kind for each in compared(package, contract, spec)}
    rows = compared_rows(package, contract, spec)
    return Registered(kinds, None if rows is None else _side(package, contract, rows))


def _side(package: Package, contract: Contract, fields: pa.Table) -> Side:
    """The reference rows; where no label is known, or nobody knows what the model said, the fields alone."""
    found = _answers(package, contract.output)
    if found is None:
        output = contract.output
        nobody = Rows(output.task, np.zeros(0, np.int64), None, None, output.classes)
        return Side(fields, Sample(columns_of(fields.slice(0, 0)), nobody), fields.num_rows, 0)
    rows, known = found
    return Side(fields, Sample(columns_of(fields.filter(pa.array(known))), rows), fields.num_rows, len(rows))


def _answers(package: Package, output: Output) -> tuple[Rows, NDArray[np.bool_]] | None:
    """The labelled ones of the reference rows with what the model said of them, and which these are."""
    path = package.path / REFERENCE
    if not (package.path / SAID).is_file() or output.label not in pq.read_schema(path).names:
        return None
    labels = pq.read_table(path, columns=[output.label])[output.label].to_pylist()
    # Rows beside the jumps of the model's answer follow those of the reference; nobody knows their labels.
    said = answers_in(pq.read_table(package.path / SAID).slice(0, len(labels)))
    try:
        rows, known = labelled(output.task, labels, said.prediction, said.scores, output.classes)
    except BadInput as error:  # labels that an endpoint's own contract does not know are no figures to compare with
        log.info("the reference rows of %s have no figures: %s", package.path.name[:12], error)
        return None
    return (rows, known) if len(rows) else None
