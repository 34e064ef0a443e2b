"""Item 6: pipelines."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
SOURCES: Final = "tests/pipelines/test_sources.py"
REAL: Final = "tests/pipelines/test_real_parts.py"
RUN: Final = "tests/pipelines/test_run.py"
TRANSFORMS: Final = "tests/pipelines/test_transforms.py"
EXPORT: Final = "tests/pipelines/test_export.py"

SUITE.tests("6-file", "pipeline.yaml: what is wrong is named with its line", "tests/pipelines/test_pipelinefile.py")
SUITE.tests("6-sources", "sources: CSV, Parquet, Delta, SQL databases, HTTP", SOURCES)
SUITE.tests(
    "6-streams",
    "a Kafka-protocol or NATS stream, to its end and then what is new",
    f"{REAL}::test_a_topic_is_read_to_its_end_and_then_what_is_new",
    f"{REAL}::test_a_nats_stream_is_read_to_its_end_and_then_what_is_new",
)
SUITE.tests(
    "6-quarantine",
    "a contract check with quarantine",
    f"{RUN}::test_rows_that_break_the_contract_go_aside",
    f"{RUN}::test_too_many_broken_rows_stop_it_and_keep_nothing",
)
SUITE.tests(
    "6-transforms",
    "SQL or Python transforms",
    f"{TRANSFORMS}::test_a_select_sees_the_sources_and_nothing_else",
    f"{TRANSFORMS}::test_a_python_function_makes_features_and_serves",
)
SUITE.tests(
    "6-dataset",
    "a versioned dataset",
    f"{RUN}::test_files_become_a_training_set_under_its_digest",
    f"{RUN}::test_the_same_rows_are_the_same_set",
)
SUITE.tests(
    "6-to-rollout",
    "then recipe, gate and rollout",
    "tests/app/test_pipelines.py::test_it_learns_proves_and_rolls_out",
    f"{RUN}::test_a_gate_that_fails_ends_the_run_and_nothing_rolls_out",
)
SUITE.tests(
    "6-incremental",
    "incremental",
    f"{RUN}::test_only_what_is_new_is_read",
    f"{RUN}::test_where_nothing_is_new_nothing_is_done",
    f"{RUN}::test_a_file_that_grows_is_read_from_its_watermark",
)
SUITE.tests(
    "6-restartable",
    "restartable at the failed step",
    f"{RUN}::test_it_goes_on_at_the_step_that_failed",
    "tests/pipelines/test_killed.py",
)
SUITE.tests(
    "6-skew",
    "the same transform at training and at serving, with a skew test",
    f"{TRANSFORMS}::test_a_feature_that_looks_beyond_its_row_is_refused",
    f"{TRANSFORMS}::test_the_same_feature_may_be_made_before_serving_begins",
    f"{TRANSFORMS}::test_serving_refuses_a_value_that_training_could_not_have_seen",
    f"{RUN}::test_what_a_run_leaves_behind_serves",
)
SUITE.tests("6-quality", "data quality reported", f"{RUN}::test_rows_that_break_the_contract_go_aside")
SUITE.tests(
    "6-steps",
    "each step is a plain command, so that any engine can run it",
    f"{RUN}::test_steps_one_by_one_are_the_same_run",
    "tests/app/test_pipelines.py::test_the_commands",
    f"{EXPORT}::test_airflow_and_dagster_are_python_with_every_step",
    f"{EXPORT}::test_cron_gets_one_line",
)
SUITE.tests(
    "6-generated",
    "with generated definitions for Kubeflow Pipelines and a GitHub Actions workflow",
    f"{EXPORT}::test_kubeflow_runs_each_step_after_the_one_before",
    f"{EXPORT}::test_github_runs_the_steps_in_one_job_and_reports_in_any_case",
)
