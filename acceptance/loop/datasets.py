"""Item 2: training sets."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/retraining/datasets"
CUT: Final = f"{ROOM}/test_cut.py"
WINDOWS: Final = f"{ROOM}/test_windows.py"

SUITE.tests(
    "2-as-of",
    "cut point-in-time from journal and labels: as-of joins, each labelled input once",
    f"{CUT}::test_each_labelled_input_is_there_once_in_order_with_what_was_journalled",
    f"{CUT}::test_nothing_later_than_its_moment_is_known",
    "tests/journal/test_truths.py",
)
SUITE.tests(
    "2-maturity",
    "label maturity respected: rows whose labels are not due are for nobody",
    f"{CUT}::test_nothing_later_than_its_moment_is_known",
    f"{CUT}::test_newest_rows_may_be_held_out_for_a_proof",
)
SUITE.tests(
    "2-leakage",
    "leakage refused: labels observed before their rows, the label among the features",
    f"{CUT}::test_truths_observed_before_their_rows_are_left_out_and_counted",
    f"{CUT}::test_a_label_among_the_features_is_refused_by_name",
)
SUITE.tests("2-original", "plus the original data", f"{CUT}::test_original_rows_stand_before_all_others")
SUITE.tests(
    "2-window",
    "the window chosen by back-test from the diagnosis: since the change point, everything, reweighted, same season",
    f"{ROOM}/test_choose.py",
    f"{WINDOWS}::test_after_a_change_rows_since_it_are_learned_from_to_the_row",
    f"{WINDOWS}::test_without_a_change_all_rows_are_learned_from_the_original_ones_too",
    f"{WINDOWS}::test_rows_are_weighed_by_how_frequent_their_like_is_now",
    f"{WINDOWS}::test_windows_that_a_person_asks_for",
)
SUITE.tests("2-change", "and the change is found to the row, not to midnight", f"{ROOM}/test_change.py")
SUITE.tests(
    "2-digest",
    "versioned by digest: the same rows are the same set, before and after a seal, and are never written again",
    f"{CUT}::test_the_digest_is_the_same_before_and_after_a_seal",
    f"{CUT}::test_the_same_set_is_never_written_again",
    f"{CUT}::test_a_set_that_was_changed_or_is_not_there_is_told",
)
SUITE.tests(
    "2-any-engine",
    "usable from any engine as Parquet and Arrow, and as pandas and numpy where a recipe wants them",
    "tests/retraining/recipes/test_training.py::test_every_form_has_the_same_rows",
)
