"""Item 4: quality of what comes in."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/monitors/quality"
VIOLATIONS: Final = f"{ROOM}/test_violations.py"
COLUMNS: Final = f"{ROOM}/test_columns.py"
PICTURES: Final = f"{ROOM}/test_pictures.py"
RANGES: Final = f"{ROOM}/test_picture_ranges.py"

SUITE.tests(
    "4-violations",
    "contract violations by field and rule, without values of personal fields",
    f"{VIOLATIONS}::test_rows_that_keep_the_contract_break_nothing",
    f"{VIOLATIONS}::test_each_rule_counts_and_says_whether_it_refuses",
    f"{VIOLATIONS}::test_values_of_personal_fields_are_not_named",
)
SUITE.tests(
    "4-missing",
    "missing values beside what the contract and the reference expect",
    f"{COLUMNS}::test_missing_values_are_compared_with_what_the_contract_expects",
    f"{COLUMNS}::test_a_column_that_is_gone_is_missing_everywhere",
    f"{COLUMNS}::test_of_many_fields_that_are_as_expected_few_windows_have_one_called_changed",
)
SUITE.tests(
    "4-unseen",
    "categories never seen",
    f"{VIOLATIONS}::test_categories_count_however_they_are_stored",
    "tests/monitors/comparison/test_comparison.py::test_rows_in_categories_that_the_reference_never_had",
)
SUITE.tests("4-ranges", "values out of their range", f"{VIOLATIONS}::test_each_rule_counts_and_says_whether_it_refuses")
SUITE.tests(
    "4-stale",
    "staleness: fields that stopped changing, and silence longer than promised",
    f"{COLUMNS}::test_a_field_that_stopped_changing_is_stuck",
    f"{COLUMNS}::test_silence_is_stale_once_it_is_longer_than_promised",
)
SUITE.tests("4-duplicates", "duplicates", f"{COLUMNS}::test_copies_are_counted_beyond_the_first_of_each")
SUITE.tests("4-skew", "training-serving skew: the same rows through either way to features", f"{ROOM}/test_skew.py")
SUITE.tests(
    "4-schema",
    "schema changes upstream, column by column",
    f"{COLUMNS}::test_schema_changes_are_named_column_by_column",
    f"{COLUMNS}::test_how_texts_are_stored_is_no_change",
)
SUITE.tests(
    "4-images",
    "images: brightness, blur and size beside the reference's, unusual windows as rare as said",
    f"{PICTURES}::test_sharpness_is_the_variance_of_the_laplacian",
    f"{PICTURES}::test_brightness_is_the_mean_shade_by_the_eye",
    f"{RANGES}::test_ordinary_windows_are_seldom_called_unusual",
    f"{RANGES}::test_lamps_that_go_out_a_lens_that_slips_and_another_camera_are_seen",
)
SUITE.tests(
    "4-look-alikes",
    "images: near-duplicates",
    f"{ROOM}/test_likeness.py",
    f"{PICTURES}::test_a_fingerprint_stays_when_a_picture_is_stored_anew",
    f"{PICTURES}::test_other_pictures_have_other_fingerprints",
)
SUITE.tests(
    "4-watched",
    "watched day by day: what is not whole is named by field and rule, silence is told, and ordinary days alarm no "
    "more often than was said",
    "tests/monitors/watch/test_quality.py",
    "tests/monitors/watch/test_silence.py",
)
SUITE.tests("4-pictures", "pictures of a window beside a reference, as a person asks", "tests/app/test_pictures.py")
