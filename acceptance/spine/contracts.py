"""Item 2: contracts."""

from typing import Final

from acceptance.rows import Bench, Red, Suite

SUITE = Suite()
ROOM: Final = "tests/contracts"

SUITE.tests(
    "2-infer",
    "infer takes Arrow, pandas, Polars, Parquet and CSV and gives the same contract for the same rows",
    f"{ROOM}/test_tables.py::test_every_form_gives_the_same_rows",
    f"{ROOM}/test_tables.py::test_nan_means_missing",
    f"{ROOM}/test_infer.py::test_the_result_is_a_contract",
    f"{ROOM}/test_properties.py::test_a_reference_keeps_the_contract_inferred_from_it_without_a_flag",
)
SUITE.tests(
    "2-yaml",
    "a contract is YAML a person can edit: it reads back, means what people write, and is refused by line and key",
    f"{ROOM}/test_text.py",
    f"{ROOM}/test_properties.py::test_a_contract_survives_its_document_and_its_yaml",
)
SUITE.tests(
    "2-fields",
    "each field has its kind (number, integer, boolean, category, text, timestamp, tensor, image), nullability, range "
    "or domain, and expected missing rate, found in the reference",
    f"{ROOM}/test_infer.py::test_a_column_suggests_a_field",
    f"{ROOM}/test_infer.py::test_a_categorical_column_declares_its_domain",
)
SUITE.tests(
    "2-unit",
    "a unit is kept in the contract and named by the message that refuses a value",
    f"{ROOM}/test_decode.py::test_a_broken_rule_is_named_with_its_field_and_without_the_value",
    f"{ROOM}/test_text.py::test_a_contract_is_written_without_its_defaults_and_reads_back",
)
SUITE.tests(
    "2-sensitivity",
    "fields about persons are found by name, show no domain, and lie apart in the lake without statistics",
    f"{ROOM}/test_infer.py::test_names_that_speak_of_a_person_make_a_field_personal",
    f"{ROOM}/test_infer.py::test_a_personal_field_gets_no_domain_that_would_tell_on_people",
    "tests/journal/test_sealer.py::test_personal_values_leave_no_statistics",
)
SUITE.tests(
    "2-rules",
    "each rule rejects or flags, as the contract says",
    f"{ROOM}/test_decode.py::test_flags_name_rule_and_field_of_each_row_in_contract_order",
    f"{ROOM}/test_decode.py::test_a_broken_rule_is_named_with_its_field_and_without_the_value",
    f"{ROOM}/test_infer.py::test_ranges_and_domains_only_flag",
    f"{ROOM}/test_properties.py::test_a_row_is_clean_exactly_when_it_is_legal_and_has_no_flags",
)
SUITE.tests(
    "2-outputs",
    "outputs have classes, probability and bounds, inferred from the label and held against every answer",
    f"{ROOM}/test_infer.py::test_a_label_column_suggests_the_output",
    "tests/runtimes/test_interpret.py::test_every_break_of_scores_is_named",
    "tests/runtimes/test_interpret.py::test_every_break_of_labels_is_named",
    "tests/runtimes/test_interpret.py::test_every_break_of_numbers_is_named",
)
SUITE.tests(
    "2-row",
    "one row is checked by types compiled to msgspec, and the slow road agrees with the fast",
    f"{ROOM}/test_decode.py",
    f"{ROOM}/test_properties.py::test_the_fast_and_the_slow_road_take_the_same_rows",
)
SUITE.tests(
    "2-table",
    "a whole Arrow table is checked at once, failing rows quarantined with reasons, exactly as one by one",
    f"{ROOM}/test_check.py",
    f"{ROOM}/test_properties.py::test_a_table_is_judged_as_its_rows_would_be_one_by_one",
)
SUITE.tests(
    "2-compare",
    "compare says compatible, widening or breaking and why; what is not breaking keeps every legal row legal",
    f"{ROOM}/test_compare.py",
    f"{ROOM}/test_properties.py::test_a_contract_is_compatible_with_itself",
    f"{ROOM}/test_properties.py::test_rows_legal_before_stay_legal_when_nothing_breaks",
    f"{ROOM}/test_properties.py::test_two_changes_together_are_no_graver_than_the_graver_one",
)
SUITE.tests(
    "2-image-served",
    "a field of every kind reaches a model, images too",
    "tests/runtimes/test_feeds.py::test_tables_and_rows_give_a_model_the_same_arrays",
    "tests/app/test_whole_path.py::test_an_image_is_answered",
)


@SUITE.row(
    "2-init",
    "headgate init drafts endpoint.yaml: contract, SLO, resources, capture and why; the draft is legal",
    "headgate init flights.csv --endpoint late --model delay --label late",
)
def init(bench: Bench) -> None:
    with bench.folder() as folder:
        (folder / "flights.csv").write_text("distance,origin,late\n200,JFK,1\n1400,LGA,0\n730,JFK,0\n")
        words = ["init", "flights.csv", "--endpoint", "late", "--model", "delay", "--label", "late"]
        bench.run(bench.headgate, *words, cwd=folder)
        text = (folder / "endpoint.yaml").read_text()
        probe = (
            "from headgate.traffic.endpoint import load_endpoint as load; s = load(open('endpoint.yaml').read(), 'x'); "
            "print(s.contract.names, s.contract.output.classes, s.slo.latency_p99_ms, s.slo.requests_per_second)"
        )
        read = bench.run(bench.python, "-c", probe, cwd=folder).strip()
        again = bench.run(bench.headgate, *words, cwd=folder, status=5)
    missing = [key for key in ("why:", "slo:", "resources:", "capture:", "contract:") if f"\n{key}" not in text]
    if missing:
        raise Red(f"the draft lacks {', '.join(missing)}")
    if read != "('distance', 'origin') (0, 1) 50.0 100.0":
        raise Red(f"the draft reads back as {read}")
    if "--force" not in again:
        raise Red("a second draft does not say how to replace the first")


SUITE.tests("2-endpoint", "endpoint.yaml is refused by key and rule", "tests/traffic/test_endpoint.py")
