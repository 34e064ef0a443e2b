"""Dagster definitions, a Python file for ``dagster dev -f``: one op a step, and a schedule where there is one."""

from typing import Final

from headgate.pipelines.export.wished import Wished, words
from headgate.pipelines.pipelinefile import PipelineFile

_HEAD: Final = '''"""Pipeline {name}, by headgate pipeline export."""

import subprocess

from dagster import Definitions, In, Nothing, ScheduleDefinition, job, op


def run(context, *command):
    """One step. A run that is executed again from its failure keeps the id of the first."""
    subprocess.run([*command, context.run.root_run_id or context.run_id], check=True)

'''


def dagster(file: PipelineFile, wished: Wished) -> str:
    """The definitions' Python."""
    said = file.said
    text = _HEAD.format(name=said.pipeline)
    for place, each in enumerate(said.steps):
        after = "ins={'after': In(Nothing)}, " if place else ""
        text += f"\n@op({after}name={each.value!r})\ndef do_{each.value}(context):\n"
        text += f"    run(context, *{words(wished, each)!r})\n\n"
    name = f"headgate_{said.project}_{said.pipeline}".replace("-", "_")
    text += f"\n@job(name={name!r})\ndef pipeline():\n    done = do_{said.steps[0].value}()\n"
    text += "".join(f"    done = do_{each.value}(after=done)\n" for each in said.steps[1:])
    schedules = (
        ""
        if said.schedule is None
        else f", schedules=[ScheduleDefinition(job=pipeline, cron_schedule={said.schedule!r})]"
    )
    return f"{text}\n\ndefinitions = Definitions(jobs=[pipeline]{schedules})\n"
