"""A line for crontab: the whole pipeline, at its schedule or every night at three."""

import shlex
from pathlib import Path
from typing import Final

from headgate.pipelines.export.wished import Wished
from headgate.pipelines.pipelinefile import PipelineFile

NIGHTLY: Final = "0 3 * * *"
"""When it runs where the pipeline's file does not say."""


def cron(file: PipelineFile, wished: Wished) -> str:
    """One line. Where the last run failed it goes on there; two at once cannot be."""
    folder = shlex.quote(str(Path(wished.file).absolute().parent))
    command = shlex.join(
        ["headgate", "pipeline", "run", Path(wished.file).name, "--home", str(Path(wished.home).absolute())]
    )
    # A percent sign is a new line to cron.
    said = f"cd {folder} && {command}".replace("%", "\\%")
    return f"{file.said.schedule or NIGHTLY} {said}\n"
