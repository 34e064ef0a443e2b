"""An Airflow DAG, a Python file for its folder of DAGs; it works with Airflow 2 and 3."""

from typing import Final

from headgate.pipelines.export.wished import Wished, line
from headgate.pipelines.pipelinefile import PipelineFile, StepName

_HEAD: Final = '''"""Pipeline {name}, by headgate pipeline export."""

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

# A run that is repeated keeps its id, so that the pipeline goes on at the step that failed.
RUN = "{{{{ run_id | replace(':', '-') | replace('+', '-') }}}}"

with DAG("{dag}", schedule={schedule!r}, catchup=False, max_active_runs=1) as dag:
'''


def airflow(file: PipelineFile, wished: Wished) -> str:
    """The DAG's Python."""
    said = file.said
    dag = f"headgate_{said.project}_{said.pipeline}"
    text = _HEAD.format(name=said.pipeline, dag=dag, schedule=said.schedule)
    for each in said.steps:
        # A gate that failed fails again; everything else may have been the machine's fault.
        retries = 0 if each is StepName.GATE else 2
        command = f"{line(wished, each)} "
        text += f"    {each.value} = BashOperator(\n        task_id={each.value!r}, retries={retries},\n"
        text += f"        bash_command={command!r} + RUN,\n    )\n"
    return f"{text}    {' >> '.join(each.value for each in said.steps)}\n"
