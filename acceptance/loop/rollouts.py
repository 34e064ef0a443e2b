"""Item 5: then a rollout, and probation."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
PROBATION: Final = "tests/retraining/proof/test_probation.py"
ANCHOR: Final = "tests/retraining/proof/test_anchor.py"
PROVE: Final = "tests/retraining/proof/test_prove.py"
DECIDE: Final = "tests/retraining/test_decide.py"
LIVED: Final = "tests/lives/test_retrained.py::test_an_alarm_leads_to_a_promoted_version_and_nobody_is_asked"

SUITE.tests(
    "5-rollout",
    "a rollout with the endpoint's guards, promotion, the alias moved, the old version kept for rollback",
    LIVED,
    "tests/app/test_retraining.py::test_a_run_promotes_what_it_has_learned_and_says_how",
)
SUITE.tests(
    "5-probation",
    "after promotion a probation period in which the paired shadow of the old model may still take it back",
    f"{PROBATION}::test_a_version_that_loses_more_is_taken_back_before_the_end",
    f"{PROBATION}::test_one_that_does_not_is_kept_at_the_end_and_not_before",
    f"{PROBATION}::test_versions_that_are_alike_are_seldom_taken_back_however_often_somebody_looks",
    f"{DECIDE}::test_taking_back_is_said_first_and_done_then",
)
SUITE.tests(
    "5-late-labels",
    "labels that come later can reopen the question",
    f"{PROBATION}::test_labels_that_come_later_reopen_the_question",
    f"{DECIDE}::test_labels_that_come_later_reopen_a_proof_that_was_undecided",
    f"{DECIDE}::test_labels_that_come_after_probation_may_take_it_back",
)
SUITE.tests(
    "5-anchor",
    "promotion without a person needs superiority, or non-inferiority both to the champion and to a frozen anchor",
    f"{PROVE}::test_the_anchor_binds_whoever_promotes_by_itself",
    f"{ANCHOR}::test_the_anchor_moves_to_what_was_promoted_and_is_better",
    f"{ANCHOR}::test_before_there_is_one_the_champion_is_the_anchor",
)
SUITE.tests(
    "5-margins",
    "so margins cannot be given away one by one: fifty challengers in a row",
    f"{ANCHOR}::test_fifty_challengers_in_a_row_do_not_give_margins_away",
)
