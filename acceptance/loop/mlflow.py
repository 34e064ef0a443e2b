"""Item 7: MLflow both ways, against a real server that the tests start."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
REAL: Final = "tests/tracking/test_mlflow.py"

SUITE.tests(
    "7-register",
    "register from `models:/name@alias`",
    f"{REAL}::test_a_model_behind_an_alias_is_registered",
    f"{REAL}::test_a_pickle_needs_trust",
)
SUITE.tests("7-follow", "follow an alias", f"{REAL}::test_a_moved_alias_is_taken_proved_and_rolled_out_once")
SUITE.tests(
    "7-log",
    "log retraining runs and gate results to a tracking server",
    f"{REAL}::test_a_run_is_logged_once_however_often_it_is_sent",
    "tests/app/test_story.py::test_the_tracking_server_is_told_of_a_run_that_ended",
)
SUITE.tests(
    "7-aliases",
    "set aliases and tags after promotion",
    f"{REAL}::test_a_promotion_sets_alias_and_tags_also_of_a_version_the_server_never_saw",
)
SUITE.tests(
    "7-webhooks",
    "webhooks with signature",
    f"{REAL}::test_a_webhook_of_the_server_is_heard_and_no_other",
    "tests/tracking/test_webhook.py",
)
SUITE.tests("7-real", "tested against a real MLflow server started by the test", REAL)
