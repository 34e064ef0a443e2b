"""Options that several verbs share, so that they are spelled and explained once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from headgate.settings import default_home

Command = TypeVar("Command", bound=Callable[..., Any])


def home_option(command: Command) -> Command:
    """``--home``: which installation."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_home,
        show_default="$HEADGATE_HOME or .headgate",
        help="Directory of the installation.",
    )(command)


def project_option(command: Command) -> Command:
    """``--project``: whose endpoint."""
    return click.option("--project", default="default", show_default=True, help="Owner of the endpoint.")(command)


def json_option(command: Command) -> Command:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def url_option(command: Command) -> Command:
    """``--url``: which running gateway."""
    return click.option("--url", help="Address of a gateway; without it the home's own is asked.")(command)


def why_option(command: Command) -> Command:
    """``--why``: the reason the history keeps."""
    return click.option("--why", default="", help="The reason; the history keeps it.")(command)


def read_text(source: str) -> bytes:
    """What a file holds, or standard input for ``-``."""
    return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
