"""Items 6 and 7: how a candidate takes traffic, and gives it back."""

from typing import Final

from acceptance.figures import gate, report
from acceptance.rows import Bench, Measured, Suite

SUITE = Suite()
LIVES: Final = "tests/lives/test_rollouts.py"
VERSIONS: Final = "tests/gateway/test_versions.py"
FOLLOW: Final = "tests/gateway/test_follow.py"
ASSIGNMENT: Final = "tests/traffic/test_assignment.py"
DIVIDE: Final = "tests/gateway/test_divide.py"
ANSWERS: Final = "tests/rollouts/test_answers.py"
ROLLBACK: Final = "python -m benchmarks.rollback"

SUITE.tests(
    "6-randomised",
    "callers are drawn request by request unless asked otherwise, in proportion, and evidence knows each probability",
    f"{DIVIDE}::test_without_a_sticky_key_a_callers_key_chooses_nothing",
    f"{ASSIGNMENT}::test_shares_are_proportional",
    f"{ANSWERS}::test_arms_have_the_share_the_candidate_had",
)
SUITE.tests(
    "6-sticky",
    "sticky_key: a caller keeps its version, and evidence counts entities",
    f"{DIVIDE}::test_a_key_in_the_request_goes_before_the_field",
    "tests/controller/test_declared.py::test_during_a_rollout_the_endpoint_has_what_its_state_asks_for",
    f"{ANSWERS}::test_where_callers_stick_only_the_first_input_of_each_counts",
    "tests/evidence/test_allocation.py::test_only_the_first_event_of_an_entity_counts",
)
SUITE.tests(
    "6-monotone",
    "the ramp is monotone: weights only grow, and growing only adds callers",
    f"{ASSIGNMENT}::test_raising_a_weight_only_adds_keys",
    f"{ASSIGNMENT}::test_keys_move_towards_the_version_that_grows_and_nowhere_else",
    "tests/rollouts/test_planfile.py::test_what_is_wrong_is_named_with_its_line",
)
SUITE.tests(
    "6-bad-answers",
    "the ramp is chosen so that the expected number of bad answers stays within a stated budget",
    "tests/rollouts/test_ramp.py",
    "tests/rollouts/test_planfile.py::test_a_ramp_is_the_steps_it_comes_to",
)
SUITE.tests(
    "6-forward",
    "a good candidate goes forward step by step and is promoted by itself",
    f"{LIVES}::test_canary_a_good_version_is_promoted_by_itself",
    "tests/controller/test_progress.py::test_a_candidate_as_good_goes_all_the_way_and_owns_the_endpoint",
)
SUITE.tests(
    "6-shadow-first",
    "with a shadow first a bad candidate never meets a caller",
    f"{LIVES}::test_canary_a_bad_version_never_meets_a_caller",
)
SUITE.tests(
    "6-shadow-unseen",
    "a shadow never delays or changes an answer: it is asked behind callers, and what does not fit is shed",
    "tests/gateway/test_shadow.py",
)
SUITE.tests(
    "6-rolled-back",
    "rollback is a pointer: obeyed by every worker within a second, and nothing is loaded",
    "tests/lives/test_versions.py::test_a_rollback_is_a_pointer",
    f"{VERSIONS}::test_a_rollback_is_obeyed_within_a_second_and_loads_nothing",
    f"{VERSIONS}::test_a_rollback_does_not_wait_for_another_version_to_load",
    f"{LIVES}::test_canary_without_a_shadow_a_failing_version_costs_nobody_an_answer",
)
SUITE.tests(
    "6-lease",
    "a gateway that does not hear the controller trusts what is live alone once the lease has run out, until it does",
    "tests/faults/test_unheard.py",
    "tests/gateway/test_native.py::test_a_lease_that_ran_out_sends_everything_to_the_live_version",
    f"{ASSIGNMENT}::test_alone_people_decide_everything",
)


@SUITE.row("6-unanswered", "while a candidate fails and is rolled back every caller is answered", ROLLBACK)
def unanswered(bench: Bench) -> Measured:
    return gate(report(bench, "rollback", "rollback.json"), "not answered", limit=0)


SUITE.tests(
    "7-resident",
    "both versions are resident: the candidate before the switch, the old one for the way back",
    f"{FOLLOW}::test_a_weight_of_nothing_keeps_a_version_loaded_for_the_way_back",
    f"{FOLLOW}::test_what_was_live_a_moment_ago_is_there_for_the_way_back_and_then_given_back",
    f"{FOLLOW}::test_a_shadow_is_loaded_unproved_and_before_its_revision_is_obeyed",
)
SUITE.tests(
    "7-switch",
    "switch and switch back in under a second, with a rollback window in which the old version owns the endpoint",
    f"{LIVES}::test_blue_green_all_at_once_and_back_within_a_second",
    alone=True,
)
SUITE.tests(
    "7-by-evidence",
    "the guards switch by themselves, and within the rollback window, with both versions still compared, switch back",
    f"{LIVES}::test_blue_green_switches_by_itself_once_its_guards_have_decided",
    f"{LIVES}::test_blue_green_a_guard_takes_every_caller_back_while_the_way_back_is_open",
    "tests/gateway/test_shadow.py::test_where_a_candidate_has_all_callers_the_live_version_answers_beside_it",
    f"{ANSWERS}::test_once_the_candidate_has_all_callers_the_live_version_answers_beside_it",
    "tests/controller/test_declared.py::test_during_a_rollout_the_endpoint_has_what_its_state_asks_for",
    alone=True,
)
