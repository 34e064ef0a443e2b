"""Whom a pipeline can be defined for."""

from collections.abc import Callable, Mapping
from typing import Final

from headgate.pipelines.export.airflow import airflow
from headgate.pipelines.export.cron import cron
from headgate.pipelines.export.dagster import dagster
from headgate.pipelines.export.github import github_actions
from headgate.pipelines.export.kubeflow import kubeflow
from headgate.pipelines.export.wished import Wished
from headgate.pipelines.pipelinefile import PipelineFile

TARGETS: Final[Mapping[str, Callable[[PipelineFile, Wished], str]]] = {
    "airflow": airflow,
    "cron": cron,
    "dagster": dagster,
    "github-actions": github_actions,
    "kubeflow": kubeflow,
}
"""By the name that ``headgate pipeline export --to`` takes."""
