"""Item 9: alerts."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/alerts"
DECIDE: Final = f"{ROOM}/test_decide.py"
POSTED: Final = f"{ROOM}/test_posted.py"
TOLD: Final = f"{ROOM}/test_told.py"
CONTROLLER: Final = "tests/controller"
DELIVERING: Final = f"{CONTROLLER}/test_delivering.py"
LIVES: Final = "tests/lives/test_alerts.py"

SUITE.tests(
    "9-one",
    "one finding is one alert, told once however often it is found and by whomever",
    f"{DECIDE}::test_one_finding_is_told_once_however_often_it_is_found",
    f"{ROOM}/test_finding.py::test_what_is_about_the_same_has_one_key_whatever_else_it_says",
    f"{CONTROLLER}/test_alerting.py::test_many_reporters_make_one_alert_and_lose_no_finding",
)
SUITE.tests(
    "9-content",
    "severity, evidence, likely cause, what to do and links are in everything that is told",
    f"{TOLD}::test_the_text_has_everything",
    f"{TOLD}::test_the_body_of_a_webhook_is_one_document_with_every_part",
    f"{ROOM}/test_finding.py::test_what_cannot_be_told_is_refused_by_name",
    f"{DECIDE}::test_what_grows_worse_is_told_at_once_and_what_gets_better_is_not",
)
SUITE.tests(
    "9-cooldown",
    "cooldown: what comes and goes, and what stays, is told again no sooner",
    f"{DECIDE}::test_what_is_still_found_after_the_cooldown_is_told_again_and_what_was_found_once_is_not",
    f"{DECIDE}::test_what_comes_and_goes_within_the_cooldown_is_the_same_alert",
)
SUITE.tests(
    "9-acknowledge",
    "acknowledged: nobody is reminded until it grows worse or returns",
    f"{DECIDE}::test_nobody_is_reminded_of_what_somebody_has_taken_on_until_it_grows_worse",
    f"{DECIDE}::test_an_acknowledgement_ends_with_the_alert",
    "tests/cli/test_alerts.py::test_taking_one_on",
)
SUITE.tests(
    "9-silence",
    "silenced: nobody is told, and what stands at its end is told then",
    f"{DECIDE}::test_in_a_silence_nobody_is_told_and_what_stands_at_its_end_is_told_then",
    f"{DECIDE}::test_what_began_and_ended_in_a_silence_is_told_to_nobody",
    "tests/cli/test_alerts.py::test_silencing",
    "tests/app/test_alerts.py::test_a_silence_has_an_end_and_a_reason_and_is_remembered",
)
SUITE.tests("9-log", "to the log, also with no channel declared", LIVES)
SUITE.tests(
    "9-webhook",
    "to a webhook, signed; its receiver verifies every header and the body",
    f"{POSTED}::test_a_webhook_gets_a_signed_request",
    f"{ROOM}/test_signature.py",
)
SUITE.tests(
    "9-mail",
    "by e-mail, encrypted to whoever shows a certificate",
    f"{ROOM}/test_mailed.py::test_a_mail_arrives_with_everything",
    f"{ROOM}/test_mailed.py::test_mail_and_password_go_encrypted_to_whoever_shows_a_certificate",
)
SUITE.tests(
    "9-slack",
    "to a chat in Slack's form",
    f"{TOLD}::test_a_chat_gets_a_line_and_an_attachment_and_nobody_is_called",
    f"{POSTED}::test_a_chat_gets_a_message_at_the_address_that_is_its_secret",
)
SUITE.tests(
    "9-prometheus",
    "to Prometheus, as a gauge of what stands",
    f"{CONTROLLER}/test_alerting.py::test_how_many_stand_is_counted",
    LIVES,
)
SUITE.tests(
    "9-retried",
    "delivery is retried a bounded number of times, at longer and longer intervals, and by one at a time",
    f"{ROOM}/test_delivery.py::test_a_delivery_that_fails_is_tried_a_bounded_number_of_times",
    DELIVERING,
)
SUITE.tests(
    "9-recorded",
    "and recorded: what arrived, what was given up, and no secret",
    f"{DELIVERING}::test_what_arrives_is_carried_once_and_kept",
    f"{DELIVERING}::test_what_fails_for_ever_is_given_up_and_remembered",
    "tests/app/test_alerts.py::test_no_secret_is_kept_or_logged_however_a_delivery_goes",
    "tests/cli/test_alerts.py::test_one_is_shown_with_its_evidence_and_who_was_told",
)
