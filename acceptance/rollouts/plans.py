"""Items 2 and 4: plans as data, and the state machine they are moved by."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/rollouts"
FILE: Final = f"{ROOM}/test_planfile.py"
DECIDE: Final = f"{ROOM}/test_decide.py"
MACHINE: Final = f"{ROOM}/test_machine.py"
PROGRESS: Final = "tests/controller/test_progress.py"
KILLED: Final = "tests/controller/test_killed.py"
LIVES: Final = "tests/lives/test_rollouts.py"
VERBS: Final = "tests/cli/test_rollouts.py"

SUITE.tests(
    "2-strategies",
    "strategy: shadow, canary, blue_green, ab_test or all_at_once is a list of steps",
    f"{FILE}::test_a_strategy_is_its_steps",
)
SUITE.tests(
    "2-steps",
    "steps written out: shadow, set_weight, pause, analysis, approve",
    f"{FILE}::test_steps_are_read_as_they_are_written",
    f"{DECIDE}::test_an_analysis_asks_for_evidence",
    f"{DECIDE}::test_a_person_is_waited_for_whatever_the_evidence_says",
)
SUITE.tests(
    "2-schedules",
    "schedules: the hours in which a rollout may go forward, and pauses as long as they say",
    f"{ROOM}/test_schedule.py",
    f"{FILE}::test_a_schedule_is_read",
    f"{DECIDE}::test_a_pause_is_as_long_as_it_says",
    f"{PROGRESS}::test_a_pause_ends_by_the_clock_and_nothing_is_promoted_without_evidence",
)
SUITE.tests(
    "2-progress-deadline",
    "progress_deadline: an analysis that makes no progress is held for a person",
    f"{DECIDE}::test_an_analysis_without_progress_is_held_for_a_person",
)
SUITE.tests(
    "2-horizon",
    "a horizon, and what to do when it is reached: hold or roll_back",
    f"{DECIDE}::test_a_horizon_ends_what_nobody_decided",
    f"{PROGRESS}::test_a_horizon_ends_what_nobody_decides",
)
SUITE.tests(
    "2-plan",
    "headgate plan shows what would happen and the expected time and traffic to a verdict",
    f"{VERBS}::test_a_person_plans_begins_steers_and_goes_back",
    f"{VERBS}::test_a_program_reads_json",
    f"{ROOM}/test_foretell.py",
)
SUITE.tests(
    "2-plan-moves-nothing",
    "before anything moves: looking at a plan changes nothing",
    "tests/cli/test_refused_plans.py::test_looking_at_a_plan_that_is_right_moves_nothing",
)
SUITE.tests(
    "2-watch",
    "headgate deploy --watch follows it until it ends",
    f"{LIVES}::test_a_rollout_is_watched_until_it_ends",
)
SUITE.tests(
    "2-steered",
    "a person pauses, resumes, approves, promotes and aborts it; over HTTP too",
    f"{LIVES}::test_a_person_pauses_resumes_and_aborts",
    f"{VERBS}::test_a_person_plans_begins_steers_and_goes_back",
    "tests/console/test_api.py::test_a_rollout_is_begun_read_and_moved",
)
SUITE.tests(
    "4-pure",
    "decide(plan, state, evidence, now) is pure and total: the same from the same, for every plan, order and clock",
    MACHINE,
    DECIDE,
)
SUITE.tests("4-weights", "weights sum to one, in every state of every plan", MACHINE)
SUITE.tests(
    "4-aborted",
    "an aborted or rolled-back plan never sends traffic to its candidate",
    MACHINE,
    "tests/controller/test_declared.py::test_during_a_rollout_the_endpoint_has_what_its_state_asks_for",
)
SUITE.tests(
    "4-undecided",
    "no step forward from an analysis on undecided, and no promotion",
    MACHINE,
    f"{DECIDE}::test_an_analysis_asks_for_evidence",
    f"{DECIDE}::test_after_the_last_step_only_evidence_promotes",
)
SUITE.tests("4-replayed", "replaying the history reproduces the state", MACHINE)
SUITE.tests(
    "4-killed",
    "a controller killed between decide and apply, or around any write, resumes: history, file and events are the same",
    KILLED,
    f"{PROGRESS}::test_a_controller_killed_around_a_write_leaves_a_rollout_that_goes_on",
)
SUITE.tests(
    "4-obeyed",
    "what somebody orders between a look and its write is obeyed",
    f"{PROGRESS}::test_one_who_orders_meanwhile_is_obeyed",
)
