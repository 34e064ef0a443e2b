"""Item 4: the gateway."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
ROOM: Final = "tests/gateway"
MACHINE: Final = "tests/app/test_one_machine.py"

SUITE.tests(
    "4-cores",
    "one process per core, all of them listening on one port",
    f"{MACHINE}::test_every_worker_listens_on_the_one_port",
)
SUITE.tests("4-loop", "on uvloop and httptools", f"{MACHINE}::test_a_worker_runs_on_uvloop_and_httptools")
SUITE.tests(
    "4-http",
    "requests in pieces, pipelined, in chunks, half-closed or no requests at all are met as HTTP says, in order",
    f"{ROOM}/test_http.py",
)
SUITE.tests(
    "4-decode",
    "the decoder compiled from the contract judges what is asked",
    f"{ROOM}/test_native.py::test_a_row_that_breaks_the_contract_is_refused_by_name",
    "tests/contracts/test_properties.py::test_the_fast_and_the_slow_road_take_the_same_rows",
)
SUITE.tests(
    "4-ticks",
    "what arrived in one tick shares one runtime call and each caller gets its own rows",
    f"{ROOM}/test_versions.py::test_no_answer_belongs_to_another_row_or_version",
    "tests/runtimes/test_serving.py::test_every_caller_gets_the_rows_it_brought",
)
SUITE.tests(
    "4-alone",
    "bad rows fail alone, before a batch and inside one",
    f"{ROOM}/test_native.py::test_a_bad_row_fails_alone_and_both_are_remembered",
    f"{ROOM}/test_versions.py::test_one_poisonous_row_fails_alone_and_its_value_stays_with_the_operator",
    "tests/runtimes/test_hosted.py::test_a_bad_row_fails_its_own_caller_and_nobody_beside_it",
)
SUITE.tests(
    "4-off-loop", "slow calls leave the loop and come back when they are quick", "tests/runtimes/test_placements.py"
)
SUITE.tests(
    "4-host",
    "Python models and versions that are not live run in a runtime host with limits; its death costs callers nothing",
    "tests/runtimes/test_hosted.py",
    f"{ROOM}/test_versions.py::test_the_live_version_answers_for_a_canary_that_fails",
    f"{ROOM}/test_versions.py::test_the_live_version_answers_for_a_canary_that_hangs_within_the_deadline",
)
SUITE.tests("4-native", "native predict", f"{ROOM}/test_native.py")
SUITE.tests("4-labels", "native labels and people's decisions", f"{ROOM}/test_labels.py")
SUITE.tests("4-v2", "V2 REST with JSON tensors, by hand and by Triton's own client", f"{ROOM}/test_v2.py")
SUITE.tests("4-probes", "/livez and /readyz", f"{MACHINE}::test_life_and_readiness_have_their_paths")
SUITE.tests(
    "4-not-ready",
    "/readyz is false while the journal cannot be written",
    f"{ROOM}/test_native.py::test_a_journal_that_fails_refuses_or_answers_as_told",
)
SUITE.tests(
    "4-metrics",
    "/metrics is right across worker processes, also over their deaths",
    f"{MACHINE}::test_metrics_are_right_across_workers",
    f"{ROOM}/test_metrics.py",
)
SUITE.tests(
    "4-traffic-port",
    "traffic comes through its port; file and memory keep the same promises, processes never lose a swap",
    "tests/store/test_traffic_conformance.py",
    "tests/store/test_trafficfiles.py",
)
SUITE.tests(
    "4-assignment",
    "assignment is pure: the same key goes to the same version, a raised weight only adds keys",
    "tests/traffic/test_assignment.py",
)
SUITE.tests(
    "4-split",
    "a live version and a split by hand share the callers, and only proved versions do",
    f"{ROOM}/test_native.py::test_two_versions_share_callers_by_weight_and_keys_stick",
    f"{ROOM}/test_native.py::test_an_unproved_live_version_answers_nobody",
    "tests/controller/test_reconcile.py",
)
SUITE.tests(
    "4-swap",
    "loading and unloading beside live traffic loses no request and gives the old model back",
    f"{ROOM}/test_versions.py::test_a_swap_loses_no_request_and_gives_the_old_model_back",
)
SUITE.tests(
    "4-swap-seen",
    "callers see nothing of a swap, and memory comes back to where it was",
    "tests/app/test_swap.py",
    alone=True,
)
SUITE.tests(
    "4-rollback",
    "a rollback is obeyed within a second, loads nothing and waits for nothing",
    f"{ROOM}/test_versions.py::test_a_rollback_is_obeyed_within_a_second_and_loads_nothing",
    f"{ROOM}/test_versions.py::test_a_rollback_does_not_wait_for_another_version_to_load",
)
SUITE.tests(
    "4-alone-standing",
    "with the controller dead, gateways go on answering and journalling",
    "tests/app/test_whole_path.py::test_gateways_stand_alone",
)
