"""Item 5: performance with labels, with some, and without."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/monitors/estimation"
PERFORMANCE: Final = f"{ROOM}/test_performance.py"
EXPECTED: Final = f"{ROOM}/test_expected.py"
COVERAGE: Final = f"{ROOM}/test_coverage.py"
WATCH: Final = "tests/monitors/watch"

SUITE.tests(
    "5-mature",
    "performance per window whose labels are due, with intervals, beside the reference",
    f"{WATCH}/test_performance.py::test_a_drop_is_found_shown_with_its_figures_and_over_after_a_good_week",
    f"{WATCH}/test_performance.py::test_what_is_borne_is_not_found_and_without_a_reference_nothing_is",
    f"{WATCH}/test_days.py::test_labels_bring_their_figures_and_hours_leave_them",
    "tests/monitors/test_windows.py::test_metrics_are_those_of_the_evaluation",
)
SUITE.tests(
    "5-coverage",
    "label coverage: labels that stop are missed",
    f"{COVERAGE}::test_labels_that_are_not_due_do_not_count",
    f"{WATCH}/test_labels.py::test_labels_that_stop_are_missed_until_they_come_again_for_a_week",
    f"{WATCH}/test_labels.py::test_a_few_labels_fewer_are_no_alarm",
)
SUITE.tests(
    "5-selection",
    "selection bias of labels",
    f"{COVERAGE}::test_labels_for_one_kind_of_input_are_selective",
    f"{COVERAGE}::test_labels_that_chance_chose_are_not",
    f"{ROOM}/test_limits.py::test_labels_that_are_no_random_sample_are_named",
)
SUITE.tests(
    "5-cbpe",
    "CBPE, binary and multiclass: what is expected is the mean over drawn labels, and the published formulas",
    f"{EXPECTED}::test_expected_figures_are_means_over_drawn_labels",
    f"{EXPECTED}::test_sure_chances_give_the_realised_figures",
    f"{EXPECTED}::test_figures_of_two_classes_are_those_of_the_published_formulas",
    f"{ROOM}/test_calibration.py",
)
SUITE.tests(
    "5-losses",
    "direct loss estimation for numbers",
    f"{ROOM}/test_losses.py::test_losses_follow_the_inputs",
    f"{ROOM}/test_losses.py::test_what_it_is_worth_on_rows_not_fitted_on_is_measured",
    f"{PERFORMANCE}::test_a_regression_from_no_label_to_all",
)
SUITE.tests(
    "5-reweighted",
    "importance-weighted recalibration, nearer under a covariate shift",
    f"{ROOM}/test_pape.py::test_pape_is_nearer_than_cbpe_under_covariate_shift",
    f"{ROOM}/test_pape.py::test_a_window_far_away_is_undecided",
    f"{ROOM}/test_losses.py::test_a_weighed_reference_foretells_the_window_it_was_weighed_for",
)
SUITE.tests(
    "5-corrected",
    "corrected by whatever labels exist, prediction-powered: intervals cover the truth though the estimate is wrong",
    f"{ROOM}/test_corrected.py",
)
SUITE.tests(
    "5-switched",
    "switched to realised figures as labels mature, each figure saying which it is",
    f"{PERFORMANCE}::test_the_source_follows_the_labels",
    f"{PERFORMANCE}::test_intervals_narrow_and_the_value_ends_at_what_was_measured",
)
SUITE.tests(
    "5-confidence",
    "the confidence shown: intervals that hold what labels say later, and every limit said",
    f"{PERFORMANCE}::test_estimates_lie_within_their_interval_of_what_labels_say_later",
    f"{PERFORMANCE}::test_intervals_hold_where_a_class_is_rarer_than_in_the_reference",
    f"{ROOM}/test_limits.py",
)
SUITE.tests(
    "5-watched",
    "watched day by day before labels are there, switched as they come, false alarms no more often than was said",
    f"{WATCH}/test_estimate.py::test_inputs_of_which_the_model_is_less_sure_are_found_before_any_label",
    f"{WATCH}/test_estimate.py::test_as_labels_come_the_figures_are_measured",
    f"{WATCH}/test_estimate.py::test_errors_of_numbers_are_foretold_from_inputs",
    f"{WATCH}/test_estimate.py::test_without_drift_no_more_weeks_alarm_than_was_said",
    "tests/registry/test_evaluated.py",
)
