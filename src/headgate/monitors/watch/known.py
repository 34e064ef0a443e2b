"""Labelled rows of the version in charge with what it said of them: what estimates without labels stand on.

`headgate.registry.evaluated` keeps them at every evaluation; whoever composes a scene reads them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from headgate.evaluation.rows import Rows
from headgate.monitors.estimation.footing import Footing, footing
from headgate.monitors.estimation.losses import LossModels, loss_models
from headgate.monitors.estimation.tilting import Basis, basis_of
from headgate.monitors.matrices import matrix
from headgate.monitors.standing import Shortfall
from headgate.vocabulary import Task


@dataclass(frozen=True, eq=False)
class Known:
    """What is made of the rows is made once, when it is first asked for."""

    rows: Rows
    features: pa.Table
    """Their inputs as the journal has them: a column for every field that is compared; none where none is."""
    digest: str
    """Of both: other rows are another value."""

    @cached_property
    def footing(self) -> Footing | Shortfall:
        """What they say of the scores."""
        return footing(self.rows)

    @cached_property
    def basis(self) -> Basis:
        """By which they are weighed."""
        return basis_of(self.features)

    @cached_property
    def losses(self) -> LossModels | Shortfall | None:
        """Of a regression what its errors are foretold by; None for others."""
        if self.rows.task is not Task.REGRESSION:
            return None
        return loss_models(self.rows, self.inputs, self.basis.encoder.categorical)

    @cached_property
    def inputs(self) -> Any:
        """Their inputs as a matrix."""
        return matrix(self.basis.encoder, self.features)
