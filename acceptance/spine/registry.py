"""Item 3: the registry."""

from pathlib import Path
from typing import Final

from acceptance.rows import Bench, Red, Suite, last_object

SUITE = Suite()
ROOM: Final = "tests/registry"
ENGINES: Final = "tests/runtimes/engines/test_engines.py"

SUITE.tests(
    "3-sklearn",
    "a fitted scikit-learn estimator or pipeline is registered and answers as it does",
    f"{ROOM}/test_sklearn.py",
)
SUITE.tests(
    "3-skops",
    "a skops file is registered; it lists what it would construct and asks for trust beyond what is known",
    f"{ROOM}/test_register.py::test_a_skops_file_lists_what_it_would_construct",
)
SUITE.tests(
    "3-pickle",
    "joblib and pickle open only with trust said aloud; without it no byte of them is run",
    f"{ROOM}/test_register.py::test_a_pickle_needs_trust",
    f"{ROOM}/test_register.py::test_an_untrusted_pickle_is_never_opened",
    f"{ENGINES}::test_a_pickle_nobody_vouched_for_stays_closed",
)
SUITE.tests(
    "3-boosters",
    "XGBoost and LightGBM models and files are registered and answer as they do",
    f"{ROOM}/test_boosters.py",
    f"{ENGINES}::test_an_engine_answers_as_the_model_itself",
)
SUITE.tests(
    "3-onnx",
    "an ONNX file is registered",
    f"{ROOM}/test_onnxfile.py",
)
SUITE.tests(
    "3-torch",
    "a PyTorch module and an exported program are registered",
    f"{ROOM}/test_torch.py",
    f"{ENGINES}::test_an_exported_program_answers_as_the_module_it_was",
)
SUITE.tests(
    "3-keras",
    "a Keras model is registered: converted, or hosted as it is where its converter cannot be installed",
    f"{ROOM}/test_keras.py",
)
SUITE.tests(
    "3-text",
    "a text model travels with its tokeniser in the package",
    f"{ROOM}/test_text.py::test_a_text_model_travels_with_its_tokeniser",
    f"{ENGINES}::test_a_text_package_tokenises_in_the_host",
)
SUITE.tests(
    "3-python",
    "a Python class with predict is registered with its files, once trust is said aloud",
    f"{ROOM}/test_register.py::test_a_python_class_with_its_files",
    f"{ROOM}/test_register.py::test_python_source_that_is_no_model",
    f"{ENGINES}::test_a_class_may_read_rows_and_its_own_folder",
)
SUITE.tests(
    "3-parity",
    "a parity report on the reference sample says the largest difference, the label flips and where",
    f"{ROOM}/test_parity.py",
)
SUITE.tests(
    "3-choice",
    "the report decides between ONNX with float32, ONNX with double inputs and the native model in its host",
    f"{ROOM}/test_sklearn.py::test_float32_trees_stay_float32",
    f"{ROOM}/test_sklearn.py::test_float64_trees_get_double_inputs",
    f"{ROOM}/test_sklearn.py::test_what_onnx_says_otherwise_stays_native",
    f"{ROOM}/test_float32_trap.py",
    f"{ROOM}/test_register.py::test_nothing_is_kept_when_nothing_agrees",
)


@SUITE.row("3-shown", "the choice and its reason are shown", "headgate register")
def shown(bench: Bench) -> None:
    with bench.folder() as folder:
        said = _registered(bench, folder)
    lines = {line.split()[0]: line for line in said.splitlines()[1:4]}
    if set(lines) != {"runs", "because", "parity"} or "ONNX" not in lines["runs"] or "flips" not in lines["parity"]:
        raise Red(said)
    if len(lines["because"].split()) < 4:
        raise Red("no reason is given")


SUITE.tests(
    "3-package",
    "a package is a manifest of digests, verified at every load: no byte can change, no file be added",
    f"{ROOM}/test_packages.py",
    "tests/runtimes/test_predictor.py::test_a_package_that_changed_is_not_opened",
    "tests/runtimes/test_hosted.py::test_a_package_that_changed_is_not_served",
    "tests/gateway/test_versions.py::test_a_package_that_cannot_be_loaded_takes_no_traffic",
)
SUITE.tests(
    "3-environment",
    "the environment it was fitted in is recorded, with lineage: data digest, code, parent, history",
    f"{ROOM}/test_register.py::test_everything_is_remembered",
    f"{ROOM}/test_registry.py::test_lineage_runs_to_the_first_ancestor",
)


