"""What is shown: kills at every step, the story of the last promotion, pipelines that run, files that validate."""

from typing import Final

from acceptance.loop.flights import story
from acceptance.rows import Bench, Measured, Red, Suite, last_object

SUITE = Suite()
EXPORT: Final = "tests/pipelines/test_export.py"
CHAPTERS: Final = 6
"""What fired, what data, what was learnt, what was proved, who or what approved, what happened since."""

SUITE.tests(
    "show-killed",
    "SIGKILL of controller or recipe at every step of the loop: it resumes or ends cleanly",
    "tests/app/test_loop_killed.py",
    "tests/retraining/recipes/test_workshop.py::test_a_run_outlives_who_ordered_it",
    "tests/retraining/recipes/test_workshop.py::test_cut_short_between_any_two_words_it_is_begun_or_has_ended",
    "tests/retraining/recipes/test_workshop.py::test_a_run_whose_processes_are_killed_is_lost_and_taken_up",
    "tests/pipelines/test_killed.py",
)


@SUITE.row(
    "show-explain",
    "`headgate explain` of the demo's last promotion reads as a story without gaps: chapters",
    "headgate explain flights --json",
)
def explained(bench: Bench) -> Measured:
    home = story(bench).home
    told = last_object(bench.run(bench.headgate, "explain", "flights", "--json", "--home", str(home)))
    sentences = [each for chapter in told["chapters"] for each in chapter["sentences"]]
    if gaps := [each["says"] for each in sentences if each["missing"]]:
        raise Red(f"gaps: {gaps}")
    return Measured(len(told["chapters"]), CHAPTERS, at_least=True)


SUITE.tests(
    "show-postgresql",
    "a pipeline from a real PostgreSQL (Debian package) runs in the tests",
    "tests/pipelines/test_real_parts.py::test_a_pipeline_reads_postgresql_and_then_what_is_new",
)
SUITE.tests(
    "show-csv", "and one from CSV", "tests/pipelines/test_run.py::test_files_become_a_training_set_under_its_digest"
)
SUITE.tests(
    "show-valid",
    "the generated Kubeflow and GitHub Actions files validate, by their own schemas",
    f"{EXPORT}::test_kubeflow_s_own_schema_takes_it",
    f"{EXPORT}::test_github_s_own_schema_takes_it",
)
