"""Bad input: the champion keeps serving, the run ends with its reason, nothing half-made, the next is clean."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
LOOP: Final = "tests/app/test_retraining.py"
PYTHON: Final = "tests/retraining/recipes/test_python.py"
LIMITS: Final = "tests/retraining/recipes/test_limits.py"
CUT: Final = "tests/retraining/datasets/test_cut.py"
RUN: Final = "tests/pipelines/test_run.py"
REAL: Final = "tests/pipelines/test_real_parts.py"

SUITE.tests(
    "bad-raises",
    "a recipe that raises",
    f"{PYTHON}::test_no_model_is_an_end_with_a_reason",
    f"{LOOP}::test_a_recipe_that_fails_ends_the_run_with_its_reason",
)
SUITE.tests(
    "bad-hangs",
    "one that hangs, and passes over signals",
    f"{LIMITS}::test_one_that_hangs_and_passes_over_signals_is_ended",
)
SUITE.tests(
    "bad-disk",
    "one that fills the disk",
    f"{LIMITS}::test_one_that_fills_the_disk_is_ended_and_its_files_with_it",
    f"{LIMITS}::test_no_single_file_grows_beyond_the_limit_wherever_it_lies",
)
SUITE.tests(
    "bad-none",
    "one that returns no model",
    f"{PYTHON}::test_no_model_is_an_end_with_a_reason",
    "tests/retraining/recipes/test_models.py::test_what_is_no_model_is_told",
)
SUITE.tests(
    "bad-contract",
    "a model with another contract",
    f"{LOOP}::test_a_recipe_that_fails_ends_the_run_with_its_reason",
    "tests/retraining/proof/test_prove.py::test_latency_size_and_contract",
)
SUITE.tests(
    "bad-class",
    "labels of one class",
    f"{CUT}::test_what_nothing_can_be_learned_from_is_refused_by_count_and_rule",
    f"{LOOP}::test_what_cannot_be_learned_from_is_said",
    "tests/retraining/proof/test_prove.py::test_few_rows_and_labels_of_one_class_decide_nothing",
)
SUITE.tests(
    "bad-few",
    "too few rows",
    f"{CUT}::test_what_nothing_can_be_learned_from_is_refused_by_count_and_rule",
    f"{LOOP}::test_what_cannot_be_learned_from_is_said",
    "tests/retraining/search/test_learnable.py::test_bad_rows_are_refused",
)
SUITE.tests(
    "bad-source",
    "a source that vanished or changed schema",
    f"{RUN}::test_a_column_that_is_gone_is_named",
    f"{RUN}::test_a_source_that_vanished_is_named_and_leaves_all_as_it_was",
    f"{REAL}::test_a_postgresql_that_changed_or_vanished_leaves_all_as_it_was",
)
SUITE.tests(
    "bad-two",
    "two triggers at once are one run, which knows of both; two pipelines at once are one",
    "tests/store/test_conformance.py::test_store_of_runs",
    "tests/console/test_retraining.py",
    f"{RUN}::test_two_at_once_are_one",
)
SUITE.tests(
    "bad-tracking",
    "a tracking server that is down holds up nothing, and is told later",
    "tests/tracking/test_telling.py::test_what_it_did_not_take_is_kept_and_told_later",
    "tests/tracking/test_telling.py::test_a_wrong_password_waits_for_whoever_mends_it",
)
SUITE.tests(
    "bad-killed",
    "a controller killed at any step",
    "tests/app/test_loop_killed.py::test_a_controller_killed_at_every_step_leaves_a_run_that_ends_well",
)
SUITE.tests(
    "bad-clean",
    "the champion keeps serving, nothing half-registered, the next run starts clean",
    f"{LOOP}::test_a_recipe_that_fails_ends_the_run_with_its_reason",
    f"{LOOP}::test_a_run_is_cancelled_at_any_stage",
)