@SUITE.row(
    "3-doctor",
    "doctor runs parity again on the serving machine, and says which package answers otherwise or was changed",
    "headgate doctor",
)
def doctor(bench: Bench) -> None:
    with bench.folder() as folder:
        _registered(bench, folder)
        healthy = last_object(bench.run(bench.headgate, "doctor", "--home", "h", "--json", cwd=folder))
        (model,) = (folder / "h" / "packages").rglob("model.onnx")
        model.chmod(0o644)
        with model.open("ab") as file:
            file.write(b"\0")
        ill = last_object(bench.run(bench.headgate, "doctor", "--home", "h", "--json", cwd=folder, status=6))
    if not any("answers here as it did" in each["what"] for each in healthy["findings"]):
        raise Red("it did not run parity again")
    bad = [each for each in ill["findings"] if each["health"] == "bad"]
    if len(bad) != 1 or "model.onnx" not in bad[0]["what"] or not bad[0]["advice"]:
        raise Red(f"it finds {bad}")


SUITE.tests(
    "3-recheck",
    "a serving machine whose library answers otherwise is seen by the parity that is run there",
    f"{ROOM}/test_register.py::test_recheck_sees_a_machine_that_answers_differently",
)
SUITE.tests(
    "3-metrics",
    "evaluate gives every metric of the task, equal to scikit-learn's",
    "tests/evaluation/test_metrics.py",
)
SUITE.tests(
    "3-intervals",
    "each metric has a confidence interval that covers as often as it says",
    "tests/evaluation/test_intervals.py",
)


@SUITE.row(
    "3-metric-names",
    "accuracy, precision, recall, F1, ROC AUC, average precision, log loss, Brier, calibration error; MAE, RMSE, R2, "
    "pinball: each has a value and an interval",
    "headgate.evaluation.metrics.measure",
)
def names(bench: Bench) -> None:
    probe = (
        "import json, numpy as np\n"
        "from headgate.evaluation.metrics import measure\n"
        "from headgate.vocabulary import Task\n"
        "r = np.random.default_rng(0); y = r.integers(0, 2, 900); p = np.clip(y * .3 + r.random(900) * .7, .01, .99)\n"
        "b = measure(Task.BINARY, y, (p > .5).astype(int), np.column_stack((1 - p, p)), (0, 1))\n"
        "g = measure(Task.REGRESSION, y + p, p, None, ())\n"
        "print(json.dumps({n: [e.value, e.low, e.high] for d in (b, g) for n, e in d.items()}))\n"
    )
    found = last_object(bench.run(bench.python, "-c", probe))
    wanted = [
        *("accuracy", "precision", "recall", "f1", "auc", "average_precision", "log_loss", "brier"),
        *("calibration_error", "mae", "rmse", "r2", "pinball"),
    ]
    if missing := [name for name in wanted if not any(each.startswith(name) for each in found)]:
        raise Red(f"no {', '.join(missing)} among {', '.join(found)}")
    if bare := [name for name, (value, low, high) in found.items() if value is None or low is None or high is None]:
        raise Red(f"without value or interval: {', '.join(bare)}")


SUITE.tests(
    "3-rivals",
    "beside a dummy baseline and the current champion, on the same rows",
    "tests/evaluation/test_report.py::test_the_dummy_is_scikit_learns",
    "tests/evaluation/test_report.py::test_the_regression_dummy_is_the_best_constant_of_each_metric",
    "tests/evaluation/test_report.py::test_the_champion_is_measured_on_the_same_labelled_rows",
    f"{ROOM}/test_register.py::test_the_champion_is_asked_on_the_same_rows",
)
SUITE.tests(
    "3-slices",
    "and per slice",
    "tests/evaluation/test_slices.py",
    "tests/evaluation/test_report.py::test_slices_are_measured_against_everybody_and_come_worst_first",
)
SUITE.tests(
    "3-gate",
    "a gate in words passes or fails: `auc >= 0.65`, `auc not worse than champion by 0.01`",
    "tests/evaluation/test_gates.py",
    f"{ROOM}/test_register.py::test_evaluation_is_kept_and_proves",
)
SUITE.tests("3-aliases", "aliases, versions and history", f"{ROOM}/test_registry.py")
SUITE.tests(
    "3-store",
    "versions, aliases, events and endpoints are kept alike in memory and in SQLite, by processes at once",
    "tests/store",
    "tests/migrations",
    "--deselect=tests/migrations/test_migrations.py::test_postgres_too",
)
SUITE.tests("3-postgres", "and in PostgreSQL", "tests/migrations/test_migrations.py::test_postgres_too")


def _registered(bench: Bench, folder: Path) -> str:
    """A pipeline registered by the command line in `folder`, its home in `h`; returns what was said."""
    make = (
        "import numpy as np, pandas as pd\n"
        "from skops.io import dump\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "r = np.random.default_rng(0); f = pd.DataFrame(r.normal(size=(300, 2)), columns=['a', 'b'])\n"
        "f['y'] = (f.a > f.b).astype(int); f.to_parquet('reference.parquet')\n"
        "dump(LogisticRegression().fit(f[['a', 'b']], f.y), 'model.skops')\n"
    )
    bench.run(bench.python, "-c", make, cwd=folder)
    words = ("register", "m", "model.skops", "--reference", "reference.parquet", "--label", "y", "--home", "h")
    return bench.run(bench.headgate, *words, cwd=folder)
