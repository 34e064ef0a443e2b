"""What every native engine has in common: timing, errors, and the reading of outputs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from headgate.contracts.contract import Contract
from headgate.errors import HeadgateError, RuntimeFailed
from headgate.registry.package import Manifest
from headgate.runtimes.failure import described, failed
from headgate.runtimes.interpret import Interpreter
from headgate.runtimes.ports import Feeds, Outputs

Answer = Callable[[Feeds], Sequence[Any]]
"""Raw outputs of a batch, in the order of the signature's outputs."""
Load = Callable[[Path, Manifest, Contract, int], Answer]
"""(package directory, manifest, contract, threads) → the model."""


class NativeRuntime:
    """A model in its own library made callable; from one thread at a time."""

    def __init__(self, answer: Answer, manifest: Manifest, contract: Contract) -> None:
        self._answer: Answer | None = answer
        self._interpreter = Interpreter(manifest.signature, contract, manifest.options)

    def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch. Raises RuntimeFailed when the model errs or breaks its output contract."""
        if self._answer is None:
            raise RuntimeFailed("the model was closed")
        start = perf_counter_ns()
        try:
            raw = self._answer(feeds)
        except RuntimeFailed:
            raise
        except (Exception, SystemExit) as error:
            raise failed(error) from error
        compute_us = (perf_counter_ns() - start) // 1000
        return self._interpreter.read(raw, len(next(iter(feeds.values()))), compute_us)

    def close(self) -> None:
        """Give memory back; a later call raises RuntimeFailed. Closing twice is no error."""
        self._answer = None


def open_native(load: Load, package: Path, manifest: Manifest, contract: Contract, threads: int) -> NativeRuntime:
    """The model that `load` opens, as a runtime.

    Raises RuntimeFailed when its library cannot open it here; TrustRequired and MissingExtra pass through.
    """
    try:
        answer = load(package, manifest, contract, threads)
    except HeadgateError:
        raise
    except (Exception, SystemExit) as error:
        message = f"the {manifest.engine} engine cannot open {manifest.artefact}: {described(error)}"
        raise RuntimeFailed(message) from error
    return NativeRuntime(answer, manifest, contract)
