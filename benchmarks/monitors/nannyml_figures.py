"""NannyML's figures on a data set it ships with: ``nannyml_figures.py FOLDER``. Runs in its environment.

The car loans, whose last chunk has drifted. Leaves ``reference.csv`` and ``window.csv`` in the folder, the reference
and that chunk as they were compared, and prints the figures. Kolmogorov-Smirnov and Wasserstein are asked for exactly;
beyond 10,000 rows NannyML would estimate them from bins.
"""

import json
import sys
from pathlib import Path
from typing import Any

import nannyml  # type: ignore[import-not-found]

ROWS = 10_000
"""Of a chunk."""
NUMBERS = ["car_value", "debt_to_income_ratio", "driver_tenure"]
NAMES = ["salary_range", "size_of_downpayment"]
EXACTLY = {"kolmogorov_smirnov": {}, "wasserstein": {}, "calculation_method": "exact"}
"""A method reads its words from the whole, once it finds itself named there."""
OF_NUMBERS = ["kolmogorov_smirnov", "wasserstein", "jensen_shannon", "hellinger"]
OF_NAMES = ["chi2", "jensen_shannon", "hellinger", "l_infinity"]
METRICS = ["accuracy", "precision", "recall", "f1", "roc_auc"]


def last(found: Any) -> Any:
    """The figures of the last chunk."""
    return found.filter(period="analysis").to_df().iloc[-1]


def columns(reference: Any, analysis: Any) -> dict[str, dict[str, float]]:
    """Univariate drift, by column and method."""
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*NUMBERS, *NAMES],
        treat_as_categorical=NAMES,
        continuous_methods=OF_NUMBERS,
        categorical_methods=OF_NAMES,
        computation_params=EXACTLY,
        chunk_size=ROWS,
    )
    found = last(calculator.fit(reference).calculate(analysis))
    wanted = {**dict.fromkeys(NUMBERS, OF_NUMBERS), **dict.fromkeys(NAMES, OF_NAMES)}
    return {name: {each: float(found[name, each, "value"]) for each in methods} for name, methods in wanted.items()}


def estimates(reference: Any, analysis: Any) -> dict[str, float]:
    """CBPE, by metric."""
    estimator = nannyml.CBPE(
        y_true="repaid",
        y_pred="y_pred",
        y_pred_proba="y_pred_proba",
        problem_type="classification_binary",
        metrics=METRICS,
        chunk_size=ROWS,
    )
    found = last(estimator.fit(reference).estimate(analysis))
    return {name: float(found[name, "value"]) for name in METRICS}


def reconstruction(reference: Any, analysis: Any) -> float:
    """The error of reconstruction from principal components."""
    calculator = nannyml.DataReconstructionDriftCalculator(column_names=[*NUMBERS, *NAMES], chunk_size=ROWS)
    found = last(calculator.fit(reference).calculate(analysis))
    return float(found["reconstruction_error", "value"])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    reference, analysis, _ = nannyml.load_synthetic_car_loan_dataset()
    kept = [*NUMBERS, *NAMES, "y_pred", "y_pred_proba"]
    reference[[*kept, "repaid"]].to_csv(folder / "reference.csv", index=False)
    analysis[kept].iloc[-ROWS:].to_csv(folder / "window.csv", index=False)
    figures = {
        "columns": columns(reference, analysis),
        "estimates": estimates(reference, analysis),
        "reconstruction": reconstruction(reference, analysis),
    }
    print(json.dumps({"version": nannyml.__version__, **figures}))
