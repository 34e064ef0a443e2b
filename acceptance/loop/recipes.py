"""Item 3: recipes, and the built-in AutoML."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/retraining/recipes"
WORKSHOP: Final = f"{ROOM}/test_workshop.py"
LIMITS: Final = f"{ROOM}/test_limits.py"
SEARCH: Final = "tests/retraining/search"
FOUND: Final = f"{SEARCH}/test_search.py"

SUITE.tests(
    "3-function",
    "a Python function `train(dataset) -> model`",
    f"{ROOM}/test_python.py::test_a_function_learns_and_the_run_is_recorded",
)
SUITE.tests("3-command", "a command, without a shell", f"{ROOM}/test_command.py")
SUITE.tests("3-notebook", "a notebook run headless", f"{ROOM}/test_notebook.py")
SUITE.tests("3-automl", "or the built-in AutoML", f"{ROOM}/test_automl.py")
SUITE.tests(
    "3-families",
    "of tables: linear, gradient boosting, random forest, small nets, in a time budget",
    f"{SEARCH}/test_race.py",
    f"{FOUND}::test_the_budget_is_kept_by_a_clock_that_runs",
)
SUITE.tests(
    "3-leaderboard",
    "a leaderboard with fit time, per-row latency and size",
    f"{FOUND}::test_every_family_is_on_the_leaderboard_with_its_price",
    "tests/cli/test_learn.py::test_a_leaderboard_is_read_and_the_model_is_registered",
)
SUITE.tests("3-calibrated", "calibrated", f"{SEARCH}/test_calibration.py")
SUITE.tests("3-explained", "it explains its choice", f"{FOUND}::test_the_choice_is_explained")
SUITE.tests("3-exact", "what it finds becomes exact ONNX", f"{FOUND}::test_what_is_found_becomes_exact_onnx")
SUITE.tests(
    "3-stays",
    "no data leaves the machine: the search opens no connection and asks for no address",
    "tests/retraining/search/test_stays.py",
)
SUITE.tests(
    "3-process",
    "each run in a process of its own, with limits of time, memory, disk and threads",
    f"{LIMITS}::test_one_that_hangs_and_passes_over_signals_is_ended",
    f"{LIMITS}::test_one_that_eats_memory_is_ended",
    f"{LIMITS}::test_one_that_fills_the_disk_is_ended_and_its_files_with_it",
    f"{LIMITS}::test_threads_and_secrets_are_what_they_should_be",
)
SUITE.tests(
    "3-logs",
    "logs and a progress bar",
    f"{ROOM}/test_said.py",
    "tests/cli/test_learning.py",
)
SUITE.tests(
    "3-cancel",
    "cancellation, and resume",
    f"{WORKSHOP}::test_a_run_is_ordered_once_and_cancelled_for_good",
    f"{WORKSHOP}::test_a_run_whose_processes_are_killed_is_lost_and_taken_up",
    f"{FOUND}::test_an_interrupted_search_goes_on_and_finds_the_same",
)
SUITE.tests(
    "3-recorded",
    "every run recorded with data, code, environment, parameters and metrics",
    f"{ROOM}/test_python.py::test_a_function_learns_and_the_run_is_recorded",
    "tests/app/test_retraining.py::test_a_run_promotes_what_it_has_learned_and_says_how",
)
