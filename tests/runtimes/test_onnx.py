"""ONNX Runtime in this process: right numbers, named failures, nothing left of a closed model."""

from pathlib import Path

import numpy as np
import pytest

from headgate.errors import RuntimeFailed
from headgate.registry.packages import open_package
from headgate.runtimes.onnx import OnnxRuntime, open_session
from headgate.testing.conformance_runtime import check_runtime
from headgate.testing.scripted import linear_weights

from .conftest import linear_feeds, opened


def test_it_keeps_every_promise_of_a_runtime(linear: Path) -> None:
    check_runtime(lambda: opened(linear), linear_feeds(6))


def test_the_answer_is_the_models(linear: Path) -> None:
    feeds = linear_feeds(50)
    found = opened(linear).run(feeds)
    expected = 1.0 / (1.0 + np.exp(-feeds["X"].astype(np.float64) @ linear_weights(20).astype(np.float64)))
    assert found.scores is not None
    np.testing.assert_allclose(found.scores[:, 1], expected, atol=1e-6)
    assert found.prediction.tolist() == (expected > 0.5).astype(int).tolist()


def test_feeds_that_do_not_fit_the_graph_are_a_failure_with_a_reason(linear: Path) -> None:
    runtime = opened(linear)
    with pytest.raises(RuntimeFailed, match="the model raised InvalidArgument"):
        runtime.run({"X": np.zeros((2, 3), np.float32)})
    assert len(runtime.run(linear_feeds(2)).prediction) == 2


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(RuntimeFailed, match=r"cannot open model\.onnx"):
        open_session(tmp_path / "model.onnx")


def test_the_file_may_go_once_the_model_is_open(linear: Path, tmp_path: Path) -> None:
    package = open_package(linear)
    (tmp_path / "model.onnx").write_bytes((linear / "model.onnx").read_bytes())
    runtime = OnnxRuntime(tmp_path, package.manifest, package.contract)
    (tmp_path / "model.onnx").unlink()
    assert len(runtime.run(linear_feeds(3)).prediction) == 3
