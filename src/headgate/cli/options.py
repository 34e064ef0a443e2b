"""Options that several verbs share, so that they are spelled and explained once."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from headgate.errors import BadConfiguration, BadInput, NotFound
from headgate.settings import STORE_VARIABLE, Settings, default_home, default_store

Command = TypeVar("Command", bound=Callable[..., Any])


class _Directory(click.Path):
    """A directory with a name: an empty one, as a shell makes of a variable that is not set, is no place to work in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty; name a directory", param, ctx)
        return super().convert(value, param, ctx)


def home_option(command: Command) -> Command:
    """``--home``: which installation."""
    return click.option(
        "--home",
        type=_Directory(path_type=Path, file_okay=False),
        default=default_home,
        show_default="$HEADGATE_HOME or .headgate",
        help="Directory of the installation.",
    )(command)


def store_option(command: Command) -> Command:
    """``--store``: which database. A URL with a password belongs into the environment, where no listing shows it."""
    return click.option(
        "--store",
        default=default_store,
        metavar="URL",
        show_default=f"${STORE_VARIABLE} or store.sqlite in the home",
        help="Database of the installation: postgresql://USER@HOST/NAME, or the path of an SQLite file.",
    )(command)


def project_option(command: Command) -> Command:
    """``--project``: whose endpoint."""
    return click.option("--project", default="default", show_default=True, help="Owner of models and endpoints.")(
        command
    )


def json_option(command: Command) -> Command:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


PORT: Final = click.IntRange(1, 65535)
"""A port callers can be told: 0, which means any, could not be."""
SECONDS: Final = click.FloatRange(min=0, min_open=True)


_GATEWAY_NUMBERS: Final = (
    ("--commit-interval", click.FloatRange(min=0), "Seconds records nobody waits for may gather before a commit."),
    ("--segment-bytes", click.IntRange(min=64 * 1024), "Size at which a journal segment is closed."),
    ("--body-limit", click.IntRange(min=1024), "Largest request body in bytes."),
    ("--queue-rows", click.IntRange(min=1), "Rows that may wait in one gateway."),
)


def gateway_options(command: Command) -> Command:
    """The numbers of a gateway that seldom need another value; `up` hands them on."""
    for flag, kind, says in reversed(_GATEWAY_NUMBERS):
        default = Settings.__dataclass_fields__[flag.removeprefix("--").replace("-", "_")].default
        command = click.option(flag, type=kind, default=default, show_default=True, help=says)(command)
    return command


def insecure_option(command: Command) -> Command:
    """``--insecure``: said aloud or not at all, so no environment variable sets it."""
    return click.option(
        "--insecure",
        is_flag=True,
        allow_from_autoenv=False,
        help="Listen beyond this machine although nobody is asked who they are.",
    )(command)


def guarded(settings: Settings, *, insecure: bool) -> Settings:
    """The settings, or BadConfiguration when they would let strangers in and nobody said so."""
    if settings.is_exposed and not insecure:
        raise BadConfiguration(
            "--host",
            "other machines could predict, label and read results, and nobody is asked who they are; keep 127.0.0.1 "
            "behind a proxy that asks, or say --insecure on a network you trust",
        )
    return settings


def url_option(command: Command) -> Command:
    """``--url``: which running gateway."""
    return click.option("--url", help="Address of a gateway; without it the home's own is asked.")(command)


def why_option(command: Command) -> Command:
    """``--why``: the reason the history keeps."""
    return click.option("--why", default="", help="The reason; the history keeps it.")(command)


def read_text(source: str) -> bytes:
    """What a file holds, or standard input for ``-``. Raises NotFound, or BadInput when it cannot be read."""
    if source == "-":
        return sys.stdin.buffer.read()
    if not source:
        raise NotFound("file", source)
    try:
        return Path(source).read_bytes()
    except FileNotFoundError as error:
        raise NotFound("file", source) from error
    except OSError as error:
        raise BadInput(source, "unreadable", os.strerror(error.errno or 0).lower()) from error
