"""Answers whole tables with a package: evaluation, parity and ``headgate score`` ask here.

The registry and the evaluation know this only as a Predictor.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from headgate.contracts.contract import Contract
from headgate.errors import RuntimeFailed
from headgate.registry.package import Manifest
from headgate.registry.packages import open_package
from headgate.registry.ports import Predicted
from headgate.runtimes.feeds import compile_feeds
from headgate.runtimes.feeds_table import feeds_from_table
from headgate.runtimes.open import open_runtime
from headgate.runtimes.ports import Outputs, Runtime

CHUNK_ROWS: Final = 8192
"""Rows given to a model at once: enough to make the call's own cost vanish, few enough for any memory."""


class PackagePredictor:
    """A package's model that answers Arrow tables in chunks, in this process or through a HostedRuntime."""

    def __init__(self, runtime: Runtime, manifest: Manifest, contract: Contract, chunk_rows: int = CHUNK_ROWS) -> None:
        self._runtime = runtime
        self._plan = compile_feeds(contract, manifest.signature, manifest.options)
        self._chunk_rows = 1 if self._plan.ragged else chunk_rows

    def predict(self, table: Any) -> Predicted:
        """Answer every row, in order; columns the contract does not name are ignored.

        Raises ContractViolation naming a column that is missing or does not fit, RuntimeFailed when the model errs.
        """
        parts = list(self.outputs(table))
        if not parts:
            raise RuntimeFailed("a table without rows has no answers")
        scores = [each.scores for each in parts if each.scores is not None]
        return Predicted(
            np.concatenate([each.prediction for each in parts]), np.concatenate(scores) if scores else None
        )

    def outputs(self, table: Any) -> Iterator[Outputs]:
        """The model's answers chunk by chunk, raw arrays included."""
        for start in range(0, table.num_rows, self._chunk_rows):
            yield self._runtime.run(feeds_from_table(self._plan, table.slice(start, self._chunk_rows)))

    def close(self) -> None:
        """Give the model back."""
        self._runtime.close()


def predict_with(package: Path) -> PackagePredictor:
    """The model in directory `package`, its bytes checked, loaded in this process; the registry's Runner.

    Raises IntegrityError when the package changed since it was registered, RuntimeFailed when its model cannot be
    loaded here.
    """
    found = open_package(package)
    return PackagePredictor(open_runtime(found.path, found.manifest, found.contract), found.manifest, found.contract)
