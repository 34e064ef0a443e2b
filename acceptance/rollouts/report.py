"""Item 5: the shadow report."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/rollouts/comparison"
COMPARE: Final = f"{ROOM}/test_compare.py"
PAIRS: Final = f"{ROOM}/test_pairs.py"
SLICES: Final = f"{ROOM}/test_slices.py"
BY_HAND: Final = f"{COMPARE}::test_counts_are_those_of_counting_by_hand"
VERBS: Final = "tests/cli/test_rollouts.py"

SUITE.tests("5-both", "for every request both answers, each input once", PAIRS)
SUITE.tests(
    "5-agreement",
    "agreement with an interval that holds at every look",
    BY_HAND,
    f"{COMPARE}::test_the_true_agreement_is_hardly_ever_left_out_however_often_somebody_looks",
)
SUITE.tests(
    "5-confusion",
    "confusion of live and candidate",
    BY_HAND,
    f"{COMPARE}::test_many_classes_share_a_row_and_what_is_rare_is_counted",
)
SUITE.tests(
    "5-differences",
    "the distribution of differences, of scores and of numbers",
    f"{COMPARE}::test_scores_are_subtracted",
    f"{COMPARE}::test_of_several_classes_the_highest_scores_are_subtracted",
    f"{COMPARE}::test_numbers_are_compared_by_distance",
    f"{COMPARE}::test_a_few_wild_differences_do_not_flatten_the_others",
)
SUITE.tests(
    "5-directions",
    "both directions of disagreement apart",
    BY_HAND,
    f"{COMPARE}::test_swapping_the_two_mirrors_everything",
)
SUITE.tests("5-slices", "the worst slices, and none that chance alone made", SLICES)
SUITE.tests(
    "5-examples",
    "examples to read, with public features alone",
    f"{COMPARE}::test_examples_have_public_features_alone",
    f"{COMPARE}::test_only_so_many_examples",
)
SUITE.tests(
    "5-right",
    "who was right once labels came",
    BY_HAND,
    f"{COMPARE}::test_thin_labels_are_noted",
    f"{ROOM}/test_text.py::test_a_difference_speaks_for_one_of_them_only_with_its_whole_interval",
)
SUITE.tests(
    "5-cost",
    "latency and cost of the candidate",
    f"{COMPARE}::test_cost_is_of_the_inputs_both_answered",
    f"{PAIRS}::test_rows_of_one_request_share_the_time_of_their_call",
)
SUITE.tests("5-terminal", "for the terminal", f"{ROOM}/test_text.py")
SUITE.tests("5-json", "as JSON", f"{COMPARE}::test_it_comes_back_from_json", f"{VERBS}::test_a_program_reads_json")
SUITE.tests(
    "5-page",
    "as one HTML page that needs nothing else",
    f"{ROOM}/test_page.py",
    f"{VERBS}::test_a_person_plans_begins_steers_and_goes_back",
)
