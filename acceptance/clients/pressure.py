"""Items 3 to 5: under pressure, a swap nobody sees, fallback."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/gateway"
NATIVE: Final = f"{ROOM}/test_native.py"
VERSIONS: Final = f"{ROOM}/test_versions.py"
CONNECTION: Final = f"{ROOM}/test_connection.py"
HTTP: Final = f"{ROOM}/test_http.py"

SUITE.tests(
    "3-queues",
    "queues are bounded by rows",
    f"{ROOM}/test_room.py",
    f"{NATIVE}::test_a_full_queue_sends_callers_away",
)
SUITE.tests(
    "3-deadlines",
    "deadlines from header or policy; expired work never reaches a model",
    f"{VERSIONS}::test_what_nobody_waits_for_is_not_run",
    f"{NATIVE}::test_a_deadline_bounds_even_the_wait_for_the_disk",
    f"{ROOM}/test_odd_texts.py::test_a_short_timeout_is_a_deadline",
    f"{ROOM}/test_v2.py::test_a_deadline_in_a_header_is_milliseconds_or_refused",
)
SUITE.tests(
    "3-429",
    "429 with Retry-After for a caller over its limit, on every door in its own form",
    f"{ROOM}/test_overload.py::test_a_caller_over_its_own_limit_is_told_so_and_when_to_come_back",
    f"{ROOM}/test_overload.py::test_over_grpc_it_is_resource_exhausted_and_unavailable",
)
SUITE.tests(
    "3-503",
    "503 with Retry-After for an overloaded server on every door, UNAVAILABLE over gRPC",
    f"{ROOM}/test_overload.py::test_a_full_server_says_503_and_when_to_come_back",
    f"{ROOM}/test_overload.py::test_a_journal_that_takes_no_more_is_503_on_every_door",
    f"{ROOM}/test_rpc_calls.py::test_a_full_queue_says_when_to_come_back",
    f"{ROOM}/test_paths_and_statuses.py::test_only_what_passes_says_when_to_come_back",
)
SUITE.tests(
    "3-shed",
    "capture and shadows are shed before anybody is refused",
    f"{ROOM}/test_overload.py::test_what_is_captured_is_shed_before_anybody_is_refused",
    f"{ROOM}/test_shadow.py::test_a_gateway_that_is_more_than_half_full_sheds_shadows",
    f"{ROOM}/test_shadow.py::test_a_journal_that_falls_behind_sheds_shadows",
)
SUITE.tests(
    "3-slow",
    "slow heads, slow bodies, idle and half-closed connections end",
    f"{HTTP}::test_idle_and_dripping_connections_end",
    f"{HTTP}::test_a_caller_that_stops_sending_still_gets_its_reply",
    f"{CONNECTION}::test_slow_drips_do_not_keep_a_connection",
    f"{CONNECTION}::test_a_sweep_ends_what_brought_nothing_since_the_last_one",
    f"{CONNECTION}::test_the_end_of_what_a_caller_sends",
    f"{ROOM}/test_smuggling.py::test_slow_and_silent_callers_are_let_go_and_keep_nobody_waiting",
    f"{ROOM}/test_rpc_calls.py::test_a_caller_whose_message_does_not_come_is_cut_off",
    f"{ROOM}/test_smuggling.py::test_a_caller_that_says_no_more_gets_all_it_asked_for",
    f"{ROOM}/test_smuggling.py::test_connections_are_bounded_and_those_that_say_nothing_go_first",
    "tests/console/test_wire.py",
)
SUITE.tests(
    "3-floods",
    "pipelining floods and callers that do not read are read no further",
    f"{CONNECTION}::test_a_caller_with_too_much_unanswered_is_read_no_further",
    f"{CONNECTION}::test_a_caller_that_does_not_read_is_not_read",
    f"{HTTP}::test_pipelined_requests_are_answered_in_order",
    f"{ROOM}/test_smuggling.py::test_a_flood_of_requests_is_read_no_further_than_is_said",
)
SUITE.tests(
    "3-heads",
    "heads have a limit, and what never ends is not kept",
    f"{CONNECTION}::test_a_head_may_have_as_many_bytes_as_is_said",
    f"{ROOM}/test_smuggling.py::test_what_never_ends_is_not_kept",
)
SUITE.tests(
    "3-drain",
    "at its end a gateway answers what it took and reads no more",
    f"{CONNECTION}::test_finishing_answers_what_was_asked_and_reads_no_more",
    f"{ROOM}/test_rpc_calls.py::test_what_was_taken_is_answered_before_the_end",
    "tests/app/test_one_machine.py::test_the_end_is_clean",
)
SUITE.tests(
    "3-hosts",
    "a Python model that loops, leaks or dies is replaced without touching others",
    "tests/runtimes/test_hosted.py",
    "tests/lives/test_replaced.py",
)
SUITE.tests(
    "4-swap",
    "load beside in turns, warm up on rows asked lately, switch by revision, keep the old version for the way "
    "back, then give memory back",
    f"{ROOM}/test_follow.py::test_what_was_live_a_moment_ago_is_there_for_the_way_back_and_then_given_back",
    f"{ROOM}/test_follow.py::test_a_version_is_warmed_with_rows_that_were_asked_lately",
    f"{ROOM}/test_follow.py::test_gateways_take_turns_beside_live_traffic_alone",
    f"{ROOM}/test_native.py::test_rows_asked_lately_are_kept_in_memory_for_the_next_version",
    f"{VERSIONS}::test_a_swap_loses_no_request_and_gives_the_old_model_back",
    f"{VERSIONS}::test_a_rollback_is_obeyed_within_a_second_and_loads_nothing",
    f"{ROOM}/test_follow.py::test_a_weight_of_nothing_keeps_a_version_loaded_for_the_way_back",
    f"{ROOM}/test_follow.py::test_what_is_named_no_more_is_given_back_and_can_come_again",
)
SUITE.tests("4-swap-seen", "callers and memory see nothing of it", "tests/app/test_swap.py", alone=True)
SUITE.tests(
    "5-fails",
    "where a version that is not live fails, is killed or is late, the live one answers within the deadline",
    f"{VERSIONS}::test_the_live_version_answers_for_a_canary_that_fails",
    f"{VERSIONS}::test_the_live_version_answers_for_a_canary_that_hangs_within_the_deadline",
    "tests/lives/test_versions.py::test_a_canary_that_fails_hurts_nobody_and_the_journal_says_whose_fault_it_was",
    "tests/lives/test_versions.py::test_a_canary_whose_host_is_killed_falls_back_and_comes_back",
)
SUITE.tests(
    "5-candidates",
    "an ONNX candidate that aborts the process, one whose Loop never ends, a Python one that eats memory: the live "
    "version answers in time, counted against the candidate, journalled with the reason, visible",
    "tests/lives/test_fallback.py",
)
SUITE.tests(
    "5-rests",
    "a candidate that goes on costing its callers time is asked ever less often",
    f"{ROOM}/test_standing.py",
)
