"""Items 6 and 11: latency, traffic, errors and cost; and that each tick reads only what is new."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/monitors/watch"
DAYS: Final = f"{ROOM}/test_days.py"
FEED: Final = f"{ROOM}/test_feed.py"
LOOKS: Final = "tests/controller/test_watching.py"
SKETCHES: Final = "tests/monitors/comparison"

SUITE.tests(
    "6-latency",
    "quantiles of latency, right to one per cent",
    f"{ROOM}/test_times.py",
    f"{ROOM}/test_losses.py::test_more_than_is_borne_is_found_and_told",
)
SUITE.tests(
    "6-versions",
    "per version: hours add up to days of each",
    f"{DAYS}::test_inputs_are_of_whoever_answered_them_and_of_nobody",
    f"{DAYS}::test_hours_add_up_to_days_of_each_version",
)
SUITE.tests(
    "6-traffic",
    "traffic: every input once, whatever was asked again",
    f"{LOOKS}::test_days_have_every_input_once_and_their_labels",
    f"{FEED}::test_what_is_asked_again_counts_once_within_a_day_and_the_next",
)
SUITE.tests(
    "6-errors",
    "errors, refusals and fallbacks: found where they are more than is borne, over a day after they have ended",
    f"{ROOM}/test_losses.py::test_more_than_is_borne_is_found_and_told",
    f"{ROOM}/test_losses.py::test_it_is_over_after_a_day_without_an_alarm",
    f"{ROOM}/test_losses.py::test_what_a_caller_did_wrong_is_no_error_and_what_a_version_did_is_no_refusal",
    f"{LOOKS}::test_the_day_on_which_much_fails_is_found_and_over_afterwards",
)
SUITE.tests(
    "6-cost",
    "CPU seconds and money per thousand predictions, from a price in the file; rows of one call cost it once",
    f"{DAYS}::test_rows_of_one_call_cost_it_once",
    f"{DAYS}::test_in_a_replay_rows_of_one_request_are_of_one_call",
    f"{ROOM}/test_text.py::test_money_is_told_where_the_file_says_what_an_hour_costs",
)
SUITE.tests(
    "11-new",
    "a tick reads only what is new: nothing is asked of anybody while no hour is over",
    f"{LOOKS}::test_nothing_is_asked_of_anybody_while_no_hour_is_over",
    f"{LOOKS}::test_hours_in_which_nothing_came_wait_until_something_does",
    f"{FEED}::test_an_hour_that_is_not_over_waits",
)
SUITE.tests(
    "11-merge",
    "windows merge from sketches, without loss",
    f"{SKETCHES}/test_sketches.py::test_windows_add_up_to_what_they_are_together",
    f"{SKETCHES}/test_category_sketches.py::test_counts_are_wrong_by_no_more_than_said",
    f"{SKETCHES}/test_comparison.py::test_windows_that_were_added_up_are_compared_as_one",
    f"{ROOM}/test_times.py::test_together_is_as_if_counted_as_one",
)
SUITE.tests(
    "11-restart",
    "state survives restarts: however often anybody looks, and whoever is killed, it is as if one had looked once",
    f"{LOOKS}::test_however_often_anybody_looks_it_is_as_if_one_had_looked_once",
    f"{LOOKS}::test_whoever_is_killed_after_telling_tells_nothing_twice",
    f"{LOOKS}::test_of_two_who_look_at_once_one_keeps_what_it_saw",
    f"{FEED}::test_however_often_it_is_asked_and_begun_anew_the_rows_are_the_same",
    "tests/lives/test_watched.py",
)
SUITE.tests(
    "11-year",
    "a year of history is queryable: days are kept in the store, add up, and are read back as they were",
    f"{DAYS}::test_a_day_is_read_back_as_it_was",
    "tests/store/test_conformance.py",
)
SUITE.tests(
    "11-down",
    "who was down for long goes on a day at a time and says the same; clocks behind and endpoints gone are told",
    "tests/controller/test_watching_troubles.py",
    "tests/store/test_watches.py",
)
