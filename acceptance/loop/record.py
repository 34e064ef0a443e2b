"""Item 8: the record."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
TELL: Final = "tests/retraining/story/test_tell.py"
STORY: Final = "tests/app/test_story.py"

SUITE.tests(
    "8-explain",
    "`headgate explain ENDPOINT`, or an id, tells the story of any model change",
    f"{STORY}::test_a_rollout_is_found_by_endpoint_id_and_version",
    f"{STORY}::test_a_run_is_told_with_its_files_and_its_alert",
    f"{STORY}::test_the_command_line",
)
SUITE.tests(
    "8-whole",
    "what fired, what data, what was learnt, what was proved with which error rate, who or what approved, what "
    "happened since",
    f"{TELL}::test_a_change_with_all_its_records_has_no_gap",
    f"{TELL}::test_every_end_is_told",
)
SUITE.tests("8-gaps", "a link that is missing is said to be", f"{TELL}::test_what_is_lost_is_said_to_be")
SUITE.tests(
    "8-by-hand",
    "changes that nobody's run made are told as well",
    f"{STORY}::test_going_back_by_hand_is_a_change_and_the_one_before_says_so",
    f"{TELL}::test_what_a_person_did_by_hand_is_told_with_what_nobody_wrote_down",
)
SUITE.tests(
    "8-card",
    "a model card, Markdown and HTML, is generated from the same records",
    "tests/retraining/story/test_card.py",
)
