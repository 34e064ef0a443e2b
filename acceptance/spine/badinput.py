"""Bad input: each case refused by field and rule, over the wire or with the exit code of its class."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
WIRE: Final = "tests/app/test_refusals.py"
ROW: Final = f"{WIRE}::test_a_bad_row_is_refused_by_field_and_rule_and_its_neighbour_answered"
BODY: Final = f"{WIRE}::test_a_body_that_is_none_is_refused"
LABEL: Final = f"{WIRE}::test_a_label_that_is_none_is_refused_and_nothing_beside_it_is_kept"
FILES: Final = "tests/cli/test_refused_files.py"
DECODE: Final = "tests/contracts/test_decode.py::test_a_broken_rule_is_named_with_its_field_and_without_the_value"

SUITE.tests("bad-unknown-field", "an unknown field", f"{ROW}[unknown-field]")
SUITE.tests("bad-missing-field", "a missing field", f"{ROW}[missing-field]", f"{ROW}[null]")
SUITE.tests("bad-type", "a wrong type", f"{ROW}[wrong-type]")
SUITE.tests("bad-nan", "NaN and Infinity", f"{ROW}[nan]", f"{ROW}[infinity]", f"{DECODE}[NaN inside]")
SUITE.tests("bad-range", "out of range", f"{ROW}[out-of-range]", f"{ROW}[hour-out-of-range]")
SUITE.tests("bad-category", "an unseen category", f"{ROW}[unseen-category]")
SUITE.tests(
    "bad-shape",
    "a wrong tensor shape, in a V2 tensor and in a tensor field",
    f"{WIRE}::test_a_tensor_of_the_wrong_shape_is_refused",
    f"{DECODE}[wrong length]",
    f"{DECODE}[ragged]",
)
SUITE.tests(
    "bad-truncated",
    "a truncated body",
    f"{WIRE}::test_a_truncated_body_is_not_answered_and_nothing_of_it_is_kept",
    "tests/gateway/test_http.py::test_a_truncated_body_is_refused_and_not_answered",
)
SUITE.tests("bad-oversized", "an oversized body", f"{WIRE}::test_an_oversized_body_is_refused_before_it_is_read")
SUITE.tests("bad-utf8", "bad UTF-8", f"{BODY}[bad-utf8]")
SUITE.tests("bad-json", "not JSON", f"{BODY}[not-json]", f"{BODY}[half-json]", f"{BODY}[empty]")
SUITE.tests(
    "bad-endpoint",
    "an unknown endpoint",
    f"{WIRE}::test_an_unknown_endpoint_is_not_found",
    f"{FILES}::test_unknown_endpoints_and_versions_are_not_found",
)
SUITE.tests(
    "bad-version",
    "an unknown version",
    f"{WIRE}::test_an_unknown_version_is_not_found",
    f"{FILES}::test_unknown_endpoints_and_versions_are_not_found",
)
SUITE.tests("bad-label-nothing", "a label for nothing", f"{LABEL}[for-nothing]", f"{LABEL}[nothing-named]")
SUITE.tests(
    "bad-label-type", "a label of the wrong type", f"{LABEL}[wrong-type]", f"{LABEL}[wrong-class]", f"{LABEL}[null]"
)
SUITE.tests(
    "bad-reference-empty",
    "a reference file that is empty",
    f"{FILES}::test_a_reference_that_is_none[empty]",
    f"{FILES}::test_a_reference_that_is_none[no-rows]",
    "tests/contracts/test_tables.py::test_bad_files_are_refused_by_rule",
)
SUITE.tests(
    "bad-reference-twice",
    "a reference file that has duplicate columns",
    f"{FILES}::test_a_reference_that_is_none[duplicate-columns]",
    "tests/contracts/test_tables.py::test_duplicate_columns_in_parquet_are_refused_by_rule",
)
SUITE.tests(
    "bad-onnx",
    "an ONNX file that is not one",
    f"{FILES}::test_an_onnx_file_that_is_not_one",
    "tests/runtimes/test_onnx.py::test_a_file_that_is_no_model_is_refused_by_name",
)
SUITE.tests(
    "bad-package",
    "a package changed after registration",
    f"{FILES}::test_a_package_changed_after_registration",
    "tests/gateway/test_versions.py::test_a_package_that_cannot_be_loaded_takes_no_traffic",
)
SUITE.tests(
    "bad-newer",
    "a home directory of a newer schema",
    f"{FILES}::test_a_home_of_a_newer_schema",
    "tests/store/test_home.py::test_newer_database",
)
SUITE.tests(
    "bad-disk-full",
    "a disk that fills: refused with 503, recovers by itself, nothing acknowledged is lost or half-written",
    "tests/faults/test_full_disk.py",
)
SUITE.tests(
    "bad-exit-codes",
    "every class of error has an exit code of its own, and help lists them",
    "tests/cli/test_verbs.py::test_every_class_of_error_has_a_code_of_its_own_in_the_list",
    "tests/cli/test_verbs.py::test_help_lists_every_verb_and_every_exit_code",
)
SUITE.tests(
    "bad-neighbours",
    "whatever bytes come, no neighbour is harmed",
    "tests/gateway/test_http.py::test_noise_never_harms_a_neighbour",
    "tests/gateway/test_versions.py::test_no_answer_belongs_to_another_row_or_version",
)
