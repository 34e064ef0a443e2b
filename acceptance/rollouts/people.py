"""Item 8: people are the incumbent."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
LIVES: Final = "tests/lives/test_people.py"
LEFT: Final = "tests/gateway/test_left.py"
LABELS: Final = "tests/gateway/test_labels.py"
JOINED: Final = "tests/journal/test_labels.py"
RISK: Final = "tests/evidence/test_risk.py"
AUTOMATION: Final = "tests/rollouts/test_automation.py"
REVIEWERS: Final = "tests/rollouts/comparison/test_people.py"
TAKEN_OVER: Final = f"{LIVES}::test_a_model_takes_over_from_people_step_by_step"

SUITE.tests(
    "8-live-human",
    "live: human: the model answers silently, the caller gets an id and no hint, whatever becomes of the model",
    f"{LEFT}::test_a_caller_gets_an_id_and_no_hint",
    f"{LEFT}::test_what_becomes_of_the_model_is_no_concern_of_callers",
    f"{LEFT}::test_doors_that_cannot_say_who_decides_stay_shut",
    TAKEN_OVER,
)
SUITE.tests(
    "8-decisions",
    "people's decisions come through POST /v1/endpoints/{e}/decisions and are journalled with who decided",
    f"{LABELS}::test_people_decide_on_the_same_inputs",
    f"{JOINED}::test_people_speak_in_a_role_of_their_own",
    TAKEN_OVER,
)
SUITE.tests(
    "8-queue",
    "or through the review queue: the next one with a lease, skipped, and looked at twice for a share of the cases",
    f"{LIVES}::test_cases_are_reviewed_one_by_one",
    "tests/review",
    "tests/console/test_reviews.py",
)
SUITE.tests(
    "8-agreement",
    "agreement by segment and by reviewer",
    f"{REVIEWERS}::test_each_reviewer_beside_the_model_and_the_truth",
    "tests/rollouts/comparison/test_slices.py",
    TAKEN_OVER,
)
SUITE.tests(
    "8-kappa",
    "Cohen's kappa of people and model, against the baseline of people among themselves",
    f"{REVIEWERS}::test_people_beside_each_other_on_what_two_decided",
    f"{REVIEWERS}::test_kappa_is_nothing_where_chance_explains_everything",
)
SUITE.tests(
    "8-truth",
    "people and model are both judged against ground truth where there is one, and a decision is none",
    f"{JOINED}::test_what_the_world_says_comes_before_what_people_say_however_late_these_are",
    f"{AUTOMATION}::test_what_people_decided_is_not_what_turned_out_to_be_true",
    f"{REVIEWERS}::test_each_reviewer_beside_the_model_and_the_truth",
)
SUITE.tests(
    "8-degrees",
    "degrees of automation: shadow, assist, partial, full, each step a rollout with guards, and back",
    TAKEN_OVER,
    f"{LIVES}::test_a_model_that_differs_from_people_never_decides",
    f"{LIVES}::test_the_model_decides_where_it_is_sure_and_is_audited",
    f"{LIVES}::test_people_are_shown_what_the_model_says_once_it_may_assist",
)
SUITE.tests(
    "8-threshold",
    "the confidence from which the model decides is chosen from data, and holds a stated risk as often as promised",
    f"{RISK}::test_the_risk_is_held_as_often_as_promised",
    f"{RISK}::test_a_model_that_is_too_often_wrong_decides_nothing",
    f"{AUTOMATION}::test_looking_all_the_time_breaks_the_promise_no_more_often_than_it_says",
    f"{LEFT}::test_the_model_decides_where_it_is_sure_and_says_nothing_else",
)
SUITE.tests(
    "8-audit",
    "and it keeps being checked with a random share of automated cases",
    f"{AUTOMATION}::test_what_it_decides_by_itself_is_held_to_the_risk",
    "tests/review/test_cases.py::test_a_share_of_what_the_model_decides_is_audited",
)
