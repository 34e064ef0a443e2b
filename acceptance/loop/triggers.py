"""Item 1: triggers."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
TRIGGER: Final = "tests/retraining/test_trigger.py"
WHEN: Final = "tests/traffic/test_when.py"

SUITE.tests(
    "1-alarm",
    "a monitor's alarm: of the concept, of the data, of performance below a threshold, of estimated performance",
    f"{TRIGGER}::test_an_alarm_fires_by_its_ground",
    f"{TRIGGER}::test_an_alarm_waits_for_its_diagnosis_for_an_hour",
    f"{TRIGGER}::test_a_diagnosis_gives_an_alarm_its_ground_and_says_whether_learning_helps",
    f"{TRIGGER}::test_an_alarm_of_the_version_before_is_none",
)
SUITE.tests(
    "1-schedule",
    "a schedule in cron's words, by the clock of its zone",
    f"{TRIGGER}::test_a_schedule_fires_once_a_time",
    f"{WHEN}::test_a_schedule_was_due_last",
    f"{WHEN}::test_a_schedule_goes_by_the_clock_of_its_zone",
)
SUITE.tests("1-labels", "enough new labels", f"{TRIGGER}::test_labels_count_from_where_the_last_run_stopped")
SUITE.tests(
    "1-calls",
    "an upstream data version, a call of the API, a message from CI; each counts once, and CI needs a key that may",
    f"{TRIGGER}::test_calls_count_once_and_as_the_file_says",
    "tests/console/test_retraining.py",
    "tests/cli/test_retrain.py::test_a_message_counts_once_a_key",
)
SUITE.tests(
    "1-combined",
    "combined with and/or and parentheses; what cannot be read is said",
    f"{WHEN}::test_and_binds_before_or_and_parentheses_before_both",
    f"{WHEN}::test_what_cannot_be_read_is_said",
    f"{WHEN}::test_a_wrong_word_of_the_file_is_named",
)
SUITE.tests(
    "1-held-up",
    "cooldown, budget per month and quiet hours hold up what fires by itself; a person is held up by nothing",
    f"{TRIGGER}::test_an_alarm_is_held_up",
    f"{TRIGGER}::test_a_person_is_held_up_by_nothing",
)
SUITE.tests(
    "1-why",
    "each firing says why",
    "tests/app/test_retraining.py::test_a_run_promotes_what_it_has_learned_and_says_how",
    "tests/console/test_retraining.py::test_each_word_is_handed_on_with_who_said_it",
)
