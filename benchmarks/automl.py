"""How good the built-in search is: `python -m benchmarks.automl [--quick]`.

The flights of January and February 2013 are learned from, those of March judged: the AUC of what the search found
within 60 seconds, beside gradient boosting tuned here by a random search of its own over the same rows, and beside the
demo's, tuned by hand. The better of the two is the one to keep up with. What was found is registered, too: it must
become ONNX that answers exactly alike. Writes ``automl.json`` and ``automl.md``; exit code 1 when a promise was missed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import RandomizedSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from benchmarks import machine, report
from headgate.clock import SystemClock
from headgate.demo import train
from headgate.demo.flights import CATEGORIES, FEATURES, LABEL, NUMBERS, Flights, load_flights
from headgate.registry.package import Engine
from headgate.registry.packages import PackageStore
from headgate.registry.register import Registration, register
from headgate.registry.registry import Registry
from headgate.retraining.search.found import Found
from headgate.retraining.search.learnable import Learning
from headgate.retraining.search.search import search
from headgate.runtimes.predictor import predict_with
from headgate.testing.memory import MemoryStore
from headgate.vocabulary import Task

BUDGET_S: Final = 60.0
SHORTFALL: Final = 0.005
"""How far below the tuned boosting the AUC on March may lie."""
OVERTIME: Final = 1.25
"""The share of the budget all of it may take: the last fit and the look at what is served end when they end."""


def tuned(learned: Flights, settings: int) -> tuple[Any, float]:
    """Gradient boosting with the best of settings drawn at random, by log loss on later rows; the seconds it took."""
    begun = time.perf_counter()
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("codes", encode, list(CATEGORIES)), ("as_is", "passthrough", list(NUMBERS))])
    drawn = {
        "trees__learning_rate": [0.02, 0.04, 0.06, 0.1, 0.15],
        "trees__max_iter": [50, 100, 150, 200, 300],
        "trees__max_leaf_nodes": [7, 15, 31, 63],
        "trees__min_samples_leaf": [20, 50, 100, 200, 400],
        "trees__l2_regularization": [0.0, 1.0, 10.0, 30.0],
        "trees__max_features": [0.3, 0.5, 1.0],
    }
    boosting = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
    found = RandomizedSearchCV(
        Pipeline([("columns", columns), ("trees", boosting)]),
        drawn,
        n_iter=settings,
        scoring="neg_log_loss",
        cv=TimeSeriesSplit(3),
        random_state=0,
    )
    found.fit(learned.features[list(FEATURES)], learned.late.astype(int))
    return found.best_estimator_, time.perf_counter() - begun


def figures(name: str, model: Any, judged: Flights, seconds: float) -> dict[str, Any]:
    """One model's row of the table."""
    said = model.predict_proba(judged.features[list(FEATURES)])[:, 1]
    return {
        "model": name,
        "march_auc": round(float(roc_auc_score(judged.late, said)), 4),
        "march_log_loss": round(float(log_loss(judged.late, np.clip(said, 1e-6, 1 - 1e-6))), 4),
        "seconds": round(seconds, 1),
    }


def registered(found: Found, learned: Flights, folder: Path) -> bool:
    """Whether the registry makes ONNX of it that answers exactly as it does."""
    registry = Registry(MemoryStore(), PackageStore(folder / "packages"), SystemClock())
    frame = learned.features.assign(**{LABEL: learned.late.astype(int)})
    done = register(registry, predict_with, found.model, frame, Registration(name="late", label=LABEL))
    return done.version.engine is Engine.ONNX and done.parity.exact


def measured(folder: Path, *, quick: bool, budget_s: float) -> tuple[report.Rows, list[report.Gate], list[str]]:
    """Every model's row, the promises, and the search's own words."""
    flights = load_flights()
    learned = train.training_flights(flights)
    judged = flights.select((flights.month == train.LAST_TRAINING_MONTH + 1) & ~np.isnan(flights.late))
    threads = 1  # trees of two threads wait for each other at every split, on a busy machine for milliseconds
    begun = time.perf_counter()
    rows = Learning(
        learned.features[list(FEATURES)], learned.late.astype(int), Task.BINARY, at=pd.Series(learned.at).to_numpy()
    )
    found = search(rows, budget_s=budget_s, threads=threads)
    took = time.perf_counter() - begun
    with threadpool_limits(limits=threads):
        reference, seconds = tuned(learned, 6 if quick else 30)
        begun = time.perf_counter()
        by_hand = train.fit(train.with_label(learned))
        hand_s = time.perf_counter() - begun
    table = [
        figures(f"the search ({found.chosen.name})", found.model, judged, took),
        figures("gradient boosting, tuned by a random search", reference, judged, seconds),
        figures("gradient boosting, the demo's", by_hand, judged, hand_s),
    ]
    best = max(float(each["march_auc"]) for each in table[1:])
    gates = [
        report.at_least("AUC on March over that of tuned gradient boosting", table[0]["march_auc"] - best, -SHORTFALL),
        report.at_most("seconds of all of it", took, OVERTIME * budget_s),
        report.at_least("registered as ONNX that answers exactly alike", registered(found, learned, folder), 1),
    ]
    return table, gates, list(found.why)


def main() -> int:
    """Measure, write both reports, and say by the exit code whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the budget, a fifth of the tuning")
    parser.add_argument("--budget", type=float, help="seconds, instead of 60")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    budget_s = chosen.budget or (BUDGET_S / 4 if chosen.quick else BUDGET_S)
    with tempfile.TemporaryDirectory(dir=chosen.out) as folder:
        seen = machine.facts(Path(folder), ("scikit-learn", "numpy", "lightgbm"))
        rows, gates, why = measured(Path(folder), quick=chosen.quick, budget_s=budget_s)
    print("\n".join([*why, ""]))
    whole = {"machine": seen, "quick": chosen.quick, "budget_s": budget_s, "rows": rows, "gates": gates, "why": why}
    return report.write("automl", chosen.out, whole)


if __name__ == "__main__":
    sys.exit(main())
