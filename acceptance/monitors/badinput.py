"""Bad input: undecided or broken with its reason in plain words, never a NaN, never an exception that stops others."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
WATCH: Final = "tests/monitors/watch/test_bad_input.py"
SAYS: Final = f"{WATCH}::test_every_monitor_says_how_it_stands_in_plain_words"
COMPARED: Final = "tests/monitors/comparison/test_comparison.py"
WINDOWS: Final = "tests/monitors/attribution/test_bad_windows.py"
DRIFT: Final = "tests/monitors/alarms/test_drift.py"
ESTIMATES: Final = "tests/monitors/estimation"
EVERY: Final = ("binary", "multiclass", "regression", "tensor")
CLASSES: Final = EVERY[:2]


def watched(*cases: str, tasks: tuple[str, ...] = EVERY) -> list[str]:
    """Cases handed to every monitor of endpoints of these tasks."""
    return [f"{SAYS}[{case}-{task}]" for case in cases for task in tasks]


SUITE.tests(
    "bad-constant",
    "constant columns, of the window and of the reference",
    *watched("constant columns", "a constant reference"),
    f"{COMPARED}::test_constant_columns",
    f"{WINDOWS}::test_nothing_but_constant_fields_leaves_the_relation_to_the_answers",
    f"{DRIFT}::test_a_constant_output_says_nothing_until_it_is_another",
)
SUITE.tests(
    "bad-missing",
    "all missing, fields that are gone, and nothing kept at all",
    *watched("all missing", "fields all missing", "fields of the reference all missing", "no features are kept"),
    *watched("another field", "everything refused", "no rows"),
    f"{COMPARED}::test_columns_without_values",
    "tests/monitors/alarms/test_strangeness.py::test_fields_all_missing_have_a_place_too",
)
SUITE.tests(
    "bad-class",
    "one class only",
    *watched("one class only", "one class only in the reference"),
    f"{WINDOWS}::test_one_class_has_no_auc_and_its_inputs_are_told_all_the_same",
    f"{ESTIMATES}/test_pape.py::test_a_reference_of_one_class_is_undecided",
)
SUITE.tests(
    "bad-row",
    "a single row, of the window or of the reference",
    *watched("a single row", "a single row in the reference"),
    f"{COMPARED}::test_a_single_row_decides_nothing",
    f"{WINDOWS}::test_too_few_rows_are_too_few",
    f"{ESTIMATES}/test_performance.py::test_windows_of_almost_nothing",
    f"{DRIFT}::test_a_single_row_is_a_look_and_so_is_none",
)
SUITE.tests(
    "bad-huge",
    "huge integers, and numbers that cannot be squared",
    *watched("huge integers", "huge integers in the reference"),
    f"{COMPARED}::test_numbers_that_are_huge",
    f"{WINDOWS}::test_numbers_beyond_a_float_are_undecided_and_no_peace",
    "tests/monitors/alarms/test_strangeness.py::test_huge_integers_are_numbers_like_others",
    "tests/monitors/outliers/test_reconstruction.py::test_numbers_too_large_to_square_are_broken",
)
SUITE.tests(
    "bad-types",
    "mixed types",
    *watched("mixed types"),
    f"{COMPARED}::test_columns_of_another_type_than_the_reference",
    f"{WINDOWS}::test_odd_columns_change_nothing_that_the_others_say",
    "tests/monitors/quality/test_skew.py::test_numbers_that_became_texts_are_compared_as_they_are_written",
)
SUITE.tests(
    "bad-categories",
    "categories in the tens of thousands",
    *watched("categories in the tens of thousands", tasks=("binary",)),
    f"{COMPARED}::test_tens_of_thousands_of_categories",
    f"{WINDOWS}::test_tens_of_thousands_of_categories_are_no_drift",
    "tests/monitors/alarms/test_strangeness.py::test_tens_of_thousands_of_categories_are_no_trouble",
)
SUITE.tests(
    "bad-reference",
    "a reference smaller than the window, and none at all",
    *watched("a reference smaller than the window", "no reference"),
    f"{COMPARED}::test_a_reference_smaller_than_the_window",
    f"{WINDOWS}::test_a_reference_smaller_than_the_window_is_one_all_the_same",
    f"{DRIFT}::test_a_reference_smaller_than_the_window_will_do",
)
SUITE.tests(
    "bad-probabilities",
    "probabilities that are not calibrated, do not sum to one, or are no numbers",
    *watched(
        "probabilities that are not calibrated",
        "probabilities that do not sum to one",
        "probabilities that are no numbers",
        tasks=CLASSES,
    ),
    f"{ESTIMATES}/test_pape.py::test_scores_that_do_not_sum_to_one_are_broken",
    f"{ESTIMATES}/test_calibration.py::test_overconfident_scores_are_put_right",
    "tests/monitors/fairness/test_fairness.py::test_scores_that_are_no_probabilities_have_no_calibration",
)
SUITE.tests(
    "bad-labels",
    "label noise, and labels of no class",
    *watched("label noise", "label noise in the reference"),
    *watched("labels of no class", tasks=CLASSES),
    f"{ESTIMATES}/test_limits.py::test_label_noise_in_the_reference_shows_as_calibration_and_never_as_nan",
)
SUITE.tests(
    "bad-time",
    "time going backwards",
    *watched("time going backwards"),
    "tests/monitors/alarms/test_risk.py::test_time_counts_and_what_goes_backwards_or_is_silent_for_long_does_not",
    f"{DRIFT}::test_without_moments_nothing_is_measured_and_nothing_changes",
)
SUITE.tests(
    "bad-metric",
    "a metric that cannot be computed",
    *watched("a metric that cannot be computed"),
    *watched("a model without scores", tasks=CLASSES),
    f"{ESTIMATES}/test_expected.py::test_figures_without_a_value_say_why",
    f"{WINDOWS}::test_a_metric_that_is_no_mean_has_a_drop_and_no_parts",
)
SUITE.tests(
    "bad-others",
    "an exception in one monitor stops no other, and is a finding itself",
    f"{WATCH}::test_a_monitor_that_fails_stops_no_other",
    f"{WATCH}::test_every_monitor_there_is_is_on_a_roster",
    "tests/controller/test_watching.py::test_one_monitor_that_fails_is_told_as_broken_and_stops_no_other",
    "tests/controller/test_watching.py::test_an_endpoint_that_cannot_be_looked_at_rests_and_holds_up_no_other",
)
