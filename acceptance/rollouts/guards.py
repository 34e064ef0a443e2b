"""Item 3: what a candidate is judged by, and what that may cost."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/rollouts"
JUDGE: Final = f"{ROOM}/test_judge.py"
ANSWERS: Final = f"{ROOM}/test_answers.py"
OBSERVE: Final = f"{ROOM}/test_observe.py"
LOSSES: Final = f"{ROOM}/test_losses.py"
BUDGET: Final = f"{ROOM}/test_budget.py"
SHADOWS: Final = "tests/faults/test_shadows.py::test_no_caller_notices_and_the_guard_ends_it"

SUITE.tests(
    "3-errors",
    "errors, of a shadow and of a canary, before any label",
    f"{JUDGE}::test_a_canary_that_fails_its_callers_is_rolled_back_before_any_label",
    f"{JUDGE}::test_without_any_errors_a_candidate_is_proved_to_have_hardly_any",
    f"{ANSWERS}::test_a_shadow_that_fails_is_a_failure_of_the_candidate_alone",
)
SUITE.tests(
    "3-latency",
    "latency quantiles, against what the live version took before",
    f"{JUDGE}::test_latency_is_judged_against_what_the_live_version_took_before",
    f"{OBSERVE}::test_thresholds_are_the_live_versions_own_of_the_week_before",
    f"{OBSERVE}::test_without_a_history_the_first_answers_say_what_is_slow",
)
SUITE.tests(
    "3-refusals",
    "inputs nobody answered count against the arm their id was drawn for, and a fallback against the assigned one",
    f"{OBSERVE}::test_inputs_nobody_answered_belong_to_the_arm_their_id_was_drawn_for",
    f"{ANSWERS}::test_of_an_input_nobody_answered_assignment_says_whose_it_was",
    f"{ANSWERS}::test_a_fallback_is_an_error_of_the_arm_it_was_assigned_to",
)
SUITE.tests(
    "3-contract",
    "a candidate that breaks its output contract is rolled back: rows missing, numbers that are none",
    f"{SHADOWS}[wrong_rows]",
    f"{SHADOWS}[not_finite]",
)
SUITE.tests("3-agreement", "agreement, without any label", f"{JUDGE}::test_agreement_needs_no_labels")
SUITE.tests(
    "3-accuracy",
    "accuracy on late labels: of a shadow and of a canary, when labels are due and not before",
    f"{JUDGE}::test_a_shadow_that_is_worse_is_rolled_back",
    f"{JUDGE}::test_a_shadow_that_is_better_may_go_on",
    f"{JUDGE}::test_a_canary_that_is_worse_is_rolled_back",
    f"{OBSERVE}::test_labels_count_when_they_are_due_and_not_before",
)
SUITE.tests("3-bounded", "any bounded loss on late labels: how far a number is off, up to a cap", LOSSES)
SUITE.tests("3-calibration", "calibration", f"{JUDGE}::test_calibration_is_a_paired_difference_of_squared_errors")
SUITE.tests(
    "3-value",
    "business value: a value matrix, or a column with a cap",
    f"{JUDGE}::test_what_decisions_are_worth_is_a_guard",
    f"{JUDGE}::test_a_value_is_multiplied_by_a_column_up_to_its_cap",
)
SUITE.tests(
    "3-fairness",
    "a fairness gap: a group that is worse off is found though all together are not; small groups are left out",
    f"{JUDGE}::test_a_group_that_is_worse_off_is_found_though_all_together_are_not",
    f"{JUDGE}::test_groups_too_small_to_judge_are_left_out",
)
SUITE.tests(
    "3-sql",
    "any SQL over the journal that gives a bounded number per prediction",
    f"{JUDGE}::test_a_query_gives_losses_of_its_own",
    f"{JUDGE}::test_a_query_that_reads_no_label_is_judged_on_all_answers",
    f"{OBSERVE}::test_a_query_that_reads_no_label_decides_where_none_comes",
    f"{ROOM}/test_planfile.py::test_a_query_that_reads_no_label_needs_none",
    f"{OBSERVE}::test_guards_see_the_fields_and_the_queries_they_name",
    f"{OBSERVE}::test_a_query_that_is_wrong_breaks_its_own_guard_by_name",
)
SUITE.tests(
    "3-margins",
    "margins absolute or relative",
    f"{JUDGE}::test_a_relative_margin_is_of_the_live_versions_own_figure",
    f"{ROOM}/test_planfile.py::test_guards_have_their_margins",
)
SUITE.tests(
    "3-alphas",
    "one alpha for rolling back, over all guards, and one for promoting, which all have to reach",
    f"{JUDGE}::test_a_candidate_as_good_as_the_live_version_is_hardly_ever_rolled_back",
    f"{JUDGE}::test_a_split_must_hold_before_more_is_given",
    "tests/evidence/test_multiple.py::test_each_of_m_needs_m_times_the_evidence",
)
SUITE.tests(
    "3-budget",
    "a yearly budget per endpoint, of alpha and of loss, spent over rollouts by the rule of 6 / (pi n)^2",
    BUDGET,
)
SUITE.tests(
    "3-undecided",
    "undecided never promotes",
    f"{JUDGE}::test_nothing_seen_is_undecided",
    f"{ROOM}/test_decide.py::test_after_the_last_step_only_evidence_promotes",
    "tests/controller/test_progress.py::test_without_evidence_it_waits",
)
SUITE.tests("3-dry-run", "dry_run measures without power", f"{JUDGE}::test_a_dry_run_is_told_and_decides_nothing")
SUITE.tests(
    "3-broken",
    "a broken measurement is its own verdict and pauses: routers, silent shadows, labels that never come, losses",
    f"{JUDGE}::test_a_router_that_does_not_do_what_it_says_breaks_the_measurement",
    f"{JUDGE}::test_a_shadow_that_says_nothing_breaks_the_measurement",
    f"{JUDGE}::test_labels_that_do_not_come_break_the_measurement",
    "tests/controller/test_progress.py::test_a_measurement_that_is_broken_pauses",
)
