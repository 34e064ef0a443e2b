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
PAGE: Final = "tests/monitors/watch/page/test_whole.py"
TAKEOVER: Final = "tests/traffic/takeover"
SUITE.tests(
    "10-page",
    "headgate report: one self-contained HTML file with plots; of every monitor since when, on what evidence, how "
    "sure and what to do",
    PAGE,
    "tests/monitors/watch/page/test_why.py",
    "tests/cli/test_rollouts.py::test_an_endpoint_without_a_rollout_has_a_report_too",
)
SUITE.tests(
    "10-print",
    "good on a phone and in print, light and dark, told apart without colour",
    "tests/pages/test_page.py",
    "tests/pages/test_plots.py",
    "tests/pages/test_scales.py",
)
SUITE.tests(
    "10-python",
    "Python objects and an API with the same content",
    "tests/console/test_monitors.py",
    "tests/app/test_control.py",
)
SUITE.tests(
    "10-presets",
    "Evidently-style presets are taken over, every entry accounted for",
    f"{TAKEOVER}/test_presets.py",
    f"{TAKEOVER}/test_files.py",
    "tests/cli/test_takeover.py",
)
SUITE.tests("10-constraints", "and SageMaker's constraints.json", f"{TAKEOVER}/test_constraints.py")
SUITE.tests(
    "10-grafana",
    "metrics of every monitor for Grafana, each on the dashboard",
    "tests/gateway/test_watched.py",
    "tests/gateway/test_watching.py::test_every_metric_is_on_the_dashboard",
)
