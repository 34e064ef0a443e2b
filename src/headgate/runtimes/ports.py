"""One way to run a package, two places to run it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
"""Model inputs by name; the first dimension of each is the batch."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a model said of a batch."""

    prediction: Array
    """(rows,): a class of the contract or a float64; for tensor tasks unused and empty."""
    scores: npt.NDArray[np.float64] | None
    """(rows, classes), or None for regression."""
    arrays: Mapping[str, Array]
    """Every raw model output by name, for callers that ask for tensors."""
    compute_us: int
    """Time next to the model in microseconds."""


class Runtime(Protocol):
    """A package made callable in this process; safe to call from one thread at a time."""

    def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch. Raises headgate.errors.RuntimeFailed when the model errs."""
        ...

    def close(self) -> None:
        """Give memory back; no call may follow."""
        ...


class Placement(Protocol):
    """Where a package runs, as a gateway sees it."""

    @property
    def inline(self) -> Runtime | None:
        """The runtime itself when it is quick enough to call on the event loop, else None."""
        ...

    async def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch without holding the loop.

        Raises RuntimeFailed when the model errs or its process dies. Cancelling is safe.
        """
        ...

    def rest(self, seconds: float) -> bool:
        """Hold the loop until a call under way has ended, `seconds` at most; whether there was any to wait for.

        For a loop that is asked too much: what comes meanwhile it hears together, and the model is not disturbed.
        """
        return False

    async def close(self) -> None:
        """Give the model back."""
        ...
