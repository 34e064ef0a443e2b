"""Items 6 to 8: metrics, size, clients of our own."""

from typing import Final

from acceptance.rows import Suite

SUITE = Suite()
WATCHING: Final = "tests/gateway/test_watching.py"
METRICS: Final = "tests/gateway/test_metrics.py"
CLIENTS: Final = "tests/clients"

SUITE.tests(
    "6-metrics",
    "base units, histograms, bounded labels",
    METRICS,
    "tests/gateway/test_slab.py",
    f"{WATCHING}::test_only_counters_are_asked_how_they_grow",
)
SUITE.tests(
    "6-workers",
    "right across workers, also after one was killed",
    "tests/app/test_one_machine.py::test_metrics_are_right_across_workers",
    "tests/lives/test_workers.py::test_metrics_are_one_exact_account_also_after_a_worker_was_killed",
)
SUITE.tests(
    "6-generated",
    "alert rules and a dashboard are generated from the metrics' definitions",
    f"{WATCHING}::test_the_verb_prints_both",
    f"{WATCHING}::test_every_metric_is_on_the_dashboard",
    f"{WATCHING}::test_alerts_say_what_is_wrong_and_what_to_do",
)
SUITE.tests(
    "8-client",
    "a typed Python client, sync and async alike: answers, labels, decisions, refusals",
    f"{CLIENTS}/test_answers.py",
    f"{CLIENTS}/test_decided.py::test_both_clients_have_the_same_methods_and_arguments",
)
SUITE.tests(
    "8-retries",
    "retries with idempotency ids, deadlines, Retry-After",
    f"{CLIENTS}/test_unreliable.py",
)
SUITE.tests("8-reuse", "connections are used again", f"{CLIENTS}/test_answers.py::test_connections_are_used_again")
SUITE.tests(
    "8-light",
    "it installs without what the server needs",
    f"{CLIENTS}/test_decided.py::test_the_client_needs_nothing_of_the_server",
    f"{CLIENTS}/test_decided.py::test_the_base_install_does_not_need_the_client",
)
SUITE.tests("8-openapi", "OpenAPI describes the native API, and each endpoint's rows", "tests/gateway/test_openapi.py")
