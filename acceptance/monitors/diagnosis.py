"""Items 2 and 3: what has changed, since when and how; which kind of drift it is, and how much of each."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
COMPARISON: Final = "tests/monitors/comparison"
DISTANCES: Final = f"{COMPARISON}/test_distances.py"
TABLES: Final = f"{COMPARISON}/test_contingency.py"
JUDGEMENT: Final = f"{COMPARISON}/test_judgement.py"
COMPARED: Final = f"{COMPARISON}/test_comparison.py"
MONITORS: Final = "tests/monitors"
ROOM: Final = "tests/monitors/attribution"
CHANGE: Final = f"{ROOM}/test_changepoint.py"
SPLIT: Final = f"{ROOM}/test_split.py"
OVERLAP: Final = f"{ROOM}/test_overlap.py"
ATTRIBUTE: Final = f"{ROOM}/test_attribute.py"

SUITE.tests(
    "2-ks",
    "Kolmogorov-Smirnov of each column, SciPy's to the last digits, exact for few rows",
    f"{MONITORS}/test_two_samples.py",
    f"{COMPARISON}/test_p_values.py",
)
SUITE.tests(
    "2-chi-square",
    "chi-square of the table of both samples, SciPy's, as often wrong as said",
    f"{TABLES}::test_chi_square_is_scipys",
    f"{TABLES}::test_without_drift_it_alarms_as_often_as_said",
)
SUITE.tests(
    "2-cramers-v",
    "Cramér's V without its bias, by rows as published and with both samples weighing the same",
    f"{TABLES}::test_cramers_v_by_rows_is_bergsmas",
    f"{TABLES}::test_cramers_v_of_a_small_sample_is_that_of_a_large_one",
)
SUITE.tests(
    "2-correction",
    "corrected by Benjamini and Hochberg among all columns",
    "tests/evidence/test_multiple.py::test_adjusted_p_values_are_scipys",
    f"{JUDGEMENT}::test_a_p_value_counts_among_all_columns",
    f"{COMPARED}::test_without_drift_windows_alarm_as_often_as_said",
)
SUITE.tests(
    "2-psi",
    "PSI with its bins named and its critical value for so many rows; too few rows have none",
    f"{DISTANCES}::test_psi_is_larger_than_its_critical_value_as_often_as_said",
    f"{DISTANCES}::test_the_critical_values_of_many_rows_are_chi_squares",
    f"{DISTANCES}::test_psi_of_too_few_rows_is_no_figure",
    f"{DISTANCES}::test_bins_are_cut_as_their_namesakes_cut_them",
    f"{DISTANCES}::test_an_empty_bin_counts_by_the_rule_that_is_named",
)
SUITE.tests(
    "2-jensen-shannon",
    "Jensen-Shannon in base 2, the other conventions printed",
    f"{DISTANCES}::test_distances_are_their_formulas",
    f"{DISTANCES}::test_thresholds_of_one_convention_are_told_in_the_others",
    f"{JUDGEMENT}::test_a_drift_is_told_with_its_bins_its_conventions_and_what_chance_makes",
)
SUITE.tests(
    "2-wasserstein",
    "Wasserstein, SciPy's",
    f"{MONITORS}/test_two_samples.py::test_small_samples_are_scipys",
    f"{COMPARED}::test_figures_are_scipys_and_those_of_sketches_are_within_their_errors",
)
SUITE.tests("2-hellinger", "Hellinger and L-infinity", f"{DISTANCES}::test_distances_are_their_formulas")
SUITE.tests(
    "2-since",
    "the moment of the change with an interval that holds it as often as it says",
    f"{CHANGE}::test_the_interval_holds_the_moment_as_often_as_it_says",
    f"{CHANGE}::test_the_moment_and_both_levels_of_a_step",
    f"{CHANGE}::test_where_nothing_changes_nothing_is_seen",
)
SUITE.tests("2-course", "sudden, gradual or recurring", f"{CHANGE}::test_a_course_that_is_plain_is_named")
SUITE.tests("2-slices", "the weakest slices", f"{ROOM}/test_weakness.py")
SUITE.tests("2-ranked", "fields ranked by what their shift does to the metric", f"{ROOM}/test_ranking.py")
SUITE.tests(
    "3-split",
    "the drop is split into what the inputs explain and what a changed relation does, and the parts sum to it",
    f"{ATTRIBUTE}::test_the_drift_that_was_planted_is_named",
    f"{ATTRIBUTE}::test_parts_sum_to_the_drop_and_the_drop_to_the_figures",
    f"{SPLIT}::test_other_inputs_alone_cost_what_they_cost",
)
SUITE.tests(
    "3-reweighting",
    "by density ratios on what both windows share, made of a classifier",
    f"{OVERLAP}::test_weights_make_the_shared_rows_look_alike",
    f"{OVERLAP}::test_chances_are_what_they_say_for_windows_of_any_size",
)
SUITE.tests(
    "3-validity",
    "whose validity is checked",
    f"{OVERLAP}::test_a_classifier_that_cannot_see_the_difference_is_found_out",
    f"{OVERLAP}::test_a_classifier_that_is_wrong_far_out_speaks_against_itself",
    f"{SPLIT}::test_where_chances_say_nothing_the_expected_loss_mends_it",
)
SUITE.tests(
    "3-intervals",
    "with intervals that hold the truth as often as they say",
    f"{SPLIT}::test_intervals_hold_the_truth_as_often_as_they_say",
)
SUITE.tests(
    "3-unshared",
    "what does not overlap is said to be so, and which rows it is",
    f"{OVERLAP}::test_rows_without_a_counterpart_are_those_beyond_the_density_ratio",
    f"{OVERLAP}::test_too_little_in_common_is_said_with_how_much",
    f"{SPLIT}::test_windows_that_share_nothing_cannot_be_divided",
    f"{ATTRIBUTE}::test_windows_without_a_common_row_leave_the_relation_open",
    f"{ATTRIBUTE}::test_rows_without_a_counterpart_are_named",
    f"{ROOM}/test_gaps.py",
)
SUITE.tests(
    "3-remedy",
    "the split names the remedy: collect or reweight, relearn on recent data",
    f"{ROOM}/test_kinds.py",
)
SUITE.tests(
    "3-faults",
    "or mend a broken field, which comes first",
    f"{ROOM}/test_faults.py",
    f"{ATTRIBUTE}::test_a_field_that_is_gone_is_mended_first",
    f"{ATTRIBUTE}::test_another_unit_is_no_changed_relation",
)
SUITE.tests(
    "2-after",
    "made by the controller after an alarm, kept and told with it, the same however often anybody looks",
    "tests/controller/test_diagnosing.py::test_what_was_planted_is_named_with_what_to_do_since_when_and_at_what_cost",
    "tests/controller/test_diagnosing.py::test_whoever_looks_however_often_and_is_killed_in_between_says_the_same",
    "tests/controller/test_diagnosing.py::test_without_a_change_nothing_is_diagnosed",
    "tests/controller/test_diagnosing.py::test_other_words_are_for_the_same_alert_alone",
)
SUITE.tests(
    "3-after",
    "with the kind of drift, its cost and the remedy; before labels are there what can be said without them",
    "tests/monitors/diagnosis/test_diagnosis.py",
    "tests/lives/test_diagnosed.py",
    "tests/app/test_registered.py",
)
