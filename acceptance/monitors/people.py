"""Items 7 and 8: fairness over time; inputs that are unlike the reference."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/monitors/fairness"
FAIRNESS: Final = f"{ROOM}/test_fairness.py"
OUTLIERS: Final = "tests/monitors/outliers"
SCREEN: Final = f"{OUTLIERS}/test_outliers.py"

SUITE.tests(
    "7-rates",
    "selection rate, true and false positive rate of each group with intervals and group sizes",
    f"{FAIRNESS}::test_rates_are_those_counted_by_hand",
    f"{FAIRNESS}::test_without_labels_only_selection_is_known",
)
SUITE.tests(
    "7-calibration",
    "calibration gaps",
    f"{FAIRNESS}::test_a_group_that_is_overrated_shows_in_its_calibration",
    f"{FAIRNESS}::test_a_group_whose_labels_are_all_alike_is_not_calibrated_for_sure",
)
SUITE.tests(
    "7-gaps",
    "gaps between groups as Fairlearn and AIF360 define them, with intervals that hold at least as often as they say",
    f"{FAIRNESS}::test_gaps_are_those_counted_by_hand",
    f"{FAIRNESS}::test_gaps_are_fairlearns",
    f"{FAIRNESS}::test_intervals_cover_at_least_as_often_as_they_say",
    f"{ROOM}/test_signed.py",
)
SUITE.tests(
    "7-intersections",
    "per intersection; groups that are too small are named and not measured",
    f"{FAIRNESS}::test_crossed_fields_and_groups_that_are_too_small",
)
SUITE.tests(
    "8-tabular",
    "a score per request by the density of its fields",
    f"{SCREEN}::test_ordinary_rows_pass",
    f"{SCREEN}::test_rows_unlike_the_reference_are_marked",
    f"{SCREEN}::test_one_row_of_fifty_numbers_takes_well_under_a_millisecond",
)
SUITE.tests("8-reconstruction", "or by reconstruction from principal components", f"{OUTLIERS}/test_reconstruction.py")
SUITE.tests(
    "8-embeddings",
    "of images by the distance of their embedding",
    f"{SCREEN}::test_embeddings_between_clusters_are_marked_and_rates_kept",
)
SUITE.tests(
    "8-rate",
    "with a false-alarm rate of its own, kept over references",
    f"{SCREEN}::test_false_alarms_keep_the_stated_rate_over_references",
)
SUITE.tests(
    "7-over-time",
    "week by week: a gap that grows is found with its groups, one that always was is shown; of people nothing is kept",
    "tests/monitors/watch/test_fairness.py",
    "tests/monitors/watch/test_groups.py",
    "tests/traffic/test_watched.py::test_groups_must_be_in_the_journal",
)
SUITE.tests(
    "8-gateway",
    "a score per request at every door: flagged or refused, as the endpoint's file says",
    "tests/gateway/test_screens.py",
    "tests/app/test_screens.py",
    "tests/store/test_detectors.py",
    "tests/traffic/test_outliers.py",
)
SUITE.tests(
    "8-watched",
    "more of them than was said is an alarm of its own, and so are fields that no longer go together",
    "tests/monitors/watch/test_outlying.py",
    "tests/monitors/watch/test_reconstructed.py",
    "tests/monitors/outliers/test_kept.py",
)
