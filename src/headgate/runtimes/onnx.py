"""Runs a package on ONNX Runtime, in whichever process asks.

Called by gateways on the hot path, so it needs numpy, onnxruntime and msgspec alone. One thread, no spinning: a
gateway is one process per core, and arrays go in and out as NumPy arrays because the wrapper costs six times more.
"""

from pathlib import Path
from time import perf_counter_ns
from typing import Any

import onnxruntime

from headgate.contracts.contract import Contract
from headgate.errors import RuntimeFailed
from headgate.registry.package import Manifest
from headgate.runtimes.failure import described, failed
from headgate.runtimes.interpret import Interpreter
from headgate.runtimes.ports import Feeds, Outputs


class OnnxRuntime:
    """A package's ONNX model made callable; any number of threads may call `run` at once."""

    def __init__(self, path: Path, manifest: Manifest, contract: Contract, *, threads: int = 1) -> None:
        """Load the model of the package in directory `path`, to run on `threads` threads.

        The whole model is read first, so that the file may go or change afterwards. Raises RuntimeFailed when
        ONNX Runtime cannot open it.
        """
        self._session: Any = bound_session(open_session(path / manifest.artefact, threads))
        self._outputs = [each.name for each in manifest.signature.outputs]
        self._interpreter = Interpreter(manifest.signature, contract, manifest.options)

    def run(self, feeds: Feeds) -> Outputs:
        """Answer a batch. Raises RuntimeFailed when the model errs or breaks its output contract."""
        session = self._session
        if session is None:
            raise RuntimeFailed("the model was closed")
        start = perf_counter_ns()
        try:
            raw = session.run(self._outputs, feeds, None)
        except Exception as error:
            raise failed(error) from error
        compute_us = (perf_counter_ns() - start) // 1000
        return self._interpreter.read(raw, len(next(iter(feeds.values()))), compute_us)

    def close(self) -> None:
        """Give memory back; a later call raises RuntimeFailed. Closing twice is no error."""
        self._session = None


def bound_session(session: Any) -> Any:
    """What `session` itself calls to compute: its checks in Python cost as much as the model does for one row.

    They look at what a FeedPlan has made sure of: that the inputs have their names. ONNX Runtime still checks types
    and shapes. Where a release names that object otherwise, the session as it is does the same, slower.
    """
    return getattr(session, "_sess", session)


def open_session(model: Path, threads: int = 1) -> Any:
    """An ONNX Runtime session over the bytes of `model`: `threads` threads, no spinning, no log lines.

    Raises RuntimeFailed when the file is not a model this ONNX Runtime can run.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise RuntimeFailed(f"this ONNX Runtime cannot open {model.name}: {described(error)}") from error
