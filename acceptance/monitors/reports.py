"""Item 10: reports."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
TEXT: Final = "tests/monitors/watch/test_text.py"

SUITE.tests(
    "10-terminal",
    "headgate monitor ENDPOINT: what is wrong, since when, how sure, what to do, on a terminal",
    f"{TEXT}::test_a_terminal_shows_what_is_wrong_since_when_how_sure_and_what_to_do",
    f"{TEXT}::test_before_the_first_look_it_says_that_nobody_has_looked",
    f"{TEXT}::test_notes_say_what_was_late_and_who_was_in_charge",
    "tests/lives/test_watched.py",
)
SUITE.tests("10-json", "as JSON, with the same content", f"{TEXT}::test_json_has_the_same_content")
