"""A GitHub Actions workflow: one job on a runner of your own, since the home has to be there at the next run too."""

import shlex
from typing import Any, Final

from headgate.contracts.yaml_text import write_yaml
from headgate.pipelines.export.wished import Wished, line, variables
from headgate.pipelines.pipelinefile import PipelineFile

RUN: Final = "github-${{ github.run_id }}"
"""The same when failed jobs are run again, so that the pipeline goes on at the step that failed."""


def github_actions(file: PipelineFile, wished: Wished) -> str:
    """The workflow's YAML, for a file in ``.github/workflows``."""
    said = file.said
    begins: dict[str, Any] = {"workflow_dispatch": {}}
    if said.schedule is not None:
        begins["schedule"] = [{"cron": said.schedule}]
    steps: list[dict[str, Any]] = [{"uses": "actions/checkout@v4"}]
    steps += [{"name": each.value, "run": f"{line(wished, each)} {RUN}"} for each in said.steps]
    status = shlex.join(["headgate", "pipeline", "status", wished.file, "--home", wished.home, "--run"])
    steps.append(
        {"name": "report", "if": "always()", "run": f'{status} {RUN} --report >> "$GITHUB_STEP_SUMMARY"'}
    )  # fmt: skip
    job: dict[str, Any] = {"runs-on": "self-hosted", "steps": steps}
    named = {each: f"${{{{ secrets.{each} }}}}" for each in variables(file)}
    workflow = {
        "name": f"pipeline {said.pipeline}",
        "on": begins,
        "permissions": {"contents": "read"},
        "concurrency": {"group": f"headgate-{said.project}-{said.pipeline}", "cancel-in-progress": False},
        **({"env": named} if named else {}),
        "jobs": {said.pipeline: job},
    }
    return write_yaml(workflow)
