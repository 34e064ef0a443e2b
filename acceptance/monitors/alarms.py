"""Item 1: alarms with a rate."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/monitors/alarms"
DRIFT: Final = f"{ROOM}/test_drift.py"
RISK: Final = f"{ROOM}/test_risk.py"
LOSSES: Final = f"{ROOM}/test_losses.py"
TERMS: Final = f"{ROOM}/test_terms.py"
ALARMS: Final = f"{ROOM}/test_alarms.py"
DETECTOR: Final = "tests/evidence/test_detector.py"
CONFORMAL: Final = "tests/evidence/test_conformal.py"
SENTENCES: Final = "tests/evidence/test_false_alarms.py"
WATCH: Final = "tests/monitors/watch"

SUITE.tests(
    "1-risk",
    "RiskDrift: labels as bounded losses against the reference and a tolerance",
    f"{RISK}::test_harm_alarms_and_the_first_is_soon",
    f"{RISK}::test_what_does_no_harm_does_not_alarm",
    f"{LOSSES}::test_the_bound_is_the_mean_its_uncertainty_and_the_tolerance",
    f"{LOSSES}::test_a_bound_is_passed_by_chance_in_one_of_forty_references_at_most",
    f"{WATCH}/test_losses.py::test_wrong_answers_are_compared_with_the_evaluation",
)
SUITE.tests(
    "1-e-detector",
    "by a Shiryaev-Roberts e-detector: the paper's recursion, and over every sequence what its alarms cost is at most "
    "what has joined",
    f"{DETECTOR}::test_it_is_the_recursion_of_the_paper",
    f"{DETECTOR}::test_over_every_sequence_what_alarms_cost_and_what_is_held_has_joined",
    f"{DETECTOR}::test_over_every_sequence_all_that_ever_joins_is_1",
    f"{DETECTOR}::test_by_time_there_is_as_much_between_them_however_the_traffic_swings",
)
SUITE.tests(
    "1-input",
    "InputDrift: the field that changed is named soon after, numbers, categories and what is missing alike",
    f"{DRIFT}::test_without_a_change_all_is_steady",
    f"{DRIFT}::test_the_field_that_changed_is_named_soon_after",
    f"{DRIFT}::test_other_changes_are_found_too",
    f"{WATCH}/test_drift.py::test_the_field_that_moves_is_named_and_over_when_it_is_back",
)
SUITE.tests("1-score", "ScoreDrift: outputs are watched alike", f"{DRIFT}::test_outputs_are_watched_alike")
SUITE.tests(
    "1-martingale",
    "by a conformal test martingale in Shiryaev-Roberts form: over all orders the capital stays what it was, and false "
    "alarms are no more than was said",
    f"{CONFORMAL}::test_it_is_the_recursion_of_the_papers",
    f"{CONFORMAL}::test_over_all_orders_the_capital_stays_what_it_was",
    f"{CONFORMAL}::test_false_alarms_are_no_more_than_was_said",
    f"{CONFORMAL}::test_the_first_false_alarm_comes_no_sooner_than_was_said",
)
SUITE.tests("1-tabular", "over a strangeness score of tables, of each field and the row", f"{ROOM}/test_strangeness.py")
SUITE.tests(
    "1-embeddings",
    "and of embeddings of texts and images, by their distance and by their kind",
    f"{ROOM}/test_embeddings.py",
    f"{DRIFT}::test_embeddings_are_watched_alike",
    f"{DRIFT}::test_texts_of_another_kind_are_seen_though_none_of_them_is_new",
)
SUITE.tests(
    "1-aggregated",
    "over features, models and segments together alarms are as rare as one sentence says",
    f"{TERMS}::test_all_monitors_segments_and_fields_together_alarm_as_often_as_one_may",
    f"{ALARMS}::test_those_that_changed_are_named_and_those_that_hold_nothing_are_not",
    f"{ALARMS}::test_of_members_that_have_not_changed_a_share_is_named_at_most",
)
SUITE.tests(
    "1-words",
    "one knob in words, in the endpoint's file: at most one per 90 days, or at most 5 % per year; what says nothing is "
    "refused with what may be said",
    f"{SENTENCES}::test_sentences_are_read",
    f"{SENTENCES}::test_what_says_nothing_is_refused_with_what_may_be_said",
    f"{WATCH}/test_losses.py::test_what_is_borne_is_in_the_file",
)
SUITE.tests(
    "1-certain",
    "in the certain mode there is ever a false alarm no more often than alpha",
    f"{DETECTOR}::test_there_is_ever_a_false_alarm_no_more_often_than_alpha",
    f"{CONFORMAL}::test_there_is_ever_a_false_alarm_no_more_often_than_alpha",
)
SUITE.tests(
    "1-budget",
    "a budget per endpoint over all its monitors, segments and features; nobody alarms who has no part in it",
    TERMS,
    f"{RISK}::test_a_part_of_the_budget_alarms_later",
    f"{WATCH}/test_losses.py::test_errors_at_what_is_borne_raise_no_more_alarms_than_was_said",
    f"{WATCH}/test_performance.py::test_alarms_are_false_no_more_often_than_was_said",
    f"{WATCH}/test_labels.py::test_alarms_are_false_no_more_often_than_was_said",
)
SUITE.tests(
    "1-seasons",
    "references by hour of the week, for inputs and for losses",
    f"{ROOM}/test_seasons.py",
    f"{DRIFT}::test_what_comes_and_goes_with_the_hour_is_no_change_where_that_is_known",
    f"{DRIFT}::test_with_a_season_a_change_is_found_all_the_same",
    f"{RISK}::test_a_model_that_is_worse_by_night_has_not_changed_at_dusk",
    f"{LOSSES}::test_each_season_has_a_bound_of_its_own",
)
SUITE.tests(
    "1-serial",
    "a warning where rows that follow each other are alike, so that the rate does not hold",
    "tests/evidence/test_serial.py",
    f"{DRIFT}::test_neighbours_that_are_alike_are_warned_of_before_anybody_relies_on_the_rate",
    f"{LOSSES}::test_errors_in_runs_are_warned_of_unless_a_season_explains_them",
)
