"""Kubeflow Pipelines: the intermediate representation that its compiler makes too, with the home on a volume claim.

Schema: ``PipelineSpec`` 2.1.0 and the platform spec of ``kfp-kubernetes``, https://www.kubeflow.org/docs/components/pipelines.
"""

from typing import Any, Final

from headgate.contracts.yaml_text import write_yaml
from headgate.pipelines.export.wished import Wished, variables, words
from headgate.pipelines.pipelinefile import PipelineFile, StepName
from headgate.vocabulary import VERSION

RUN: Final = "{{$.pipeline_job_uuid}}"
"""What Kubeflow replaces with the run's id."""
SECRETS: Final = "headgate"
"""The Kubernetes secret that holds the variables a pipeline's file names."""
_RETRIES: Final = {"maxRetryCount": 2, "backoffDuration": "30s", "backoffFactor": 2.0, "backoffMaxDuration": "600s"}


def kubeflow(file: PipelineFile, wished: Wished) -> str:
    """Two YAML documents: the pipeline, and what of it is Kubernetes'."""
    steps = file.said.steps
    spec = {
        "components": {f"comp-{each}": {"executorLabel": f"exec-{each}"} for each in steps},
        "deploymentSpec": {"executors": {f"exec-{each}": {"container": _container(wished, each)} for each in steps}},
        "pipelineInfo": {"name": file.said.pipeline},
        "root": {"dag": {"tasks": {each.value: _task(steps, place) for place, each in enumerate(steps)}}},
        "schemaVersion": "2.1.0",
        "sdkVersion": f"headgate-{VERSION}",
    }
    executors = {f"exec-{each}": _mounted(file, wished) for each in steps}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}
    return f"# PIPELINE DEFINITION\n# Name: {file.said.pipeline}\n{write_yaml(spec)}---\n{write_yaml(platform)}"


def _container(wished: Wished, step: StepName) -> dict[str, Any]:
    program, *arguments = words(wished, step)
    return {"args": [*arguments, RUN], "command": [program], "image": wished.image}


def _task(steps: tuple[StepName, ...], place: int) -> dict[str, Any]:
    name = steps[place].value
    task: dict[str, Any] = {"cachingOptions": {}, "componentRef": {"name": f"comp-{name}"}}
    if place:
        task["dependentTasks"] = [steps[place - 1].value]
    # A gate that failed fails again; everything else may have been the machine's fault.
    retries = {} if steps[place] is StepName.GATE else {"retryPolicy": dict(_RETRIES)}
    return {**task, **retries, "taskInfo": {"name": name}}


def _mounted(file: PipelineFile, wished: Wished) -> dict[str, Any]:
    claim = {"constant": wished.volume, "mountPath": wished.home}
    mounted: dict[str, Any] = {
        "pvcMount": [claim | {"pvcNameParameter": {"runtimeValue": {"constant": wished.volume}}}]
    }
    named = variables(file)
    if named:
        keys = [{"secretKey": each, "envVar": each} for each in named]
        name = {"runtimeValue": {"constant": SECRETS}}
        mounted["secretAsEnv"] = [
            {"secretName": SECRETS, "secretNameParameter": name, "optional": False, "keyToEnv": keys}
        ]
    return mounted
