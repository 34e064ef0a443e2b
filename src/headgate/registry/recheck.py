"""Holds a package to its own record on this machine. ``headgate doctor`` calls it."""

import pyarrow as pa
import pyarrow.parquet

from headgate.errors import NotFound
from headgate.registry.packages import REFERENCE, Package
from headgate.registry.parity import Origin, Parity, answers_in, compare_outputs
from headgate.registry.ports import Runner
from headgate.registry.register import BESIDE, SAID
from headgate.vocabulary import Task


def recheck(package: Package, runner: Runner) -> Parity:
    """Parity between what the model said when it was registered and what its package says here and now.

    Raises NotFound when the rows it was held on were taken away, RuntimeFailed when it does not run here.
    """
    names = list(package.contract.names)
    for name in (REFERENCE, BESIDE, SAID):
        if not (package.path / name).is_file():
            raise NotFound("file", name, "It was taken away from the package, so parity cannot be run again")
    sample = pa.parquet.read_table(package.path / REFERENCE).select(names)
    beside = pa.parquet.read_table(package.path / BESIDE).select(names)
    rows = pa.concat_tables([sample, beside.cast(sample.schema)])
    said = runner(package.path).predict(rows)
    if package.contract.output.task is Task.TENSOR:
        return Parity(rows.num_rows, 0.0, 0, 0, (), True, f"it runs on all {rows.num_rows} rows")
    then = answers_in(pa.parquet.read_table(package.path / SAID))
    origins = [Origin(row) for row in range(sample.num_rows)] + [Origin(row, "?") for row in range(beside.num_rows)]
    return compare_outputs(then, said, package.contract.output.classes, origins=origins)
