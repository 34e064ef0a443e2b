"""Items 6 to 8: metrics, size, clients of our own."""

import json
import re
from typing import Final

from acceptance.rows import Bench, Measured, Red, Suite

SUITE = Suite()
WATCHING: Final = "tests/gateway/test_watching.py"
METRICS: Final = "tests/gateway/test_metrics.py"
CLIENTS: Final = "tests/clients"
LIGHT: Final = 8
"""Distributions, its own among them: an HTTP library in pure Python and what that needs."""

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
    "7-measured",
    "headgate size: latency and throughput per core by batch size, and memory, of the model alone and of a gateway",
    "tests/app/test_sizing.py::test_a_registered_model_is_measured_alone_and_behind_a_gateway",
    "tests/app/test_sizing.py::test_a_package_in_a_folder_is_sized_without_an_objective",
    "tests/cli/test_size.py",
)
SUITE.tests(
    "7-needed",
    "what the SLO in endpoint.yaml needs: cores, replicas, memory; or that no number of cores meets it",
    "tests/sizing/test_plan.py",
    "tests/sizing/test_queueing.py",
    "tests/cli/test_size.py::test_an_objective_nothing_can_meet_ends_with_its_own_code",
)
SUITE.tests(
    "7-saved",
    "what would be saved by which change, measured where it can be",
    "tests/sizing/test_savings.py",
    "tests/app/test_sizing.py::test_a_refused_form_is_made_again_and_measured",
)
SUITE.tests(
    "7-bad",
    "a package that is none, hangs, dies or takes more memory than granted is said so, in bounded time",
    "tests/app/test_sizing.py::test_what_is_no_package_is_refused",
    "tests/app/test_sizing.py::test_a_model_that_hangs_is_ended",
    "tests/app/test_sizing.py::test_a_model_that_takes_more_memory_than_granted_is_told",
    "tests/app/test_sizing.py::test_a_model_that_cannot_answer_one_row_is_no_figure",
)


@SUITE.row("7-page", "the page on sizing, executed", "python tools/rundocs.py docs/how-to/size.md")
def page(bench: Bench) -> Measured:
    said = bench.run(bench.python, "tools/rundocs.py", "docs/how-to/size.md")
    found = re.search(r"size\.md: (\d+) blocks ran", said)
    if found is None:
        raise Red(said[-400:])
    return Measured(int(found[1]), 1, at_least=True)


SUITE.tests(
    "8-client",
    "a typed Python client, sync and async alike: answers, labels, decisions, refusals",
    f"{CLIENTS}/test_answers.py",
    f"{CLIENTS}/test_decided.py",
    f"{CLIENTS}/test_tables.py",
)
SUITE.tests(
    "8-retries",
    "retries with idempotency ids, deadlines, Retry-After",
    f"{CLIENTS}/test_unreliable.py",
)
SUITE.tests("8-reuse", "connections are used again", f"{CLIENTS}/test_answers.py::test_connections_are_used_again")


@SUITE.row(
    "8-light",
    "installed in an empty environment it brings nothing of what the server needs: distributions it brings",
    "pip install clients/python in a new environment",
)
def light(bench: Bench) -> Measured:
    bench.tests(f"{CLIENTS}/test_decided.py::test_the_base_install_does_not_need_the_client")
    with bench.folder() as folder:
        bench.run(bench.python, "-m", "venv", str(folder / "empty"))
        python = str(folder / "empty" / "bin" / "python")
        pip = (python, "-m", "pip", "--disable-pip-version-check")
        bench.run(*pip, "install", "-qq", "--constraint", "constraints.txt", str(bench.clone / "clients" / "python"))
        bench.run(python, "-c", "from headgate_client import AsyncClient, Client", cwd=folder)
        listed = json.loads(bench.run(*pip, "list", "--format", "json").splitlines()[0])
    names = {each["name"].lower() for each in listed} - {"pip", "setuptools"}
    if forbidden := names & {"headgate", "numpy", "msgspec", "onnxruntime", "uvloop", "httptools", "pyyaml"}:
        raise Red(f"it brings {', '.join(sorted(forbidden))}")
    return Measured(len(names), LIGHT)


SUITE.tests("8-openapi", "OpenAPI describes the native API, and each endpoint's rows", "tests/gateway/test_openapi.py")
