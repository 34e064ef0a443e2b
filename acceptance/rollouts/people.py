"""Item 8: people are the incumbent."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
PEOPLE: Final = "tests/lives/test_people.py"
AUTOMATION: Final = "tests/lives/test_automation.py"
LABELS: Final = "tests/gateway/test_labels.py"
RISK: Final = "tests/evidence/test_risk.py"
COMPARE: Final = "tests/rollouts/comparison/test_compare.py"

SUITE.tests(
    "8-live-human",
    "live: human: the model answers silently, the caller gets an id and no hint",
    PEOPLE,
)
SUITE.tests(
    "8-decisions",
    "people's decisions come through POST /v1/endpoints/{e}/decisions and are journalled with who decided",
    f"{LABELS}::test_people_decide_on_the_same_inputs",
    PEOPLE,
)
SUITE.tests("8-queue", "or through the review queue: the next one with a lease, skipped, and looked at twice", PEOPLE)
SUITE.tests("8-agreement", "agreement by segment and by reviewer", PEOPLE)
SUITE.tests("8-kappa", "Cohen's kappa of people and model, against the baseline of people among themselves", PEOPLE)
SUITE.tests(
    "8-truth",
    "people and model are both judged against ground truth where there is one",
    PEOPLE,
    f"{COMPARE}::test_people_take_no_compute",
)
SUITE.tests(
    "8-degrees",
    "degrees of automation: shadow, assist, partial, full, each step a rollout with guards",
    AUTOMATION,
)
SUITE.tests(
    "8-threshold",
    "the confidence from which the model decides is chosen from data, and holds a stated risk as often as promised",
    f"{RISK}::test_the_risk_is_held_as_often_as_promised",
    f"{RISK}::test_a_model_that_is_too_often_wrong_decides_nothing",
    AUTOMATION,
)
SUITE.tests("8-audit", "and it keeps being checked with a random share of automated cases", AUTOMATION)
