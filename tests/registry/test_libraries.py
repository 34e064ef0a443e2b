"""Importing what an adapter needs brings no other library along."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "tensorflow", "keras", "xgboost", "lightgbm", "polars", "tokenizers", "matplotlib")


@pytest.mark.parametrize(
    "code",
    [
        "from headgate.registry.importers.libraries import import_skops; import_skops()",
        "import headgate.registry.register, headgate.runtimes.predictor, sklearn.linear_model, skl2onnx",
    ],
)
def test_a_scikit_learn_model_needs_no_other_library(code: str) -> None:
    code += f"; import sys; print([each for each in {HEAVY} if each in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.strip() == "[]"
