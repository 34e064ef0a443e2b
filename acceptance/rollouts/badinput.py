"""Bad input: refused before anything moves, with the line of the file; and nothing is counted twice."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
REFUSED: Final = "tests/cli/test_refused_plans.py::test_a_plan_is_refused_with_its_line_and_nothing_moves"
FILE: Final = "tests/rollouts/test_planfile.py"
OBSERVE: Final = "tests/rollouts/test_observe.py"
ONCE: Final = "tests/rollouts/test_counted_once.py"
LABELS: Final = "tests/gateway/test_labels.py"
JOINED: Final = "tests/journal/test_labels.py"
PEOPLE: Final = "tests/lives/test_people.py"
CASES: Final = "tests/review/test_cases.py"


def cases(name: str) -> tuple[str, str]:
    """A case of the refused plans, looked at and deployed."""
    return f"{REFUSED}[{name}-plan]", f"{REFUSED}[{name}-deploy]"


SUITE.tests(
    "bad-weights",
    "weights that do not add up, in a plan and in an endpoint's file",
    *cases("weights that do not add up"),
    "tests/traffic/test_endpoint.py::test_a_bad_file_is_refused_by_key_and_rule",
)
SUITE.tests("bad-backwards", "weights that go backwards", *cases("weights that go backwards"))
SUITE.tests("bad-metric", "an unknown metric", *cases("an unknown metric"))
SUITE.tests(
    "bad-unlabelled",
    "a guard on a label the endpoint never gets",
    *cases("labels that never come"),
    f"{FILE}::test_a_guard_must_fit_its_endpoint",
)
SUITE.tests("bad-alpha", "an alpha out of (0, 1)", *cases("an alpha of nothing"), *cases("an alpha of one"))
SUITE.tests("bad-margin", "a margin with the wrong unit", *cases("a margin in another unit"))
SUITE.tests(
    "bad-contract",
    "a candidate with a breaking contract",
    *cases("a contract that breaks"),
    *cases("a contract that callers would notice"),
    "tests/controller/test_declared.py::test_versions_of_one_endpoint_answer_with_the_same_outputs",
)
SUITE.tests("bad-unproved", "a candidate without an evaluation record", *cases("no evaluation"))
SUITE.tests(
    "bad-two",
    "two rollouts on one endpoint",
    *cases("two rollouts of one endpoint"),
    "tests/lives/test_rollouts.py::test_a_person_pauses_resumes_and_aborts",
)
SUITE.tests(
    "bad-lines",
    "whatever else is wrong in a plan is named with its line",
    f"{FILE}::test_what_is_wrong_is_named_with_its_line",
    f"{FILE}::test_what_is_no_plan_is_refused",
)
SUITE.tests(
    "bad-labels",
    "duplicate or corrected labels: each counts once, as it stands",
    f"{OBSERVE}::test_a_label_sent_twice_counts_once_and_a_corrected_one_as_it_stands",
    f"{OBSERVE}::test_a_request_asked_again_counts_once",
    f"{JOINED}::test_any_arrival_order_and_any_duplication_gives_the_same_join",
)
SUITE.tests(
    "bad-unknown-ids",
    "decisions and labels for unknown ids",
    f"{LABELS}::test_an_id_that_nobody_was_given_is_refused_at_both_doors",
    f"{LABELS}::test_a_label_for_another_endpoints_id_is_refused",
    f"{JOINED}::test_labels_for_nothing_are_named",
)
SUITE.tests(
    "bad-twice",
    "a reviewer deciding twice",
    f"{PEOPLE}::test_cases_are_reviewed_one_by_one",
    f"{CASES}::test_one_who_decides_twice_is_one",
)
SUITE.tests("bad-clocks", "clocks that jump, the controller's and a gateway's", ONCE, "tests/rollouts/test_machine.py")
