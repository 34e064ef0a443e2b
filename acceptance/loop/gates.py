"""Item 4: gates."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
PROVE: Final = "tests/retraining/proof/test_prove.py"

SUITE.tests(
    "4-same-rows",
    "the challenger against the champion on the same recent matured rows, none of which it learned from",
    f"{PROVE}::test_a_better_version_may_be_promoted_and_is_the_next_anchor",
    f"{PROVE}::test_rows_the_challenger_learned_from_prove_nothing",
    f"{PROVE}::test_rows_come_in_the_order_of_time_and_unlabelled_ones_are_left_out",
)
SUITE.tests("4-golden", "and on fixed golden sets", f"{PROVE}::test_a_golden_set_is_an_exam_without_chance")
SUITE.tests(
    "4-slices",
    "per slice",
    f"{PROVE}::test_harm_in_a_slice_fails_though_the_whole_is_better",
    f"{PROVE}::test_slices_that_do_no_harm_seldom_fail",
)
SUITE.tests(
    "4-margins",
    "with intervals and non-inferiority margins; between passed and failed nobody guesses",
    "tests/retraining/proof/test_paired.py",
    f"{PROVE}::test_a_version_that_is_alike_passes_and_moves_no_anchor",
    f"{PROVE}::test_between_passed_and_failed_nobody_guesses",
)
SUITE.tests("4-calibration", "calibration", f"{PROVE}::test_probabilities_that_are_less_true_fail")
SUITE.tests("4-rails", "latency, size and contract compatibility", f"{PROVE}::test_latency_size_and_contract")
SUITE.tests(
    "4-fairness", "the fairness gap", f"{PROVE}::test_groups_that_are_treated_apart_fail_and_few_people_leave_it_open"
)
SUITE.tests(
    "4-robust",
    "robustness to missing and perturbed inputs",
    f"{PROVE}::test_a_version_that_does_not_bear_what_is_missing_fails",
)
SUITE.tests(
    "4-explained",
    "a failed gate is a finished, explained outcome",
    f"{PROVE}::test_a_worse_version_fails_in_a_sentence_with_figures",
    "tests/retraining/proof/test_report.py::test_a_failure_is_an_outcome_that_is_explained",
    "tests/app/test_retraining.py::test_a_model_that_is_no_better_leaves_the_champion",
)
SUITE.tests("4-report", "a gate run writes a report a pull request can carry", "tests/retraining/proof/test_report.py")
