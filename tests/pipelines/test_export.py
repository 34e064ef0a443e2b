"""Definitions for others are made of the steps' plain commands, and are what those others read."""

import ast
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipelines.test_run import LEARNING

from headgate.pipelines.export.targets import TARGETS
from headgate.pipelines.export.wished import Wished
from headgate.pipelines.pipelinefile import PipelineFile, read_pipeline

STEPS = ["load", "check", "transform", "dataset", "learn", "gate", "rollout"]
TEXT = LEARNING.replace("    csv: flights/*.csv", "    sql: SELECT 1\n    url: ${FLIGHTS_DB}") + "schedule: 0 3 * * 1\n"


@pytest.fixture
def file() -> PipelineFile:
    return read_pipeline(TEXT, Path("flights/pipeline.yaml"))


def exported(file: PipelineFile, target: str) -> str:
    return TARGETS[target](file, Wished("flights/pipeline.yaml", "/var/headgate", "registry/headgate:1", "claim"))


def command(step: str) -> str:
    return f"headgate pipeline run flights/pipeline.yaml --home /var/headgate --step {step} --run"


def test_kubeflow_runs_each_step_after_the_one_before(file: PipelineFile) -> None:
    spec, platform = yaml.safe_load_all(exported(file, "kubeflow"))
    tasks = spec["root"]["dag"]["tasks"]
    assert {name: each.get("dependentTasks", []) for name, each in tasks.items()} == {
        step: STEPS[max(0, place - 1) : place] for place, step in enumerate(STEPS)
    }
    for step in STEPS:
        container = spec["deploymentSpec"]["executors"][f"exec-{step}"]["container"]
        assert shlex.join([*container["command"], *container["args"]]).startswith(command(step))
        assert container["args"][-1] == "{{$.pipeline_job_uuid}}"
        mounted = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{step}"]
        assert mounted["pvcMount"][0]["mountPath"] == "/var/headgate"
        assert mounted["secretAsEnv"][0]["keyToEnv"] == [{"secretKey": "FLIGHTS_DB", "envVar": "FLIGHTS_DB"}]
    assert "retryPolicy" not in tasks["gate"]


def test_kubeflow_s_own_schema_takes_it(file: PipelineFile) -> None:
    spec = pytest.importorskip("kfp.pipeline_spec.pipeline_spec_pb2", reason="kfp-pipeline-spec is not installed")
    from google.protobuf import json_format

    document, _ = yaml.safe_load_all(exported(file, "kubeflow"))
    read = json_format.ParseDict(document, spec.PipelineSpec())  # raises for a key the schema does not have
    assert sorted(read.root.dag.tasks) == sorted(STEPS)
    assert read.deployment_spec["executors"]["exec-load"]["container"]["image"] == "registry/headgate:1"


def test_github_runs_the_steps_in_one_job_and_reports_in_any_case(file: PipelineFile) -> None:
    found = yaml.load(exported(file, "github-actions"), yaml.BaseLoader)  # noqa: S506 - keeps `on` a text
    [job] = found["jobs"].values()
    run = "github-${{ github.run_id }}"
    assert [each["run"] for each in job["steps"][1:-1]] == [f"{command(step)} {run}" for step in STEPS]
    assert job["steps"][-1]["if"] == "always()"
    assert found["on"]["schedule"] == [{"cron": "0 3 * * 1"}]
    assert found["env"] == {"FLIGHTS_DB": "${{ secrets.FLIGHTS_DB }}"}


@pytest.mark.full
def test_github_s_own_schema_takes_it(file: PipelineFile, tmp_path: Path) -> None:
    checker = shutil.which("check-jsonschema", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("check-jsonschema is not installed")
    workflow = tmp_path / "workflow.yml"

    def checked(text: str) -> dict[str, Any]:
        workflow.write_text(text)
        asked = [checker, "--builtin-schema", "vendor.github-workflows", "-o", "json", str(workflow)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    text = exported(file, "github-actions")
    assert checked(text)["status"] == "ok"
    assert checked(text.replace("runs-on", "runs_on"))["status"] == "fail"


def test_airflow_and_dagster_are_python_with_every_step(file: PipelineFile) -> None:
    for target in ("airflow", "dagster"):
        tree = ast.parse(exported(file, target))
        texts = [
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        assert set(STEPS) <= set(texts)
        assert "0 3 * * 1" in texts


def test_the_exported_dagster_job_runs_the_commands(file: PipelineFile, tmp_path: Path, monkeypatch: Any) -> None:
    """Against a stand-in for Dagster's names: that each op hands on its command and the run's id, in order."""
    (tmp_path / "dagster.py").write_text(DAGSTER)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "definitions.py").write_text(exported(file, "dagster"))
    spec = importlib.util.spec_from_file_location("definitions", tmp_path / "definitions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    said: list[list[str]] = []
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.subprocess, "run", lambda asked, check: said.append(asked))
    module.pipeline()
    assert [shlex.join(each) for each in said] == [f"{command(step)} first" for step in STEPS]
    monkeypatch.delitem(sys.modules, "dagster")


DAGSTER = """
Nothing, In = None, lambda kind: kind
class run: root_run_id = "first"
class context: run = run
def op(**words): return lambda do: lambda after=None: do(context)
def job(name): return lambda do: do
def Definitions(**words): return words
def ScheduleDefinition(**words): return words
"""


def test_cron_gets_one_line(file: PipelineFile, tmp_path: Path) -> None:
    wished = Wished(str(tmp_path / "100%" / "pipeline.yaml"), "/var/headgate")
    folder = f"'{tmp_path}/100\\%'" if shlex.quote("100%") != "100%" else f"{tmp_path}/100\\%"
    line = TARGETS["cron"](file, wished)
    assert line == f"0 3 * * 1 cd {folder} && headgate pipeline run pipeline.yaml --home /var/headgate\n"
